import { LifeboatError, type ErrorCode } from '../errors.ts';
import type { ResolvedPlan } from './recovery-plan.ts';
import { stateOf, type RunState } from './run-state.ts';

/** What a person does to a run. */
export interface Steering {
  readonly action: 'approve' | 'pause' | 'resume' | 'retry' | 'skip' | 'abort' | 'ungraceful';
  /** Of `approve`, `retry` and `skip`; null where only one step can be meant. */
  readonly step: string | null;
  /** `user@host`. */
  readonly by: string;
  readonly reason: string;
  /** Of `approve`: the digest of the plan that was looked at, or its first characters. */
  readonly digest: string | null;
}

/** What a run says of itself to whoever steers it. */
export interface SteeredRun {
  readonly plan: ResolvedPlan;
  readonly state: RunState;
  readonly digest: string;
  readonly startedBy: string;
  /** Steps whose approval has been given. */
  readonly approved: readonly string[];
}

/** Fewer characters of a digest would not tell two plans apart. */
const DIGEST_MIN = 8;

/**
 * The step that is meant; null where the run as a whole is. Asked before anything is accepted, and changes nothing.
 * @throws LifeboatError PLAN_STEERING_REFUSED, PLAN_STEP_UNKNOWN, PLAN_APPROVAL_REFUSED
 */
export function checkSteering(run: SteeredRun, steering: Steering): string | null {
  const { phase, outcome } = run.state;
  if (steering.reason.trim() === '') throw refused('a reason is missing');
  if (phase === 'ended') throw refused(`the run has ended: ${outcome ?? ''}`);
  if (phase === 'backward') throw refused('the run is being taken back, and ends by itself');
  return CHECKS[steering.action](run, steering);
}

type CheckOf = (run: SteeredRun, steering: Steering) => string | null;

const CHECKS: Readonly<Record<Steering['action'], CheckOf>> = {
  approve: (run, steering) => checkApproval(run, steering),
  pause: ({ state }) => wholeRun(!state.paused, 'the run is paused already'),
  resume: ({ state }) => wholeRun(state.paused, 'the run is not paused'),
  ungraceful: ({ state }) => wholeRun(state.mode === 'graceful', 'the run is in the ungraceful mode already'),
  abort: () => null,
  retry: (run, steering) => chosen(run, steering, waitingSteps(run.state)),
  skip: (run, steering) =>
    chosen(run, steering, steering.step === null ? waitingSteps(run.state) : skippableSteps(run.state)),
};

function wholeRun(isPossible: boolean, why: string): null {
  if (!isPossible) throw refused(why);
  return null;
}

/** Steps that wait for an approval now. */
export function stepsToApprove({ plan, state, approved }: Pick<SteeredRun, 'plan' | 'state' | 'approved'>): string[] {
  return plan.steps
    .filter(({ id, action }) => action.type === 'approval' && stateOf(state, id).status === 'running')
    .map(({ id }) => id)
    .filter((id) => !approved.includes(id));
}

function checkApproval(run: SteeredRun, steering: Steering): string {
  const step = chosen(run, steering, stepsToApprove(run));
  const { by, digest } = steering;
  const { startedBy } = run;
  if (by === startedBy) {
    throw refused(`step ${step}: ${by} has started the run; another person has to approve`, 'PLAN_APPROVAL_REFUSED');
  }
  if (digest === null || digest.length < DIGEST_MIN) {
    throw refused(`step ${step}: no digest of the plan, of ${DIGEST_MIN} characters at least`, 'PLAN_APPROVAL_REFUSED');
  }
  if (!run.digest.startsWith(digest)) {
    throw refused(`step ${step}: the run is of plan ${run.digest}, not ${digest}`, 'PLAN_APPROVAL_REFUSED');
  }
  return step;
}

const waitingSteps = ({ steps }: RunState): string[] =>
  steps.filter(({ status }) => status === 'waiting').map(({ id }) => id);
const skippableSteps = ({ steps }: RunState): string[] =>
  steps.filter(({ status }) => status === 'waiting' || status === 'pending').map(({ id }) => id);

function chosen({ state }: SteeredRun, { step, action }: Steering, possible: readonly string[]): string {
  if (step !== null && !state.steps.some(({ id }) => id === step)) {
    throw refused(`${action} ${step}: the plan has no such step`, 'PLAN_STEP_UNKNOWN');
  }
  const [only] = possible;
  if (step === null && possible.length === 1 && only !== undefined) return only;
  if (step !== null && possible.includes(step)) return step;
  if (step !== null) throw refused(`${action} ${step}: it ${STANDS[stateOf(state, step).status]}`);
  throw refused(possible.length === 0 ? `no step waits for ${action}` : `${action}: one of ${possible.join(', ')}?`);
}

const STANDS = {
  pending: 'has not begun',
  running: 'runs, and waits for nobody',
  waiting: 'waits for retry, skip or abort',
  succeeded: 'has succeeded',
  failed: 'has failed',
  skipped: 'has been skipped',
} as const;

function refused(message: string, code: ErrorCode = 'PLAN_STEERING_REFUSED'): LifeboatError {
  return new LifeboatError(code, message);
}
