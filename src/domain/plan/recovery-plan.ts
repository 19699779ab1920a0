import type { ComponentName } from '../backup.ts';

/** `graceful`: everything can still be asked; `ungraceful`: what is lost is not waited for. */
export type PlanMode = 'graceful' | 'ungraceful';

export interface BackupStep {
  readonly kind: 'full' | 'incremental';
  readonly components: readonly ComponentName[] | 'configured';
  readonly label: Readonly<Record<string, string>>;
  /** Of a state that is about to be replaced: `latest` never means it. */
  readonly emergency: boolean;
}

export interface RestoreStep {
  /** A backup id or `latest`. */
  readonly backup: string;
  readonly components: readonly ComponentName[] | 'stored';
  readonly dropExisting: boolean;
  readonly stopServices: boolean;
  readonly targetDatabase: string | null;
  readonly to: { readonly time: string } | { readonly lsn: string } | null;
  readonly fromTarget: string | null;
}

/** One thing that must be true for a recovery to be good. */
export type PlanCheck =
  /** PostgreSQL answers; a row can be written to a temporary table. */
  | { readonly type: 'postgres'; readonly name: string; readonly writable: boolean }
  /** Redis answers, with a number of keys; a key can be written and is removed again. */
  | {
      readonly type: 'redis';
      readonly name: string;
      readonly writable: boolean;
      readonly minKeys: number | null;
      readonly maxKeys: number | null;
    }
  /** One statement, read only; the first column of its first row, as text. */
  | { readonly type: 'sql'; readonly name: string; readonly query: string; readonly expected: string };

export interface ValidationStep {
  /** `configured`: that every configured server answers and takes writes. */
  readonly checks: readonly PlanCheck[] | 'configured';
}

export interface ServiceStep {
  readonly action: 'start' | 'stop' | 'restart';
  /** Names of `services` of the configuration. */
  readonly services: readonly string[] | 'all';
}

export interface NotificationStep {
  /** Names of `notifications` of the configuration; `all`: those that want to hear of recoveries. */
  readonly channels: readonly string[] | 'all';
  /** Empty: how the run stands. */
  readonly message: string;
}

export interface FailoverStep {
  /** One of `failover.regions` of the configuration. */
  readonly targetRegion: string;
  /** `manual`: only where a step of type `approval` was approved before. */
  readonly failoverType: 'automatic' | 'manual';
}

export interface FenceStep {
  /** Region that takes over; PostgreSQL of the other one is stopped and fenced. */
  readonly targetRegion: string;
}

export interface PromoteStep {
  readonly targetRegion: string;
  readonly components: readonly ComponentName[] | 'configured';
}

export interface RepointStep {
  /** Region that clients are led to. */
  readonly targetRegion: string;
  /** Names of `endpoints` of the configuration. */
  readonly endpoints: readonly string[] | 'all';
}

export interface RejoinStep {
  /** Region whose servers were primary, and follow from now on. */
  readonly region: string;
  /** Copy the new primary instead of rewinding. */
  readonly rebuild: boolean;
  /** Commits of the old primary that are given up, as they were counted; null: what the promotion of this run has counted. */
  readonly giveUpTransactions: number | null;
}

/** What a step does, or what takes it back. */
export type StepAction =
  | { readonly type: 'backup'; readonly config: BackupStep }
  | { readonly type: 'restore'; readonly config: RestoreStep }
  | { readonly type: 'validation'; readonly config: ValidationStep }
  | { readonly type: 'service'; readonly config: ServiceStep }
  | { readonly type: 'notification'; readonly config: NotificationStep }
  | { readonly type: 'approval'; readonly config: { readonly message: string } }
  | { readonly type: 'wait'; readonly config: { readonly forMs: number } }
  /** A name of `commands` of the configuration: what runs on a worker never comes from a plan. */
  | { readonly type: 'command'; readonly config: { readonly command: string } }
  | { readonly type: 'plan'; readonly config: { readonly plan: ResolvedPlan; readonly digest: string } }
  /** Brings back what the restore of the same step replaced; as a compensation only. */
  | { readonly type: 'undo'; readonly config: Readonly<Record<string, never>> }
  | { readonly type: 'failover'; readonly config: FailoverStep }
  | { readonly type: 'fence'; readonly config: FenceStep }
  | { readonly type: 'promote'; readonly config: PromoteStep }
  | { readonly type: 'rejoin'; readonly config: RejoinStep }
  | { readonly type: 'repoint'; readonly config: RepointStep };

/** All that is given must be true. */
export interface StepCondition {
  readonly mode: PlanMode | null;
  /** How an earlier step, one of a lower order, has ended. */
  readonly step: { readonly id: string; readonly is: 'succeeded' | 'failed' | 'skipped' } | null;
}

export interface ResolvedStep {
  readonly id: string;
  readonly name: string;
  /** Steps of equal order run at once; a higher one begins when all lower ones have ended. */
  readonly order: number;
  readonly action: StepAction;
  /** Of one attempt, milliseconds; null: none of its own. */
  readonly timeoutMs: number | null;
  readonly retry: { readonly maxAttempts: number; readonly intervalMs: number };
  /** What a failure that is not retried does: ends the run, waits for a person, or goes on. */
  readonly onFailure: 'abort' | 'pause' | 'continue';
  readonly when: StepCondition | null;
  /** What is done instead in the ungraceful mode. */
  readonly ungraceful: 'same' | 'skip' | StepAction;
  /** Takes the step back when the run fails. */
  readonly compensation: StepAction | null;
  /** From its start on nothing is taken back any more: the run goes forward, or waits for a person. */
  readonly pointOfNoReturn: boolean;
}

/** A plan with every default filled in and every parameter in its place: the input of a run. */
export interface ResolvedPlan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly priority: 'critical' | 'high' | 'normal' | 'low';
  readonly objectives: { readonly rtoMs: number | null; readonly rpoMs: number | null };
  /** Ascending by order; equal ones as they were written. */
  readonly steps: readonly ResolvedStep[];
}

/** Everything that a step may do. */
export function actionsOf(step: ResolvedStep): readonly StepAction[] {
  const { action, ungraceful, compensation } = step;
  return [action, ...(typeof ungraceful === 'string' ? [] : [ungraceful]), ...(compensation ? [compensation] : [])];
}

/** What a step does in a mode. */
export function actionIn(step: ResolvedStep, mode: PlanMode): StepAction {
  return mode === 'ungraceful' && typeof step.ungraceful !== 'string' ? step.ungraceful : step.action;
}
