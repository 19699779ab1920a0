import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { CleanupInput, CleanupPlan, CleanupResult, CleanupTargetInput } from '../../contract/cleanup.ts';
import { cleanupTargetWorkflowId, WORKFLOWS } from '../../contract/names.ts';
import { operationAttributes } from './progress.ts';

/**
 * Starts a cleanup of each target, and leaves them: they go on when this one has ended. Which targets there are is in the plan; histories
 * from before have none there, and take the same way.
 */
export async function startTargetCleanups(
  input: CleanupInput,
  { targets = [] }: Pick<CleanupPlan, 'targets'>,
): Promise<Pick<CleanupResult, 'targets'>> {
  const { group, dryRun } = input;
  const started: { target: string; workflowId: string }[] = [];
  for (const target of targets) {
    const workflowId = cleanupTargetWorkflowId(group, target, dryRun);
    const asked: CleanupTargetInput = { ...input, target };
    try {
      await startChild(WORKFLOWS.cleanupTarget, {
        workflowId,
        args: [asked],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        taskQueue: workflowInfo().taskQueue,
        typedSearchAttributes: operationAttributes(group, 'cleanup'),
        staticSummary: `${dryRun ? 'dry run of a cleanup' : 'cleanup'} at ${target}`,
      });
    } catch (error) {
      // An earlier one goes on there, which does the same.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    started.push({ target, workflowId });
  }
  return started.length === 0 ? {} : { targets: started };
}
