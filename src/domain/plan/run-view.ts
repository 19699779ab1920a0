import type { Check } from '../backup.ts';
import { describeLoss, type FailoverOutcome } from '../failover/failover-plan.ts';
import { describeFenced, losesSomething, type FencedPrimary } from '../failover/fenced-primary.ts';
import type { RejoinOutcome } from '../failover/rejoin-plan.ts';
import type { PlanMode, ResolvedPlan, ResolvedStep } from './recovery-plan.ts';
import { isPastReturn, stateOf, stepOf, type RunOutcome, type RunState, type StepState } from './run-state.ts';
import { stepsToApprove, type Steering } from './steering.ts';

/** What a step brought about; small enough for a history, and without data. */
export interface StepResult {
  /** One sentence. */
  readonly summary: string;
  readonly backupId?: string;
  readonly restoreId?: string;
  /** The restore can be taken back. */
  readonly undo?: boolean;
  /** Instant that came back, ISO 8601. */
  readonly recoveredTo?: string;
  readonly checks?: readonly Check[];
  /** Of a failover or a promotion. */
  readonly failover?: FailoverOutcome;
  /** Of a fence. */
  readonly fence?: FencedPrimary;
  readonly rejoin?: RejoinOutcome;
}

export interface StepView {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly order: number;
  readonly status: StepState['status'];
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly message: string;
  readonly compensation: StepState['compensation'];
  readonly result: StepResult | null;
  /** Of a step that is a workflow itself, once it was begun. */
  readonly workflowId: string | null;
}

/** One intervention of a person. */
export interface SteeringEntry extends Omit<Steering, 'digest'> {
  readonly at: string;
}

/** A time that was reached, beside the one that was wanted. */
export interface Objective {
  readonly targetMs: number | null;
  readonly actualMs: number | null;
  /** Null where either is not known. */
  readonly isMet: boolean | null;
}

/** A run as people and programs see it; also its report. */
export interface PlanRunView {
  readonly id: string;
  readonly planId: string;
  readonly planName: string;
  readonly digest: string;
  readonly state: 'running' | 'paused' | 'waiting' | 'taking-back' | RunOutcome;
  readonly mode: PlanMode;
  readonly parameters: Readonly<Record<string, string>>;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** What a person has to do, a sentence each; empty where nobody is waited for. */
  readonly waitsFor: readonly string[];
  readonly steps: readonly StepView[];
  readonly steering: readonly SteeringEntry[];
  /** Why it ended before its end. */
  readonly cause: string | null;
  readonly isPastReturn: boolean;
  /** From the start until the last validation was green; without one, until the end. */
  readonly rtoMs: number | null;
  /** Age of what came back, at the start. */
  readonly rpoMs: number | null;
  readonly objectives: { readonly rto: Objective; readonly rpo: Objective };
  /** In the repository; null before the end, and where it could not be written. */
  readonly reportPath: string | null;
}

/** What a run knows of itself. */
export interface RunFacts {
  readonly id: string;
  readonly plan: ResolvedPlan;
  readonly digest: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly state: RunState;
  readonly results: ReadonlyMap<string, StepResult>;
  readonly workflowIds: ReadonlyMap<string, string>;
  readonly approved: readonly string[];
  readonly steering: readonly SteeringEntry[];
  readonly reportPath: string | null;
}

export function viewRun(run: RunFacts): PlanRunView {
  const { plan, state, digest, parameters, startedBy, startedAt, endedAt, steering, reportPath } = run;
  const waitsFor = endedAt === null ? waitings(run) : [];
  const rtoMs = recoveryTime(run);
  const rpoMs = recoveredAge(run);
  return {
    id: run.id,
    planId: plan.id,
    planName: plan.name,
    digest,
    state: standing(state, waitsFor),
    mode: state.mode,
    parameters,
    startedBy,
    startedAt,
    endedAt,
    waitsFor,
    steps: plan.steps.map((step) => viewStep(run, step)),
    steering,
    cause: state.cause && [state.cause.step, state.cause.message].filter(Boolean).join(': '),
    isPastReturn: isPastReturn(plan, state),
    rtoMs,
    rpoMs,
    objectives: { rto: objective(plan.objectives.rtoMs, rtoMs), rpo: objective(plan.objectives.rpoMs, rpoMs) },
    reportPath,
  };
}

