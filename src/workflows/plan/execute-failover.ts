import type { FailoverInput } from '../../contract/failover.ts';
import { WORKFLOWS } from '../../contract/names.ts';
import { describeOutcome, type FailoverOutcome } from '../../domain/failover/failover-plan.ts';
import type { FailoverStep } from '../../domain/plan/recovery-plan.ts';
import type { StepResult } from '../../domain/plan/run-view.ts';
import type { ActionPlace } from './plan-run.ts';
import { runChild } from './run-child.ts';
import { planFailure } from './step-failure.ts';

/** Changes the roles of both regions. The authority is taken by the run and the step, whatever attempt it is. */
export async function failover({ targetRegion, failoverType }: FailoverStep, place: ActionPlace): Promise<StepResult> {
  const { group, requestedBy, runId } = place.run.input;
  const { mode } = place.run.state();
  const approvedBy = approverOf(place);
  if (failoverType === 'manual' && approvedBy === null) {
    const message = `failover to ${targetRegion}: it is a manual one, and no step of type approval was approved before`;
    throw planFailure('FAILOVER_NOT_READY', message);
  }
  const holder = `${runId}.${place.step}`;
  const input: FailoverInput = { group, requestedBy, targetRegion, mode, holder, approvedBy };
  const done = await runChild<FailoverOutcome>(place, { workflow: WORKFLOWS.failover, kind: 'failover', input });
  return { summary: describeOutcome(done), failover: done };
}

/** Who approved a step of this run last. What was approved of a graceful run is no approval of a loss: only what came after the switch counts. */
function approverOf({ run }: ActionPlace): string | null {
  const { steering } = run.view();
  const since = steering.findLastIndex(({ action }) => action === 'ungraceful') + 1;
  return steering.slice(since).findLast(({ action }) => action === 'approve')?.by ?? null;
}
