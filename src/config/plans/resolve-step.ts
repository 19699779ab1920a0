import type {
  PlanCheck,
  ResolvedPlan,
  ResolvedStep,
  RestoreStep,
  StepAction,
} from '../../domain/plan/recovery-plan.ts';
import { durationMs } from '../../domain/duration.ts';
import type { Issue } from '../secrets.ts';
import { digestOf } from './plan-digest.ts';
import { STEP_CONFIGS, type CompensationDocument, type PlanDocument, type StepDocument } from './plan-schema.ts';

/** Limits of one attempt where the plan has none: long enough that only what hangs is ended. */
const DEFAULT_TIMEOUTS: Partial<Record<StepDocument['type'], string>> = {
  backup: '1d',
  restore: '1d',
  validation: '10m',
  service: '30m',
  notification: '2m',
  command: '1h',
  repoint: '30m',
  approval: '1d',
};
/** `promote` and `failover` make another server the one that takes writes. */
const NO_RETURN: readonly StepDocument['type'][] = ['promote', 'failover'];

export interface ResolveContext {
  readonly document: PlanDocument;
  /** The plan of a step of type `plan`; undefined where there is none that may be nested. */
  nested(planId: string): ResolvedPlan | undefined;
  readonly issues: Issue[];
}

/** A step with every default filled in; what is wrong with it is added to the issues. */
export function resolveStep(step: StepDocument, path: readonly PropertyKey[], context: ResolveContext): ResolvedStep {
  const { id, name, order, retry, onFailure, when, compensation } = step;
  if (step.type === 'promote') checkProof(step, path, context);
  const timeout = step.timeout ?? DEFAULT_TIMEOUTS[step.type];
  return {
    id,
    name,
    order,
    action: resolveAction(step, path, context),
    timeoutMs: timeout === undefined ? null : durationMs(timeout),
    retry: { maxAttempts: retry.maxAttempts, intervalMs: durationMs(retry.interval) },
    onFailure,
    when: when === undefined ? null : { mode: when.mode ?? null, step: earlier(when, step, { path, context }) },
    ungraceful: resolveUngraceful(step, path, context),
    compensation: compensation === undefined ? null : resolveAction({ ...compensation, order }, path, context),
    pointOfNoReturn: step.pointOfNoReturn ?? NO_RETURN.includes(step.type),
  };
}

/** What may make a standby primary has to come first; whether it was proven or given is asked when the plan is run. */
function checkProof(
  { order, config }: Extract<StepDocument, { readonly type: 'promote' }>,
  path: readonly PropertyKey[],
  { document, issues }: ResolveContext,
): void {
  const { targetRegion, components = ['postgres'] } = config;
  const isProof = (other: StepDocument): boolean =>
    other.type === 'approval' || (other.type === 'fence' && other.config.targetRegion === targetRegion);
  if (!components.includes('postgres') || document.steps.some((other) => other.order < order && isProof(other))) return;
  const message = `expected a step of type fence for ${targetRegion}, or of type approval, of a lower order`;
  issues.push({ path, message });
}

function earlier(
  { step: id, is }: NonNullable<StepDocument['when']>,
  { order }: StepDocument,
  { path, context }: { readonly path: readonly PropertyKey[]; readonly context: ResolveContext },
): NonNullable<ResolvedStep['when']>['step'] {
  if (id === undefined || is === undefined) return null;
  const known = context.document.steps.find((other) => other.id === id);
  if (known === undefined || known.order >= order) {
    context.issues.push({ path: [...path, 'when', 'step'], message: `${id}: no step of a lower order` });
  }
  return { id, is };
}

function resolveUngraceful(
  step: StepDocument,
  path: readonly PropertyKey[],
  context: ResolveContext,
): ResolvedStep['ungraceful'] {
  const { ungraceful, type, config, order } = step;
  if (typeof ungraceful === 'string') return ungraceful;
  const parsed = STEP_CONFIGS[type].safeParse({ ...config, ...ungraceful.config });
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => ({
      path: [...path, 'ungraceful', 'config', ...issue.path],
      message: issue.message,
    }));
    context.issues.push(...issues);
    return 'same';
  }
  return resolveAction({ type, config: parsed.data, order } as ActionDocument, path, context);
}

type ActionDocument = (Pick<StepDocument, 'order'> & CompensationDocument) | StepDocument;