function standing({ phase, outcome, paused }: RunState, waitsFor: readonly string[]): PlanRunView['state'] {
  if (outcome !== null) return outcome;
  if (phase === 'backward') return 'taking-back';
  if (paused) return 'paused';
  return waitsFor.length > 0 ? 'waiting' : 'running';
}

function waitings(run: RunFacts): readonly string[] {
  const { plan, state } = run;
  if (state.phase !== 'forward') return [];
  const approvals = stepsToApprove(run).map((id) => {
    const { action } = stepOf(plan, id);
    const what = action.type === 'approval' ? action.config.message : '';
    const said = [what, ...losses(run)].filter(Boolean).join('; ');
    return `${id}: an approval by another person than ${run.startedBy}${said === '' ? '' : `: ${said}`}`;
  });
  const failed = state.steps
    .filter(({ status }) => status === 'waiting')
    .map(({ id, message }) => `${id}: retry, skip or abort, after: ${message}`);
  return [...approvals, ...failed, ...(state.paused ? ['the run: resume'] : [])];
}

/** What was measured until now, for whoever is asked to take it on: behind a fence, then of the promotion; or that there is no fence. */
function losses({ plan, results, state }: RunFacts): readonly string[] {
  const promoted = [...results.values()].flatMap(({ failover }) => failover?.postgres?.epoch ?? []);
  return plan.steps.flatMap(({ id, action }) => {
    const { status, message } = stateOf(state, id);
    const { fence, failover } = results.get(id) ?? {};
    const loss = failover?.postgres?.loss ?? null;
    if (action.type === 'fence' && status === 'failed') return [`${id} has failed: ${message}`];
    if (fence && losesSomething(fence) && !promoted.includes(fence.authority.epoch)) return [describeFenced(fence)];
    return loss === null || loss.bytes === 0 ? [] : [`${id}: ${describeLoss(loss)}`];
  });
}

function viewStep({ state, results, workflowIds }: RunFacts, { id, name, order, action }: ResolvedStep): StepView {
  const { status, attempts, startedAt, endedAt, message, compensation } = stateOf(state, id);
  const durationMs = startedAt === null || endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);
  return {
    id,
    name,
    type: action.type,
    order,
    status,
    attempts,
    startedAt,
    endedAt,
    durationMs,
    message,
    compensation,
    result: results.get(id) ?? null,
    workflowId: workflowIds.get(id) ?? null,
  };
}

/** The clock stops when validation is green. */
function recoveryTime({ plan, state, startedAt, endedAt }: RunFacts): number | null {
  const validations = plan.steps.filter(({ action }) => action.type === 'validation');
  const ends = validations.map(({ id }) => stateOf(state, id)).filter(({ status }) => status === 'succeeded');
  const isDone = state.outcome === 'succeeded' || state.outcome === 'partial';
  if (validations.length === 0) return isDone && endedAt !== null ? Date.parse(endedAt) - Date.parse(startedAt) : null;
  if (ends.length < validations.length) return null;
  return Math.max(...ends.map((step) => Date.parse(step.endedAt ?? startedAt))) - Date.parse(startedAt);
}

/** Of the oldest that came back. */
function recoveredAge({ results, startedAt }: RunFacts): number | null {
  const times = [...results.values()].flatMap(({ recoveredTo }) => (recoveredTo === undefined ? [] : [recoveredTo]));
  if (times.length === 0) return null;
  return Math.max(0, Date.parse(startedAt) - Math.min(...times.map((time) => Date.parse(time))));
}

function objective(targetMs: number | null, actualMs: number | null): Objective {
  return { targetMs, actualMs, isMet: targetMs === null || actualMs === null ? null : actualMs <= targetMs };
}
