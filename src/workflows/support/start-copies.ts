import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { Requested } from '../../contract/messages.ts';
import type { ReplicateInput } from '../../contract/replication.ts';
import { copyWorkflowId, WORKFLOWS } from '../../contract/names.ts';
import type { BackupRecord } from '../../domain/backup.ts';
import { operationAttributes } from './progress.ts';

/**
 * Starts one run for each target that a published backup goes to, and leaves them: they go on when this one has ended. Which targets there
 * are is in the answer of the activity that published it; histories from before targets have none, and take the same way.
 */
export async function startCopies({ group, requestedBy }: Requested, backup: BackupRecord): Promise<void> {
  for (const { target, delayMs } of backup.copiesTo ?? []) {
    const input: ReplicateInput = {
      group,
      requestedBy,
      target,
      backup: backup.id,
      delayMs,
      verify: false,
      patient: true,
    };
    try {
      await startChild(WORKFLOWS.replicate, {
        workflowId: copyWorkflowId(group, target, backup.id),
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        taskQueue: workflowInfo().taskQueue,
        typedSearchAttributes: operationAttributes(group, 'copy'),
        staticSummary: `copy of ${backup.id} to ${target}`,
      });
    } catch (error) {
      // It runs already: somebody asked for it by hand.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}
