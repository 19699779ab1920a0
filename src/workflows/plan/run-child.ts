import { ChildWorkflowCancellationType, executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import { planStepWorkflowId } from '../../contract/names.ts';
import { operationAttributes } from '../support/progress.ts';
import type { ActionPlace } from './plan-run.ts';

interface ChildRequest {
  /** A registered workflow type, from WORKFLOWS. */
  readonly workflow: string;
  /** The value of LifeboatKind. */
  readonly kind: string;
  readonly input: object;
}

/**
 * Runs an operation as a part of the run, which holds the group's lock for it. A cancelled one is awaited, so that it has cleaned up before
 * anything is taken back.
 */
export async function runChild<Result>(
  { run, step, attemptId }: ActionPlace,
  { workflow, kind, input }: ChildRequest,
): Promise<Result> {
  const { group, requestedBy, runId } = run.input;
  const workflowId = planStepWorkflowId(group, attemptId);
  run.runsAs(step, workflowId);
  const result: unknown = await executeChild(workflow, {
    workflowId,
    args: [input],
    taskQueue: workflowInfo().taskQueue,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    typedSearchAttributes: operationAttributes(group, kind),
    staticSummary: `step ${step} of ${runId}`,
    memo: { requestedBy },
  });
  return result as Result;
}
