import * as z from 'zod';
import { duration } from '../schema/leaf.ts';

const id = (): z.ZodString =>
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'expected an id of A-Z, a-z, 0-9, _ and -, at most 63 long');
const text = (): z.ZodString => z.string().min(1).max(2_000);
const components = z.array(z.enum(['postgres', 'redis'])).min(1);
const instant = z.iso.datetime({ offset: true, error: 'expected a time with an offset, such as 2026-01-15T10:30:59Z' });
const count = z.int().nonnegative();

const backupConfig = z.strictObject({
  kind: z.enum(['full', 'incremental']).default('full').describe('Kind of backup'),
  components: components.optional().describe('Only these; all that are configured without it'),
  label: z.record(z.string(), z.string()).default({}).describe('Labels'),
  emergency: z
    .boolean()
    .optional()
    .describe('Of a state that is replaced: `latest` never means it; on where a restore comes later in the plan'),
});

const restoreConfig = z.strictObject({
  backup: z
    .string()
    .regex(/^latest$|^backup-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z$/, 'expected a backup id, or latest')
    .default('latest')
    .describe('Backup id, or `latest`'),
  restoreOptions: z
    .strictObject({
      components: components.optional().describe('Only these; all that the backup has without it'),
      dropExisting: z.boolean().default(false).describe('Replace what the targets hold; kept for an undo'),
      stopServices: z.boolean().default(false).describe('Stop the services before the switch, start them after it'),
      targetDatabase: text().optional().describe('Database that takes the data'),
      toTime: instant.optional().describe('Instant to restore to'),
      toLsn: z
        .string()
        .regex(/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/, 'expected a WAL position such as 0/16B3748')
        .optional()
        .describe('WAL position to restore to'),
      fromTarget: text().optional().describe('Read the copies of this target'),
    })
    .refine(({ toTime, toLsn }) => toTime === undefined || toLsn === undefined, 'expected one of toTime and toLsn')
    .prefault({}),
});

const check = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('postgres').describe('PostgreSQL answers'),
    name: text().optional().describe('Name in the report'),
    writable: z.boolean().default(true).describe('A row can be written, to a temporary table'),
  }),
  z.strictObject({
    type: z.literal('redis').describe('Redis answers'),
    name: text().optional().describe('Name in the report'),
    writable: z.boolean().default(true).describe('A key can be written; it is removed again'),
    minKeys: count.optional().describe('At least so many keys, over all databases'),
    maxKeys: count.optional().describe('At most so many keys'),
  }),
  z.strictObject({
    type: z.literal('sql').describe('One statement, read only'),
    name: text().describe('Name in the report'),
    query: text().describe('The statement; the first column of its first row is compared'),
    expected: z.union([z.string(), z.number(), z.boolean()]).describe('What it gives, as text'),
  }),
]);

const validationConfig = z.strictObject({
  checks: z
    .array(check)
    .min(1)
    .optional()
    .describe('Checks; without it every configured server has to answer and take writes'),
});

const serviceConfig = z.strictObject({
  action: z.enum(['start', 'stop', 'restart']).default('restart').describe('What is done'),
  services: z.array(text()).min(1).optional().describe('Names of `services`; all of them without it'),
});

const notificationConfig = z.strictObject({
  channels: z
    .array(text())
    .min(1)
    .optional()
    .describe('Names of `notifications`; those with the event `recovery` without it'),
  message: z.string().max(2_000).default('').describe('Text; how the run stands without it'),
});

const approvalConfig = z.strictObject({ message: z.string().max(2_000).default('').describe('What is approved') });
const waitConfig = z.strictObject({ for: duration().describe('How long') });
const commandConfig = z.strictObject({ command: text().describe('Name of one of `commands` of the configuration') });
const planConfig = z.strictObject({
  planId: id().describe('Plan that is run as one step; it holds no such step itself'),
});
const targetRegion = (): z.ZodString =>
  text().describe('Region that takes over: one of `failover.regions` of the configuration');
const failoverConfig = z.strictObject({
  targetRegion: targetRegion(),
  failoverType: z
    .enum(['automatic', 'manual'])
    .default('automatic')
    .describe('`manual`: only after a step of type `approval` was approved'),
});
const fenceConfig = z.strictObject({ targetRegion: targetRegion() });
const promoteConfig = z.strictObject({
  targetRegion: targetRegion(),
  components: components.optional().describe('Only these; all that `failover.regions` has without it'),
});
const rejoinConfig = z.strictObject({
  region: text().describe('Region whose servers were primary, and follow those of the other one from now on'),
  rebuild: z.boolean().default(false).describe('Copy the new PostgreSQL primary instead of rewinding the old one'),
  giveUpTransactions: z
    .union([count, z.string().regex(/^\d{1,15}$/)], 'expected a number of commits')
    .optional()
    .describe(
      'Commits of the old primary that are given up, exactly as counted; those that this run has shown without it',
    ),
});
const repointConfig = z.strictObject({
  targetRegion: text().describe('Region that clients are led to'),
  endpoints: z.array(text()).min(1).optional().describe('Names of `endpoints`; all of them without it'),
});

