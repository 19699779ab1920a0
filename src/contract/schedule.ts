import type { Check } from '../domain/backup.ts';
import type { PlanFinding } from '../domain/plan/evaluation.ts';
import type { ResolvedPlan } from '../domain/plan/recovery-plan.ts';
import type { ScheduledWork } from '../domain/schedule/schedule.ts';
import type { RecoveryPointAges } from '../domain/recovery-point-age.ts';
import type { Requested } from './messages.ts';

/** One run of a schedule. */
export interface ScheduledInput extends Requested {
  /** Name in the configuration. */
  readonly schedule: string;
  readonly work: ScheduledWork;
  /** How long the run waits for the group, and tries again what may pass. */
  readonly patienceMs: number;
}

export interface ScheduledResult {
  /** `skipped`: the group was busy until the period was over; `alarm`: it was done, and found what somebody must look at. */
  readonly outcome: 'done' | 'skipped' | 'alarm';
  /** One sentence. */
  readonly message: string;
  /** Times that the operation was begun. */
  readonly attempts: number;
  /** The backup that was taken. */
  readonly backupId: string | null;
}

export type EvaluatePlansInput = Requested;

/** What one plan came to. */
export interface EvaluatedPlan {
  readonly planId: string;
  readonly state: PlanEvaluationState;
  readonly findings: readonly PlanFinding[];
}

export interface EvaluatePlansResult {
  readonly plans: readonly EvaluatedPlan[];
}

/** `unknown`: it cannot be asked, because parameters of it have no value. */
export type PlanEvaluationState = 'passed' | 'action-required' | 'unknown';

/** Kept in the repository, the newest of each plan. */
export interface PlanEvaluation extends EvaluatedPlan {
  /** Digest of what was written. */
  readonly definition: string;
  readonly at: string;
  readonly by: string;
}

/** A plan of the worker's configuration, as it would be run now. */
export interface ListedPlan {
  readonly planId: string;
  readonly name: string;
  /** Digest of what is written. */
  readonly definition: string;
  /** Null where it cannot be prepared: `problems` say why, or `open` which parameters have no value. */
  readonly prepared: { readonly plan: ResolvedPlan; readonly digest: string } | null;
  readonly problems: readonly string[];
  readonly open: readonly string[];
}

/** What every plan stands on. */
export interface Readiness {
  /** Servers, rights, journals, space, targets; a failed one is a finding of every plan. */
  readonly checks: readonly Check[];
  /** False: nothing is asked that would make one, and nothing is kept. */
  readonly hasRepository: boolean;
  readonly ages: RecoveryPointAges;
}

/** Of schedules; task queue `control`. */
export interface ScheduleControl {
  /** The plans of the worker's configuration, read now. */
  listPlans(input: { group: string }): Promise<{ plans: readonly ListedPlan[] }>;
  /** Looks at servers, journals, store and targets; changes nothing. What does not answer is a failed check. */
  surveyReadiness(input: { group: string }): Promise<Readiness>;
  /** Refuses (REPOSITORY_LOST) where the store holds no repository any more, and a target has the copies of one. */
  requireNotLost(input: { group: string }): Promise<void>;
  /** Keeps the newest evaluation of a plan in the place of the one before; in a store without a repository nothing. Repeated it is one more. */
  keepEvaluation(input: { evaluation: Omit<PlanEvaluation, 'at'> }): Promise<PlanEvaluation>;
}
