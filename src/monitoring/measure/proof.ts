import type { DrillState } from '../../domain/drill/drill-state.ts';
import { PLAN_STATES, type PlanState } from '../../domain/plan/plan-state.ts';
import { known, knownAt, oneOf, type Reading } from '../sample.ts';

const VERDICTS = ['pass', 'fail', 'incomplete', 'damaged'] as const;

/** The last drill, and when the next is due; nothing of a drill where none was done. */
export function measureDrills({ last, dueAt, overdue }: DrillState): Reading[] {
  const due = [
    ...knownAt('lifeboat_drill_due_timestamp_seconds', dueAt),
    ...known('lifeboat_drill_overdue', overdue ? 1 : 0),
  ];
  if (last === null) return due;
  const { finishedAt, verdict, rtoMs, rpoMs } = last;
  return [
    ...due,
    ...oneOf('lifeboat_last_drill_verdict', { label: 'verdict', names: VERDICTS, is: verdict }),
    ...knownAt('lifeboat_last_drill_timestamp_seconds', finishedAt),
    ...known('lifeboat_last_drill_rto_seconds', rtoMs === null ? null : rtoMs / 1_000),
    ...known('lifeboat_last_drill_rpo_seconds', rpoMs === null ? null : rpoMs / 1_000),
  ];
}

export function measurePlans(plans: readonly { readonly id: string; readonly state: PlanState }[]): Reading[] {
  return plans.flatMap(({ id: plan, state }) =>
    oneOf('lifeboat_plan_state', { label: 'state', names: PLAN_STATES, is: state, labels: { plan } }),
  );
}
