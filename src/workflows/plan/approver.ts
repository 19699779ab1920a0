import type { FailoverInput } from '../../contract/failover.ts';
import type { ActionPlace, PlanRun } from './plan-run.ts';

/**
 * Who approved a step of this run last; null: nobody. What was approved of a graceful run is no approval of a loss: only what came after the switch
 * counts, and only what came after `since` (ISO 8601), where something was measured then.
 */
export function approverOf(run: PlanRun, since = ''): string | null {
  const { steering } = run.view();
  const switched = steering.findLastIndex(({ action }) => action === 'ungraceful') + 1;
  return steering.slice(switched).findLast(({ action, at }) => action === 'approve' && at >= since)?.by ?? null;
}

/** What a step of a change of roles asks for. The authority is taken by the run and the step, whatever attempt it is. */
export function askOf({ run, step }: ActionPlace, targetRegion: string, since?: string): FailoverInput {
  const { group, requestedBy, runId } = run.input;
  const { mode } = run.state();
  return { group, requestedBy, targetRegion, mode, holder: `${runId}.${step}`, approvedBy: approverOf(run, since) };
}
