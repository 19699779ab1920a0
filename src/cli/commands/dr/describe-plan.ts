import { formatDuration } from '../../../domain/duration.ts';
import type { ResolvedPlan, ResolvedStep } from '../../../domain/plan/recovery-plan.ts';
import type { PlanRunView, StepView } from '../../../domain/plan/run-view.ts';

/** A plan, a line for each step. */
export function describeSteps({ steps }: ResolvedPlan): string[] {
  const width = Math.max(...steps.map(({ id }) => id.length));
  return steps.map((step) => `  ${step.order}. ${step.id.padEnd(width)}  ${describeStep(step)}`);
}

function describeStep({
  name,
  action,
  timeoutMs,
  retry,
  onFailure,
  compensation,
  when,
  ungraceful,
}: ResolvedStep): string {
  const facts = [
    action.type,
    ...(timeoutMs === null ? [] : [`at most ${formatDuration(timeoutMs)}`]),
    ...(retry.maxAttempts === 1 ? [] : [`${retry.maxAttempts} attempts`]),
    ...(onFailure === 'abort' ? [] : [`on failure: ${onFailure}`]),
    ...(compensation === null ? [] : [`taken back by ${compensation.type}`]),
    ...(when === null ? [] : ['on a condition']),
    ...(ungraceful === 'same'
      ? []
      : [ungraceful === 'skip' ? 'left out when ungraceful' : 'otherwise when ungraceful']),
  ];
  return `${name} (${facts.join(', ')})`;
}

/** A run with its steps and what it waits for. */
export function describeRun(run: PlanRunView): string {
  const width = Math.max(...run.steps.map(({ id }) => id.length));
  return [
    `${run.id}  ${run.planName}: ${run.state}, ${run.mode}; started ${run.startedAt} by ${run.startedBy}`,
    `  plan ${run.planId}, digest ${run.digest}`,
    ...run.steps.map((step) => `  ${MARKS[step.status].padEnd(9)}  ${step.id.padEnd(width)}  ${outcomeOf(step)}`),
    ...run.steering.map(
      ({ at, action, step, by, reason }) => `  ${at}  ${action}${step ? ` ${step}` : ''} by ${by}: ${reason}`,
    ),
    ...(run.cause === null ? [] : [`  ended because: ${run.cause}`]),
    ...run.waitsFor.map((what) => `  waits for ${what}`),
    ...howToSteer(run),
    ...objectives(run),
    ...(run.reportPath === null ? [] : [`  report ${run.reportPath}`]),
  ].join('\n');
}

const MARKS = {
  pending: 'pending',
  running: 'running',
  waiting: 'waiting',
  succeeded: 'done',
  failed: 'failed',
  skipped: 'skipped',
} as const satisfies Record<StepView['status'], string>;

function outcomeOf({ name, message, result, durationMs, attempts, compensation }: StepView): string {
  const said = message === '' ? (result?.summary ?? '') : message;
  return [
    name,
    ...(durationMs === null ? [] : [`${(durationMs / 1_000).toFixed(1)} s`]),
    ...(attempts > 1 ? [`attempt ${attempts}`] : []),
    ...(compensation === 'none' ? [] : [`taking back: ${compensation}`]),
    ...(said === '' ? [] : [said]),
  ].join('; ');
}

/** The exact line for an approval: the digest says what was looked at. */
function howToSteer({ id, digest, steps, waitsFor }: PlanRunView): string[] {
  const approval = steps.find(({ type, status }) => type === 'approval' && status === 'running');
  if (waitsFor.length === 0 || approval === undefined) return [];
  return [`  lifeboat dr approve ${id} ${approval.id} --digest ${digest.slice(0, 12)} --reason …`];
}

function objectives({ rtoMs, rpoMs, objectives: { rto, rpo } }: PlanRunView): string[] {
  const line = (name: string, actualMs: number | null, { targetMs, isMet }: typeof rto): string[] => {
    if (actualMs === null) return [];
    const target = targetMs === null ? '' : `, ${isMet ? 'within' : 'beyond'} ${formatDuration(targetMs)}`;
    return [`  ${name} ${(actualMs / 1_000).toFixed(1)} s${target}`];
  };
  return [...line('recovered and validated after', rtoMs, rto), ...line('age of the data that came back', rpoMs, rpo)];
}