/** Type of a step, and what its `config` holds. */
const CONFIGS = {
  backup: backupConfig,
  restore: restoreConfig,
  validation: validationConfig,
  service: serviceConfig,
  notification: notificationConfig,
  approval: approvalConfig,
  wait: waitConfig,
  command: commandConfig,
  plan: planConfig,
  failover: failoverConfig,
  fence: fenceConfig,
  promote: promoteConfig,
  rejoin: rejoinConfig,
  repoint: repointConfig,
} as const;

type Configs = typeof CONFIGS;
type ActionOf<T extends keyof Configs> = z.ZodObject<{ type: z.ZodLiteral<T>; config: z.ZodPrefault<Configs[T]> }>;

const action = <T extends keyof Configs>(type: T): ActionOf<T> =>
  z.strictObject({ type: z.literal(type), config: (CONFIGS[type] as z.ZodType).prefault({}) }) as never;

const compensation = z.discriminatedUnion('type', [
  action('backup'),
  action('restore'),
  action('validation'),
  action('service'),
  action('notification'),
  action('wait'),
  action('command'),
  action('repoint'),
  z.strictObject({
    type: z.literal('undo').describe('What the restore of this step replaced comes back'),
    config: z.strictObject({}).prefault({}),
  }),
]);

const common = {
  id: id().describe('Id, unique in the plan'),
  name: text().describe('Name for people'),
  order: z.int().describe('Steps of equal order run at once'),
  timeout: duration().optional().describe('Longest time of one attempt'),
  retry: z
    .strictObject({
      maxAttempts: z.int().min(1).max(100).default(1).describe('Attempts in all'),
      interval: duration().default('10s').describe('Time between two of them'),
    })
    .prefault({})
    .describe('Attempts of the step as a whole; what may pass is tried again inside of each anyway'),
  onFailure: z
    .enum(['abort', 'pause', 'continue'])
    .default('abort')
    .describe('`abort` ends the run and takes it back, `pause` waits for a person, `continue` goes on'),
  when: z
    .strictObject({
      mode: z.enum(['graceful', 'ungraceful']).optional().describe('Only in this mode'),
      step: id().optional().describe('An earlier step'),
      is: z.enum(['succeeded', 'failed', 'skipped']).optional().describe('How that step must have ended'),
    })
    .refine(({ step, is }) => (step === undefined) === (is === undefined), 'expected step and is together')
    .optional()
    .describe('Only then; otherwise the step is skipped'),
  ungraceful: z
    .union([z.enum(['same', 'skip']), z.strictObject({ config: z.looseObject({}) })], 'expected same, skip or {config}')
    .default('same')
    .describe('In the ungraceful mode: the same, nothing, or with other values in `config`'),
  compensation: compensation.optional().describe('Takes the step back when the run fails'),
  pointOfNoReturn: z
    .boolean()
    .optional()
    .describe('From its start on nothing is taken back; on for `promote` and `failover`'),
};

const step = <T extends keyof Configs>(type: T): z.ZodObject<typeof common & ActionOf<T>['shape']> =>
  z.strictObject({ ...common, ...action(type).shape }) as never;

const steps = z.discriminatedUnion('type', [
  step('backup'),
  step('restore'),
  step('validation'),
  step('service'),
  step('notification'),
  step('approval'),
  step('wait'),
  step('command'),
  step('plan'),
  step('failover'),
  step('fence'),
  step('promote'),
  step('rejoin'),
  step('repoint'),
]);

/** Parameters are put in before the rest is checked. */
export const parametersSchema = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'expected letters, digits and _'),
  z.strictObject({
    description: z.string().default('').describe('What it is for'),
    default: z
      .union([z.string(), z.null()])
      .optional()
      .describe('Value where none is given; null leaves the key out; without it one has to be given'),
  }),
);

/** A file of `drPlans.dir`, as the manual shows it and with more beside. */
export const planSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors'),
  id: id().describe('Id, and name of the file'),
  name: text().describe('Name for people'),
  description: z.string().max(4_000).default('').describe('What it is for'),
  priority: z.enum(['critical', 'high', 'normal', 'low']).default('normal').describe('Order in lists'),
  objectives: z
    .strictObject({
      rto: duration().optional().describe('Time that the recovery may take; that of the configuration without it'),
      rpo: duration().optional().describe('Age that the data may have; that of the configuration without it'),
    })
    .prefault({}),
  parameters: parametersSchema.default({}).describe('`${name}` in any text of a config'),
  steps: z.array(steps).min(1).max(100).describe('Steps'),
});

export type PlanDocument = z.output<typeof planSchema>;
export type StepDocument = PlanDocument['steps'][number];
export type CompensationDocument = z.output<typeof compensation>;
export { CONFIGS as STEP_CONFIGS };
