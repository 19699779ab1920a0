import type { PlanMode, ResolvedPlan, ResolvedStep } from './recovery-plan.ts';

export interface StepState {
  readonly id: string;
  /** `waiting`: it failed, and a person decides. */
  readonly status: 'pending' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped';
  /** Attempts that were begun. */
  readonly attempts: number;
  /** Failures since the step was last begun by the plan or by a person: what `retry` counts. */
  readonly failures: number;
  /** Its place among the steps in the order of their starts, from 1; 0: never begun. */
  readonly sequence: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Why it failed or was skipped; empty otherwise. */
  readonly message: string;
  readonly compensation: 'none' | 'pending' | 'running' | 'done' | 'failed';
}

export type RunOutcome = 'succeeded' | 'partial' | 'failed' | 'aborted';

export interface RunState {
  readonly phase: 'forward' | 'backward' | 'ended';
  /** Nothing new begins; what runs goes on. */
  readonly paused: boolean;
  readonly mode: PlanMode;
  /** Why it went backward. */
  readonly cause: { readonly by: 'failure' | 'abort'; readonly step: string | null; readonly message: string } | null;
  readonly outcome: RunOutcome | null;
  /** In the order of the plan. */
  readonly steps: readonly StepState[];
}

/** What happened. `at` is ISO 8601. */
export type RunEvent = { readonly at: string } & (
  | { readonly type: 'started' | 'succeeded'; readonly step: string }
  | { readonly type: 'failed'; readonly step: string; readonly message: string }
  | { readonly type: 'skipped'; readonly step: string; readonly message: string }
  | { readonly type: 'retried'; readonly step: string }
  | { readonly type: 'paused' | 'resumed' | 'ungraceful' }
  | { readonly type: 'aborted'; readonly message: string }
  | { readonly type: 'compensating' | 'compensated'; readonly step: string }
  | { readonly type: 'compensation-failed'; readonly step: string; readonly message: string }
  | { readonly type: 'ended'; readonly outcome: RunOutcome }
);

export function beginRun(plan: ResolvedPlan, mode: PlanMode): RunState {
  const steps = plan.steps.map(({ id }) => ({ ...UNTOUCHED, id }));
  return { phase: 'forward', paused: false, mode, cause: null, outcome: null, steps };
}

const UNTOUCHED = {
  status: 'pending',
  attempts: 0,
  failures: 0,
  sequence: 0,
  startedAt: null,
  endedAt: null,
  message: '',
  compensation: 'none',
} as const satisfies Omit<StepState, 'id'>;

/** @throws RangeError for a step that the run does not have: a defect */
export function stateOf(state: RunState, id: string): StepState {
  const found = state.steps.find((step) => step.id === id);
  if (found === undefined) throw new RangeError(`no step ${id}`);
  return found;
}

/** @throws RangeError for a step that the plan does not have: a defect */
export function stepOf(plan: ResolvedPlan, id: string): ResolvedStep {
  const found = plan.steps.find((step) => step.id === id);
  if (found === undefined) throw new RangeError(`no step ${id}`);
  return found;
}

export const hasEnded = ({ status }: StepState): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'skipped';

/** A step behind which there is only forward has begun. */
export function isPastReturn(plan: ResolvedPlan, state: RunState): boolean {
  return plan.steps.some(({ id, pointOfNoReturn }) => pointOfNoReturn && stateOf(state, id).sequence > 0);
}
