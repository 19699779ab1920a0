import type { Check } from '../domain/backup.ts';
import type { Message } from '../domain/message.ts';
import type { PlanCheck, PlanMode, ResolvedPlan } from '../domain/plan/recovery-plan.ts';
import type { PlanRunView } from '../domain/plan/run-view.ts';
import type { Requested } from './messages.ts';
import type { PlanEvaluation } from './schedule.ts';

/** All that a run acts on: editing a file never changes one. */
export interface RunPlanInput extends Requested {
  /** `run-2026-01-15T10-30-00-000Z`; of a nested one that of the run, the step and the attempt. */
  readonly runId: string;
  readonly plan: ResolvedPlan;
  /** SHA-256 of the plan. */
  readonly digest: string;
  readonly mode: PlanMode;
  /** As given; they are in the plan already. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface EvaluatePlanInput extends Requested {
  readonly plan: ResolvedPlan;
  readonly digest: string;
  readonly mode: PlanMode;
  /** Digest of what was written; with it, a plan in which nothing is found is recorded as verified. */
  readonly definition: string | null;
}

/** What a step would do now. */
export interface StepForecast {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly order: number;
  /** Sentences. */
  readonly would: readonly string[];
  /** Why it could not; empty where nothing is in its way. */
  readonly problem: string;
  /** Code of the error behind the problem. */
  readonly code: string;
}

export interface EvaluatePlanResult {
  readonly planId: string;
  readonly digest: string;
  readonly steps: readonly StepForecast[];
  /** What was recorded; null where nothing was. */
  readonly verification: PlanVerification | null;
}

/** Kept in the repository: that a plan, as it was written, was found to be possible. */
export interface PlanVerification {
  readonly planId: string;
  /** Digest of what was written. */
  readonly definition: string;
  readonly at: string;
  readonly by: string;
  /** `evaluation`: every step was asked what it would do; `drill`: it was done, elsewhere. */
  readonly how: 'evaluation' | 'drill';
}

export type PlanRecordsInput = Requested &
  (
    | { readonly ask: 'verifications'; readonly planIds: readonly string[] }
    /** Null: of the newest run. */
    | { readonly ask: 'report'; readonly runId: string | null }
  );

export interface PlanRecordsResult {
  /** Newest of each plan that was asked for and has one. */
  readonly verifications: readonly PlanVerification[];
  readonly report: PlanRunView | null;
  /** As `verifications`; undefined in answers of version 1.0.0. */
  readonly evaluations?: readonly PlanEvaluation[];
}

/** Of recovery plans; task queue `control`. */
export interface PlanControl {
  /**
   * Whether the plan is the one of the digest, and everything that it names is configured.
   * PLAN_DIGEST_MISMATCH, PLAN_STEP_UNAVAILABLE, PLAN_INVALID, SERVICE_UNKNOWN, NOTIFICATION_UNAVAILABLE, COMMAND_UNKNOWN, ENDPOINT_UNKNOWN
   */
  acceptPlan(input: { plan: ResolvedPlan; digest: string }): Promise<void>;
  /** Names that a step means, in the order in which services stop, or channels are told. */
  namesOf(
    input:
      | { services: readonly string[] | 'all' }
      | { channels: readonly string[] | 'all' }
      | { endpoints: readonly string[] | 'all' },
  ): Promise<{ names: readonly string[] }>;
  /** What is found; a server that does not answer is a failed check. Leaves nothing behind, and may be repeated. */
  runChecks(input: { checks: readonly PlanCheck[] | 'configured' }): Promise<{ checks: readonly Check[] }>;
  /** Runs one of the configured commands. Repeated it runs again: it has to allow that. */
  runCommand(input: {
    command: string;
    environment: Readonly<Record<string, string>>;
  }): Promise<{ durationMs: number; lastLine: string }>;
  /** Leads an endpoint to a region, and asks through it who answers. Repeated it does both again. ENDPOINT_NOT_REPOINTED */
  repointEndpoint(input: {
    endpoint: string;
    targetRegion: string;
    environment: Readonly<Record<string, string>>;
  }): Promise<void>;
  /** Tells every channel; those that failed are named in the error after the others were told. Repeated it tells again. */
  notify(input: { channels: readonly string[] | 'all'; message: Message }): Promise<{ told: readonly string[] }>;
  /** Keeps a run's report in the repository; repeated it gives the same place. */
  keepRunReport(input: { report: PlanRunView }): Promise<{ path: string }>;
  /** Records that a plan was found to be possible. Repeated it is one more record. */
  recordVerification(input: { verification: Omit<PlanVerification, 'at'> }): Promise<PlanVerification>;
  readPlanRecords(input: PlanRecordsInput): Promise<PlanRecordsResult>;
}
