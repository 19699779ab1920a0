import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import { decide, type RunAction } from '../../domain/plan/decide.ts';
import { actionIn, type ResolvedStep } from '../../domain/plan/recovery-plan.ts';
import { stateOf } from '../../domain/plan/run-state.ts';
import type { WorkflowProgress } from '../support/progress.ts';
import { executeAction } from './execute-action.ts';
import type { ActionPlace, PlanRun } from './plan-run.ts';
import { planFailure, reasonOf } from './step-failure.ts';

/**
 * Runs a plan to its end: does what the interpreter decides, tells it what happened, and asks again. A cancellation is an abort: what runs is
 * stopped and awaited, and what was begun is taken back.
 *
 * @returns the cancellation, where there was one
 */
export async function driveRun(run: PlanRun, progress: WorkflowProgress): Promise<unknown> {
  let cancelled: unknown = null;
  CancellationScope.current().cancelRequested.catch((error: unknown) => {
    cancelled = error;
    if (run.state().phase === 'forward') run.happen({ type: 'aborted', message: 'the run was cancelled' });
  });
  await CancellationScope.nonCancellable(async () => {
    const scopes = new Map<string, CancellationScope>();
    while (run.state().phase !== 'ended') {
      const seen = run.version();
      for (const action of decide(run.input.plan, run.state())) begin(action, { run, scopes, progress });
      showProgress(run, progress);
      await condition(() => run.version() !== seen);
    }
  });
  return cancelled;
}

type Stage = Pick<ActionPlace, 'run' | 'progress'>;

interface Driving extends Stage {
  /** Of what runs, by step. */
  readonly scopes: Map<string, CancellationScope>;
}

/** Begins an action; what comes of it is told to the run later. */
function begin(action: RunAction, { run, scopes, progress }: Driving): void {
  switch (action.kind) {
    case 'start': {
      run.happen({ type: 'started', step: action.step.id });
      const scope = new CancellationScope({ cancellable: true });
      scopes.set(action.step.id, scope);
      void scope.run(async () => runStep({ run, progress }, action.step, action.delayMs));
      return;
    }
    case 'skip':
      return run.happen({ type: 'skipped', step: action.step.id, message: action.reason });
    case 'cancel':
      return scopes.get(action.step.id)?.cancel();
    case 'compensate':
      run.happen({ type: 'compensating', step: action.step.id });
      void takeBack({ run, progress }, action.step);
      return;
    case 'end':
      return run.happen({ type: 'ended', outcome: action.outcome });
  }
}

/** One attempt at a step; it never rejects. */
async function runStep({ run, progress }: Stage, step: ResolvedStep, delayMs: number): Promise<void> {
  const { attempts } = stateOf(run.state(), step.id);
  const place = { run, progress, step: step.id, attemptId: `${run.input.runId}.${step.id}.${attempts}` };
  try {
    if (delayMs > 0) await sleep(delayMs);
    const result = await withTimeout(step, async () => executeAction(actionIn(step, run.state().mode), place));
    run.keepResult(step.id, result);
    run.happen({ type: 'succeeded', step: step.id });
  } catch (error) {
    run.happen({ type: 'failed', step: step.id, message: reasonOf(error) });
  }
}

async function withTimeout<T>({ id, timeoutMs }: ResolvedStep, work: () => Promise<T>): Promise<T> {
  if (timeoutMs === null) return work();
  const outer = CancellationScope.current();
  try {
    return await CancellationScope.withTimeout(timeoutMs, work);
  } catch (error) {
    if (!isCancellation(error) || outer.consideredCancelled) throw error;
    throw planFailure('PLAN_STEP_TIMED_OUT', `step ${id}: not done after ${timeoutMs} ms`);
  }
}

/** A step back that fails is shown, and holds up no other. */
async function takeBack({ run, progress }: Stage, step: ResolvedStep): Promise<void> {
  const place: ActionPlace = { run, progress, step: step.id, attemptId: `${run.input.runId}.${step.id}.back` };
  try {
    if (step.compensation !== null) await executeAction(step.compensation, place);
    run.happen({ type: 'compensated', step: step.id });
  } catch (error) {
    run.happen({ type: 'compensation-failed', step: step.id, message: reasonOf(error) });
  }
}

function showProgress(run: PlanRun, progress: WorkflowProgress): void {
  const { state, waitsFor, steps, cause } = run.view();
  if (state === 'waiting' || state === 'paused') return progress.enter(state, waitsFor.join('; '));
  if (state === 'taking-back') return progress.enter(state, `what was begun, after: ${cause ?? ''}`);
  const running = steps.filter(({ status }) => status === 'running').map(({ name }) => name);
  progress.enter(state, running.join(', '));
}
