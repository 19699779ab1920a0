import { ApplicationFailure, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import type { PlanRecordsInput, PlanRecordsResult } from '../contract/plan.ts';
import { groupWorkflowId, planStepWorkflowId, QUERIES, UPDATES, WORKFLOWS } from '../contract/names.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { PlanRunView } from '../domain/plan/run-view.ts';
import type { Steering } from '../domain/plan/steering.ts';
import { ask, type Question } from './ask.ts';
import type { ManagerContext } from './backup-manager.ts';
import { fromApplicationFailure } from './failure.ts';

/** Asks the repository, by a run beside the group's lock. */
export async function askRecords(
  context: ManagerContext,
  question: Question<PlanRecordsInput>,
): Promise<PlanRecordsResult> {
  const summary = question.ask === 'report' ? 'read the report of a run' : 'read when plans were verified';
  return ask(context, { workflow: WORKFLOWS.planRecords, beside: 'plan', summary, question });
}

/** How a run stands: as it says itself, and where Temporal knows it no more, as its report says. @throws LifeboatError PLAN_RUN_NOT_FOUND */
export async function readRun(context: ManagerContext, runId: string | undefined): Promise<PlanRunView> {
  const live = await findRun(context, runId);
  if (live !== undefined) return live.run;
  const { report } = await askRecords(context, { ask: 'report', runId: runId ?? null });
  if (report !== null) return report;
  throw new LifeboatError('PLAN_RUN_NOT_FOUND', `run ${runId ?? ''}: no report`);
}

/** @throws LifeboatError PLAN_RUN_NOT_FOUND, PLAN_STEERING_REFUSED, PLAN_STEP_UNKNOWN, PLAN_APPROVAL_REFUSED */
export async function steerRun(context: ManagerContext, runId: string, steering: Steering): Promise<PlanRunView> {
  const live = await findRun(context, runId);
  if (live === undefined) {
    const { state } = await readRun(context, runId);
    throw new LifeboatError('PLAN_STEERING_REFUSED', `run ${runId}: it has ended: ${state}`);
  }
  try {
    return await live.handle.executeUpdate<PlanRunView, [Steering]>(UPDATES.steerPlan, { args: [steering] });
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      throw fromApplicationFailure(error.cause, error);
    }
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new LifeboatError('PLAN_STEERING_REFUSED', `run ${runId}: it has ended: ${live.run.state}`, { cause: error });
  }
}

interface LiveRun {
  readonly handle: WorkflowHandle;
  readonly run: PlanRunView;
}

/** The run in Temporal; undefined where it is not the one that holds the group, or held it last. */
async function findRun({ client, group }: ManagerContext, runId: string | undefined): Promise<LiveRun | undefined> {
  const isNested = runId?.includes('.') === true;
  const workflowId = isNested ? planStepWorkflowId(group, runId) : groupWorkflowId(group);
  try {
    const found = client.workflow.getHandle(workflowId);
    const { type, runId: execution } = await found.describe();
    if (type !== WORKFLOWS.runPlan) return undefined;
    const handle = client.workflow.getHandle(workflowId, execution);
    const run = await handle.query<PlanRunView>(QUERIES.planRun);
    return runId === undefined || run.id === runId ? { handle, run } : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
