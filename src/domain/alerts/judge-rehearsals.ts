import type { DrillState } from '../drill/drill-state.ts';
import { isStanding, type ScheduleProblem } from '../schedule/schedule-health.ts';
import type { Alert } from './alert.ts';
import type { PlanSeen } from './alert-facts.ts';
import { isoOf, makeAlert } from './make-alert.ts';

/** A drill that was not complete has proven nothing; it is no failed recovery. */
export function judgeDrills({ last, dueAt, overdue }: DrillState, nowMs: number): Alert[] {
  const alerts: Alert[] = [];
  if (last !== null && last.verdict !== 'pass') {
    const { drillId, verdict, reasons, finishedAt } = last;
    const summary = `${drillId}: ${verdict}${reasons[0] === undefined ? '' : `: ${reasons[0]}`}`;
    const severity = verdict === 'incomplete' ? 'warning' : 'critical';
    alerts.push(
      makeAlert('drill-failed', 'drill', { summary, since: finishedAt, facts: { drill: drillId }, severity }),
    );
  }
  if (overdue) {
    const summary = dueAt === null ? 'no drill was completed yet' : `the next drill was due ${dueAt}`;
    alerts.push(makeAlert('drill-overdue', 'drill', { summary, since: dueAt ?? isoOf(nowMs) }));
  }
  return alerts;
}

export function judgePlans(plans: readonly PlanSeen[], nowMs: number): Alert[] {
  return plans
    .filter(({ state }) => state !== 'verified')
    .map(({ id, name, state, problem }) => {
      const why = state === 'invalid' ? `cannot be run: ${problem}` : 'is not verified as it is written now';
      const summary = `recovery plan ${name} ${why}`;
      return makeAlert('plan-needs-verification', id, { summary, since: isoOf(nowMs), facts: { plan: id } });
    });
}

/** Missed and overlapped runs are counted since the schedule was made, and never again less: `schedule list` shows them. */
export function judgeSchedules(problems: readonly ScheduleProblem[], nowMs: number): Alert[] {
  return problems.filter(isStanding).map(({ schedule, kind, message }) => {
    const summary = `schedule ${schedule}: ${kind}: ${message}`;
    const severity = kind === 'failed' || kind === 'alarm' ? 'critical' : 'warning';
    const about = `${schedule}/${kind}`;
    return makeAlert('schedule-trouble', about, { summary, since: isoOf(nowMs), facts: { schedule }, severity });
  });
}
