import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import type { BackupInput, BackupResult, Requested } from '../../contract/messages.ts';
import { groupWorkflowId, WORKFLOWS } from '../../contract/names.ts';
import { operationAttributes } from './progress.ts';

/**
 * Takes a full backup as anybody would: under the group's lock, a run of its own.
 * @returns its id
 * @throws ApplicationFailure GROUP_BUSY where another operation holds the group
 */
export async function takeBackupFirst({ group, requestedBy }: Requested): Promise<string> {
  const workflowId = groupWorkflowId(group);
  const request: BackupInput = { group, requestedBy, kind: 'full', components: 'configured', label: {}, hold: null };
  try {
    const taken = (await executeChild(WORKFLOWS.backup, {
      workflowId,
      args: [request],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      taskQueue: workflowInfo().taskQueue,
      typedSearchAttributes: operationAttributes(group, 'full'),
      staticSummary: `full backup for a drill, asked for by ${requestedBy}`,
    })) as BackupResult;
    return taken.backup.id;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const message = `take a backup to drill: another operation runs under ${workflowId}`;
    throw ApplicationFailure.create({ type: 'GROUP_BUSY', message, nonRetryable: true });
  }
}
