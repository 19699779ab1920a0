import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import { operationAttributes } from './progress.ts';

/** Starts a run and leaves it: it goes on when this one has ended. One that runs under the id already does the same. */
export async function leaveRun(
  workflow: string,
  run: {
    readonly workflowId: string;
    readonly input: unknown;
    readonly group: string;
    readonly kind: string;
    readonly summary: string;
  },
): Promise<void> {
  const { workflowId, input, group, kind, summary } = run;
  try {
    await startChild(workflow, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      taskQueue: workflowInfo().taskQueue,
      typedSearchAttributes: operationAttributes(group, kind),
      staticSummary: summary,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
