import { unreachable } from '../unreachable.ts';
import type { ResolvedPlan } from './recovery-plan.ts';
import { isPastReturn, stateOf, stepOf, type RunEvent, type RunState, type StepState } from './run-state.ts';

/** The state after something happened. Pure: the same events give the same state, so a replayed workflow decides the same. */
export function applyEvent(plan: ResolvedPlan, state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'started':
      return withStep(state, event.step, begun(state, event.step, event.at));
    case 'succeeded':
      return withStep(state, event.step, { status: 'succeeded', endedAt: event.at, message: '' });
    case 'failed':
      return applyFailure(plan, state, event);
    case 'skipped':
      return withStep(state, event.step, { status: 'skipped', endedAt: event.at, message: event.message });
    case 'retried':
      return withStep(state, event.step, { status: 'pending', failures: 0 });
    case 'paused':
    case 'resumed':
      return { ...state, paused: event.type === 'paused' };
    case 'ungraceful':
      return { ...state, mode: 'ungraceful' };
    case 'aborted':
      return goBack(plan, state, { by: 'abort', step: null, message: event.message });
    case 'compensating':
      return withStep(state, event.step, { compensation: 'running' });
    case 'compensated':
      return withStep(state, event.step, { compensation: 'done' });
    case 'compensation-failed':
      return withStep(state, event.step, { compensation: 'failed', message: event.message });
    case 'ended':
      return { ...state, phase: 'ended', outcome: event.outcome };
  }
  return unreachable(event);
}

function begun(state: RunState, id: string, at: string): Partial<StepState> {
  const { attempts, sequence, startedAt } = stateOf(state, id);
  const started = state.steps.filter((step) => step.sequence > 0).length;
  return {
    status: 'running',
    attempts: attempts + 1,
    sequence: sequence === 0 ? started + 1 : sequence,
    startedAt: startedAt ?? at,
    endedAt: null,
  };
}

function applyFailure(
  plan: ResolvedPlan,
  state: RunState,
  { step: id, message, at }: Extract<RunEvent, { readonly type: 'failed' }>,
): RunState {
  const { retry, onFailure } = stepOf(plan, id);
  const failures = stateOf(state, id).failures + 1;
  const failed = (status: StepState['status']): RunState =>
    withStep(state, id, { status, failures, message, endedAt: status === 'pending' ? null : at });
  if (state.phase !== 'forward') return failed('failed');
  if (failures < retry.maxAttempts) return failed('pending');
  if (onFailure === 'continue') return failed('failed');
  // There is no way back any more, so that a person has to say how it goes on.
  if (onFailure === 'pause' || isPastReturn(plan, state)) return failed('waiting');
  return goBack(plan, failed('failed'), { by: 'failure', step: id, message });
}

/** Nothing new begins; what was begun is taken back once nothing runs. */
function goBack(plan: ResolvedPlan, state: RunState, cause: NonNullable<RunState['cause']>): RunState {
  const past = isPastReturn(plan, state);
  const steps = state.steps.map((step): StepState => {
    const takesBack = !past && step.sequence > 0 && stepOf(plan, step.id).compensation !== null;
    return {
      ...step,
      ...(step.status === 'waiting' ? { status: 'failed' as const } : {}),
      ...(takesBack ? { compensation: 'pending' as const } : {}),
    };
  });
  return { ...state, phase: 'backward', paused: false, cause, steps };
}

function withStep(state: RunState, id: string, change: Partial<StepState>): RunState {
  return { ...state, steps: state.steps.map((step) => (step.id === id ? { ...step, ...change } : step)) };
}
