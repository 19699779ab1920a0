import { ApplicationFailure, TimeoutFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { ScheduledResult } from '../../contract/schedule.ts';
import { ERRORS, isErrorCode } from '../../domain/errors.ts';
import { rootOf } from '../plan/step-failure.ts';
import { control } from '../support/activity-options.ts';
import { operationAttributes } from '../support/progress.ts';
import type { ScheduledOperation } from './scheduled-operation.ts';

/** What one try came to. `again`: it failed with what may pass; `failed`: the same try would fail the same way. */
export type Attempt =
  | { readonly end: 'done'; readonly found: Omit<ScheduledResult, 'attempts'> }
  | { readonly end: 'busy'; readonly message: string }
  | { readonly end: 'again' | 'failed'; readonly message: string; readonly error: unknown };

/**
 * Begins the operation, when nothing holds its id, and waits for its end. `looksFirst`: a backup is only taken where it does not begin a new
 * repository in the place of one that was lost, by itself.
 * @throws Temporal's cancellation
 */
export async function attempt(operation: ScheduledOperation, looksFirst: boolean): Promise<Attempt> {
  const { workflow, workflowId, kind, input, summary, settle, makesBackup } = operation;
  try {
    if (makesBackup && looksFirst) {
      await control('decide', 'see that the repository was not lost').requireNotLost({ group: input.group });
    }
    const result: unknown = await executeChild(workflow, {
      workflowId,
      args: [input],
      taskQueue: workflowInfo().taskQueue,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      typedSearchAttributes: operationAttributes(input.group, kind),
      staticSummary: summary,
      memo: { requestedBy: input.requestedBy },
    });
    return { end: 'done', found: settle(result) };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return { end: 'busy', message: `another operation runs under ${workflowId}` };
    }
    if (isCancellation(error)) throw error;
    const root = rootOf(error);
    const message = root instanceof Error ? root.message : String(root);
    return { end: mayPass(root) ? 'again' : 'failed', message, error };
  }
}

/** By the table of errors; a worker that was lost is another one the next time. */
function mayPass(root: unknown): boolean {
  if (root instanceof TimeoutFailure) return true;
  return root instanceof ApplicationFailure && isErrorCode(root.type) && ERRORS[root.type].retry !== 'never';
}
