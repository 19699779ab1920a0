/** How a test steers a run of a plan. */
import type { WorkflowHandle } from '@temporalio/client';
import { QUERIES, UPDATES } from '../../../src/contract/names.ts';
import type { PlanRunView } from '../../../src/domain/plan/run-view.ts';
import type { Steering } from '../../../src/domain/plan/steering.ts';

export async function until(handle: WorkflowHandle, isSo: (run: PlanRunView) => boolean): Promise<PlanRunView> {
  for (;;) {
    const run = await handle.query<PlanRunView>(QUERIES.planRun);
    if (isSo(run)) return run;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function steer(
  handle: WorkflowHandle,
  request: Partial<Steering> & Pick<Steering, 'action'>,
): Promise<PlanRunView> {
  const args: [Steering] = [{ step: null, by: 'starter@here', reason: 'because', digest: null, ...request }];
  return handle.executeUpdate<PlanRunView, [Steering]>(UPDATES.steerPlan, { args });
}
