import { WORKFLOWS } from '../../contract/names.ts';
import { describeOutcome, type FailoverOutcome } from '../../domain/failover/failover-plan.ts';
import type { FailoverStep } from '../../domain/plan/recovery-plan.ts';
import type { StepResult } from '../../domain/plan/run-view.ts';
import { askOf } from './approver.ts';
import type { ActionPlace } from './plan-run.ts';
import { runChild } from './run-child.ts';
import { planFailure } from './step-failure.ts';

/** Changes the roles of both regions. */
export async function failover({ targetRegion, failoverType }: FailoverStep, place: ActionPlace): Promise<StepResult> {
  const input = askOf(place, targetRegion);
  if (failoverType === 'manual' && input.approvedBy === null) {
    const message = `failover to ${targetRegion}: it is a manual one, and no step of type approval was approved before`;
    throw planFailure('FAILOVER_NOT_READY', message);
  }
  const done = await runChild<FailoverOutcome>(place, { workflow: WORKFLOWS.failover, kind: 'failover', input });
  return { summary: describeOutcome(done), failover: done };
}
