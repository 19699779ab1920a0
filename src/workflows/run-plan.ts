import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { CancellationScope, upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';
import type { RunPlanInput } from '../contract/plan.ts';
import type { PlanRunView } from '../domain/plan/run-view.ts';
import { driveRun } from './plan/drive-run.ts';
import { openRun, type PlanRun } from './plan/plan-run.ts';
import { planFailure, reasonOf } from './plan/step-failure.ts';
import { control } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress, type WorkflowProgress } from './support/progress.ts';

const PLAN = defineSearchAttributeKey(SEARCH_ATTRIBUTES.plan, SearchAttributeType.KEYWORD);

/**
 * Runs a recovery plan, under the group's lock. What is done next is decided by the interpreter of domain/plan alone; people steer by updates.
 * A run that did not come to its end fails, with its report written before.
 */
export async function runPlanWorkflow(input: RunPlanInput): Promise<PlanRunView> {
  const { plan, digest, runId } = input;
  const progress = trackProgress(`${runId}: recovery plan ${plan.name}`);
  const run = openRun(input, ({ action, step, by, reason }) =>
    progress.note([`${action} by ${by}`, step, reason].filter(Boolean).join(': ')),
  );
  upsertSearchAttributes([{ key: PLAN, value: plan.id }]);
  return cancellable(progress, async () => {
    progress.enter('planning', `checking plan ${digest}`);
    await control('decide', 'check the plan').acceptPlan({ plan, digest });
    const cancelled = await driveRun(run, progress);
    await CancellationScope.nonCancellable(async () => keepReport(run, progress));
    // Temporal's own, so that the run is shown as cancelled.
    if (cancelled instanceof Error) throw cancelled;
    return settle(run.view());
  });
}

/** A report that cannot be written is said so, and makes no recovery a failed one. */
async function keepReport(run: PlanRun, progress: WorkflowProgress): Promise<void> {
  try {
    const { path } = await control('decide', 'write the report').keepRunReport({ report: run.view() });
    run.reportedAt(path);
  } catch (error) {
    progress.note(`the report was not written: ${reasonOf(error)}`);
  }
}

function settle(view: PlanRunView): PlanRunView {
  const { state, planId, id, cause } = view;
  if (state !== 'failed' && state !== 'aborted') return view;
  const code = state === 'failed' ? 'PLAN_FAILED' : 'PLAN_ABORTED';
  throw planFailure(code, `plan ${planId}: ${cause ?? ''}`, { plan: planId, run: id });
}
