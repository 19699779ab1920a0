import type { ResolvedPlan, ResolvedStep, StepCondition } from './recovery-plan.ts';
import { hasEnded, stateOf, stepOf, type RunOutcome, type RunState, type StepState } from './run-state.ts';

/** What is to be done now. */
export type RunAction =
  | { readonly kind: 'start'; readonly step: ResolvedStep; readonly delayMs: number }
  | { readonly kind: 'skip'; readonly step: ResolvedStep; readonly reason: string }
  | { readonly kind: 'cancel'; readonly step: ResolvedStep }
  | { readonly kind: 'compensate'; readonly step: ResolvedStep }
  | { readonly kind: 'end'; readonly outcome: RunOutcome };

/** All that can be done in this state; nothing: something has to happen first. */
export function decide(plan: ResolvedPlan, state: RunState): readonly RunAction[] {
  if (state.phase === 'ended') return [];
  return state.phase === 'forward' ? forward(plan, state) : backward(plan, state);
}

function forward(plan: ResolvedPlan, state: RunState): readonly RunAction[] {
  const open = plan.steps.filter(({ id }) => !hasEnded(stateOf(state, id)));
  const [next] = open;
  if (next === undefined) {
    const isPartial = state.steps.some(({ status }) => status === 'failed');
    return [{ kind: 'end', outcome: isPartial ? 'partial' : 'succeeded' }];
  }
  if (state.paused) return [];
  return open
    .filter(({ id, order }) => order === next.order && stateOf(state, id).status === 'pending')
    .map((step) => begin(state, step));
}

function begin(state: RunState, step: ResolvedStep): RunAction {
  const { attempts, failures } = stateOf(state, step.id);
  const reason = attempts === 0 ? whyNot(state, step) : null;
  if (reason !== null) return { kind: 'skip', step, reason };
  return { kind: 'start', step, delayMs: failures === 0 ? 0 : step.retry.intervalMs };
}

function whyNot(state: RunState, { when, ungraceful }: ResolvedStep): string | null {
  if (state.mode === 'ungraceful' && ungraceful === 'skip') return 'left out in the ungraceful mode';
  return when === null ? null : unmet(state, when);
}

function unmet(state: RunState, { mode, step }: StepCondition): string | null {
  if (mode !== null && mode !== state.mode) return `only in the ${mode} mode`;
  if (step === null) return null;
  const { status } = stateOf(state, step.id);
  return status === step.is ? null : `only when ${step.id} has ${ENDS[step.is]}: it has ${ENDS[status]}`;
}

const ENDS: Readonly<Record<StepState['status'], string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  skipped: 'been skipped',
  pending: 'not begun',
  running: 'not ended',
  waiting: 'not ended',
};

/** What runs is stopped first; then what was begun is taken back, newest first, one by one. */
function backward(plan: ResolvedPlan, state: RunState): readonly RunAction[] {
  const running = state.steps.filter(({ status }) => status === 'running');
  if (running.length > 0) return running.map(({ id }) => ({ kind: 'cancel', step: stepOf(plan, id) }));
  if (state.steps.some(({ compensation }) => compensation === 'running')) return [];
  const [newest] = state.steps
    .filter(({ compensation }) => compensation === 'pending')
    .toSorted((left, right) => right.sequence - left.sequence);
  if (newest !== undefined) return [{ kind: 'compensate', step: stepOf(plan, newest.id) }];
  return [{ kind: 'end', outcome: state.cause?.by === 'abort' ? 'aborted' : 'failed' }];
}