type Resolvers = {
  readonly [T in ActionDocument['type']]: (
    document: Extract<ActionDocument, { readonly type: T }>,
    path: readonly PropertyKey[],
    context: ResolveContext,
  ) => StepAction;
};

const RESOLVERS: Resolvers = {
  backup: (document, _path, context) => resolveBackup(document, context),
  restore: ({ config }) => ({ type: 'restore', config: resolveRestore(config) }),
  validation: ({ config: { checks } }) => ({
    type: 'validation',
    config: { checks: checks?.map(resolveCheck) ?? 'configured' },
  }),
  service: ({ config: { action, services } }) => ({ type: 'service', config: { action, services: services ?? 'all' } }),
  notification: ({ config: { channels, message } }) => ({
    type: 'notification',
    config: { channels: channels ?? 'all', message },
  }),
  wait: ({ config }) => ({ type: 'wait', config: { forMs: durationMs(config.for) } }),
  plan: ({ config }, path, context) => resolveNested(config.planId, path, context),
  approval: ({ config }) => ({ type: 'approval', config }),
  command: ({ config }) => ({ type: 'command', config }),
  undo: () => ({ type: 'undo', config: {} }),
  failover: ({ config }) => ({ type: 'failover', config }),
  fence: ({ config }) => ({ type: 'fence', config }),
  promote: ({ config: { targetRegion, components } }) => ({
    type: 'promote',
    config: { targetRegion, components: components ?? 'configured' },
  }),
  rejoin: ({ config: { region, rebuild, giveUpTransactions } }) => ({
    type: 'rejoin',
    config: {
      region,
      rebuild,
      giveUpTransactions: giveUpTransactions === undefined ? null : Number(giveUpTransactions),
    },
  }),
  repoint: ({ config: { targetRegion, endpoints } }) => ({
    type: 'repoint',
    config: { targetRegion, endpoints: endpoints ?? 'all' },
  }),
};

function resolveAction(document: ActionDocument, path: readonly PropertyKey[], context: ResolveContext): StepAction {
  // The key and the document are of one type, which the compiler cannot see.
  const resolve = RESOLVERS[document.type] as (
    document: ActionDocument,
    path: readonly PropertyKey[],
    context: ResolveContext,
  ) => StepAction;
  return resolve(document, path, context);
}

/** A backup of a state that a later step replaces is never what that step brings back. */
function resolveBackup(
  { config, order }: Extract<ActionDocument, { readonly type: 'backup' }>,
  { document }: ResolveContext,
): StepAction {
  const { kind, components = 'configured', label, emergency } = config;
  const isReplaced = document.steps.some((other) => other.type === 'restore' && other.order >= order);
  return { type: 'backup', config: { kind, components, label, emergency: emergency ?? isReplaced } };
}

function resolveRestore({
  backup,
  restoreOptions,
}: Extract<StepDocument, { readonly type: 'restore' }>['config']): RestoreStep {
  const { components = 'stored', dropExisting, stopServices, targetDatabase = null } = restoreOptions;
  const { toTime, toLsn, fromTarget = null } = restoreOptions;
  const to =
    toTime === undefined ? (toLsn === undefined ? null : { lsn: toLsn }) : { time: new Date(toTime).toISOString() };
  return { backup, components, dropExisting, stopServices, targetDatabase, to, fromTarget };
}

type CheckDocument = NonNullable<Extract<StepDocument, { readonly type: 'validation' }>['config']['checks']>[number];

function resolveCheck(check: CheckDocument): PlanCheck {
  if (check.type === 'sql') {
    return { type: 'sql', name: check.name, query: check.query, expected: String(check.expected) };
  }
  const { writable } = check;
  if (check.type === 'postgres') return { type: 'postgres', name: check.name ?? 'postgres', writable };
  const { name = 'redis', minKeys = null, maxKeys = null } = check;
  return { type: 'redis', name, writable, minKeys, maxKeys };
}

function resolveNested(planId: string, path: readonly PropertyKey[], context: ResolveContext): StepAction {
  const plan = context.nested(planId);
  if (plan === undefined) {
    context.issues.push({
      path: [...path, 'config', 'planId'],
      message: `${planId}: no plan that can be a step: it has to exist, be sound and hold no step of type plan`,
    });
    return { type: 'approval', config: { message: '' } };
  }
  return { type: 'plan', config: { plan, digest: digestOf(plan) } };
}
