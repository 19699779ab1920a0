import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import { planRun, steerPlan } from '../../contract/plan-handlers.ts';
import type { RunPlanInput } from '../../contract/plan.ts';
import { applyEvent } from '../../domain/plan/apply-event.ts';
import { toLifeboatError } from '../../domain/errors.ts';
import { beginRun, type RunEvent, type RunState } from '../../domain/plan/run-state.ts';
import { checkSteering, type Steering } from '../../domain/plan/steering.ts';
import { unreachable } from '../../domain/unreachable.ts';
import type { WorkflowProgress } from '../support/progress.ts';
import { viewRun, type PlanRunView, type StepResult, type SteeringEntry } from '../../domain/plan/run-view.ts';

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;
/** What happened; the time is added where it is noted. */
export type Happening = WithoutTime<RunEvent>;

/** A run in the memory of its workflow: all of it is made again from the history when the workflow is replayed. */
export interface PlanRun {
  readonly input: RunPlanInput;
  state(): RunState;
  /** Grows with everything that happens: `condition` waits for it. */
  version(): number;
  happen(event: Happening): void;
  hasApproval(step: string): boolean;
  keepResult(step: string, result: StepResult): void;
  resultOf(step: string): StepResult | undefined;
  /** The workflow that does a step, for whoever follows the run. */
  runsAs(step: string, workflowId: string): void;
  reportedAt(path: string): void;
  view(): PlanRunView;
}

/** Where an action is executed. */
export interface ActionPlace {
  readonly run: PlanRun;
  readonly step: string;
  /** Id of this attempt: that of the run, the step and the number. */
  readonly attemptId: string;
  /** Of the run. */
  readonly progress: WorkflowProgress;
}

/** Begins a run, answers queries and takes updates from now on. `onSteered` is told what a person did. */
export function openRun(input: RunPlanInput, onSteered: (entry: SteeringEntry) => void): PlanRun {
  const { plan, digest, mode, parameters, requestedBy: startedBy, runId: id } = input;
  const startedAt = now();
  const results = new Map<string, StepResult>();
  const workflowIds = new Map<string, string>();
  const approved = new Set<string>();
  const steering: SteeringEntry[] = [];
  let state = beginRun(plan, mode);
  let version = 0;
  let endedAt: string | null = null;
  let reportPath: string | null = null;
  const happen = (event: Happening): void => {
    const at = now();
    state = applyEvent(plan, state, { ...event, at });
    if (event.type === 'ended') endedAt = at;
    version += 1;
  };
  const facts = (): Parameters<typeof viewRun>[0] => {
    const given = { id, plan, digest, parameters, startedBy, startedAt };
    return { ...given, endedAt, state, results, workflowIds, approved: [...approved], steering, reportPath };
  };
  const steer = (request: Steering): PlanRunView => {
    const step = checkSteering(facts(), request);
    const { digest: _seen, ...entry } = { ...request, step };
    steering.push({ ...entry, at: now() });
    if (request.action === 'approve' && step !== null) approved.add(step);
    const event = eventOf(request, step);
    if (event === null) version += 1;
    else happen(event);
    onSteered({ ...entry, at: now() });
    return viewRun(facts());
  };
  setHandler(planRun, () => viewRun(facts()));
  setHandler(steerPlan, steer, { validator: (request) => refuse(() => checkSteering(facts(), request)) });
  return {
    input,
    happen,
    state: () => state,
    version: () => version,
    hasApproval: (step) => approved.has(step),
    keepResult: (step, result) => void results.set(step, result),
    resultOf: (step) => results.get(step),
    runsAs: (step, workflowId) => void workflowIds.set(step, workflowId),
    reportedAt: (path) => void (reportPath = path),
    view: () => viewRun(facts()),
  };
}

const now = (): string => new Date().toISOString();

/** What a person did, as an event; null for an approval, which its step waits for. */
function eventOf({ action, reason, by }: Steering, step: string | null): Happening | null {
  const said = `${reason} (${by})`;
  switch (action) {
    case 'approve':
      return null;
    case 'pause':
      return { type: 'paused' };
    case 'resume':
      return { type: 'resumed' };
    case 'ungraceful':
      return { type: 'ungraceful' };
    case 'abort':
      return { type: 'aborted', message: said };
    case 'retry':
      return { type: 'retried', step: step ?? '' };
    case 'skip':
      return { type: 'skipped', step: step ?? '', message: said };
  }
  return unreachable(action);
}

/** Our refusal as one that reaches the caller with its code and hint. */
function refuse(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    const { code, message, hint, details } = toLifeboatError(error);
    throw ApplicationFailure.create({ message, type: code, nonRetryable: true, details: [{ hint, details }] });
  }
}
