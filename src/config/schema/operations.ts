import * as z from 'zod';
import { parseDuration } from '../../domain/duration.ts';
import { count, duration, name, path, program, secret, secretUrl } from './leaf.ts';

const command = z
  .union(
    [z.string().min(1), z.array(z.string()).min(1)],
    'expected a command line, or an array of a program and its arguments',
  )
  .describe('Array: program and arguments; text: a line for `/bin/sh -c`');

/** Programs that use the databases and are stopped around a restore. */
export const servicesSection = z
  .array(
    z.strictObject({
      name: z.string().min(1).describe('Name in messages and reports'),
      stop: command,
      start: command,
      timeout: duration().default('1m').describe('Time that each command may take'),
    }),
  )
  .refine(
    (services) => new Set(services.map((service) => service.name)).size === services.length,
    'expected names that differ',
  )
  .default([])
  .describe('Services that `--stop-services` stops before a restore, in this order, and starts after it, in reverse');

/** Programs that a recovery plan may run. */
export const commandsSection = z
  .array(
    z.strictObject({
      name: z.string().min(1).describe('Name in plans'),
      run: command,
      timeout: duration().default('10m').describe('Time that it may take'),
    }),
  )
  .refine(
    (commands) => new Set(commands.map(({ name }) => name)).size === commands.length,
    'expected names that differ',
  )
  .default([])
  .describe('Commands that steps of type `command` run by name; what runs on a worker is never in a plan itself');

const endpoint = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('pgbouncer').describe('Kind'),
    name: name().describe('Name'),
    url: secretUrl().describe('URL of the admin console'),
    database: z.string().min(1).describe('Database to repoint'),
  }),
  z.strictObject({
    type: z.literal('haproxy').describe('Kind'),
    name: name().describe('Name'),
    socket: z.string().min(1).describe('Runtime socket, path or host:port'),
    backend: z.string().min(1).describe('Backend'),
  }),
  z.strictObject({
    type: z.literal('nsupdate').describe('Kind'),
    name: name().describe('Name'),
    server: z.string().min(1).describe('Name server'),
    zone: z.string().min(1).describe('Zone'),
    record: z.string().min(1).describe('Record to change'),
    keyFile: path().optional().describe('TSIG key file'),
    ttl: duration().default('30s').describe('Time to live of the record'),
  }),
  z.strictObject({
    type: z.literal('command').describe('Kind'),
    name: name().describe('Name in plans'),
    apply: command.describe(
      'Leads it to the region that `DR_NEW` names, and may be run twice; array: program and arguments',
    ),
    verify: command.describe('Asks through it which server answers; ends with 0 when it is the primary of `DR_NEW`'),
    undo: command.optional().describe('Takes `apply` back where that or `verify` has failed'),
  }),
]);

/** What clients connect through, and how it is repointed in a failover. */
export const endpointsSection = z
  .array(endpoint)
  .default([])
  .describe('Endpoints that steps of type `repoint` lead to another region');

/** Times that recovery is measured against. */
export const objectivesSection = z
  .strictObject({
    rpo: duration().optional().describe('Data loss that is acceptable, as time'),
    rto: duration().optional().describe('Time that a recovery may take'),
  })
  .prefault({});

/** What is no duration is complained about as such. */
function isNeverOrASecond(every: string): boolean {
  const everyMs = parseDuration(every) ?? 0;
  return everyMs === 0 || everyMs >= SHORTEST_MS;
}

/** Temporal knows no shorter interval. */
const SHORTEST_MS = 1_000;

/** Where recovery plans are, and how often they are evaluated. */
export const drPlansSection = z
  .strictObject({
    dir: path().prefault('./config/plans').describe('Folder of the plans, one JSON file each'),
    evaluateEvery: duration()
      .refine(isNeverOrASecond, 'expected 0s, or one second or more')
      .default('30m')
      .describe('Time between two evaluations of all plans, by a schedule named `plans`; `0s`: never'),
  })
  .prefault({});

/** Who may do what. */
export const securitySection = z
  .strictObject({
    mode: z
      .enum(['local', 'token'])
      .default('local')
      .describe('`local`: whoever can run the program; `token`: roles from signed tokens'),
    token: secret().optional().describe('Token of the person at this command line'),
    issuer: z.string().min(1).optional().describe('Issuer that tokens must name'),
    audience: z.string().min(1).default('lifeboat').describe('Audience that tokens must name'),
    publicKeyPath: path().optional().describe('Ed25519 key that signs tokens, PEM'),
    jwksUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("The issuer's key set, instead of one key"),
  })
  .prefault({});

/** Where Temporal is; what stays open is taken from Temporal's own environment and profile. */
export const temporalSection = z
  .strictObject({
    address: z
      .string()
      .regex(/^[^\s/]+:\d+$/, 'expected host:port')
      .optional()
      .describe('`host:port`; without it a local server is started when needed'),
    namespace: z.string().min(1).optional().describe('Namespace; `default` when nothing says otherwise'),
  })
  .prefault({});

/** Health and metrics, which each worker serves. */
export const monitoringSection = z
  .strictObject({
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Port of `/healthz`, `/readyz` and `/metrics`; off when not set'),
    host: z.string().min(1).default('127.0.0.1').describe('Address it listens on'),
    interval: duration()
      .default('15s')
      .describe(
        'Time between two looks at servers and stores; what the repository holds is looked at every fourth time',
      ),
  })
  .prefault({});

/** What is written down while the program runs. */
export const logSection = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('From which level on'),
    path: path().prefault('./logs/backup.log').describe('Log file of workers'),
  })
  .prefault({});

/** Progress on the command line. */
export const progressSection = z
  .strictObject({
    mode: z
      .enum(['auto', 'live', 'lines', 'none'])
      .default('auto')
      .describe('`auto`: live on a terminal, lines elsewhere'),
    interval: duration().default('10s').describe('Time between two lines'),
  })
  .prefault({});

/** Programs of the local stack; without them the provisioned ones are used. */
export const embeddedSection = z
  .strictObject({
    temporalCli: program().optional().describe('Temporal CLI to start a local server with'),
    redisServer: program().optional().describe('`redis-server` of the demo'),
    autoStart: z.boolean().default(true).describe('Start the local stack when nothing answers at the default address'),
  })
  .prefault({});

/** What one worker does at a time. */
export const workerSection = z
  .strictObject({
    dataSlots: count(1).default(2).describe('Dumps, restores and checks that one worker runs at a time'),
    stallAfter: duration()
      .default('10m')
      .describe('A stream that moves no byte for this long is ended and tried again'),
  })
  .prefault({});
