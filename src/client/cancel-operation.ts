import type { Client } from '@temporalio/client';
import type { CancelRequest } from '../contract/messages.ts';
import { SIGNALS } from '../contract/names.ts';
import { LifeboatError } from '../domain/errors.ts';
import { attachOperation } from './operation.ts';
import { fromWorkflowError } from './failure.ts';

export interface CancelledOperation {
  readonly workflowId: string;
  readonly runId: string;
  /**
   * Waits until it has cleaned up. @throws LifeboatError OPERATION_NOT_FOUND where it completed before it heard of the cancellation; the
   * code of any other end than the one that was asked for
   */
  ended(): Promise<void>;
}

/**
 * Asks a running operation to stop; the reason stands in its history.
 * @throws LifeboatError OPERATION_NOT_FOUND when none runs under the id, also when it ends at this very moment
 */
export async function cancelOperation(
  client: Client,
  workflowId: string,
  request: CancelRequest,
): Promise<CancelledOperation> {
  const { handle, runId, result } = await attachOperation(client, workflowId);
  const { status } = await handle.describe();
  if (status.name !== 'RUNNING') throw endedBefore(workflowId, status.name);
  try {
    await handle.signal<[CancelRequest]>(SIGNALS.cancel, request);
  } catch (error) {
    const cause = fromWorkflowError(error, workflowId);
    if (!(cause instanceof LifeboatError) || cause.code !== 'OPERATION_NOT_FOUND') throw cause;
    // It was there a moment ago: how it ended is what is asked now.
    throw endedBefore(workflowId, (await handle.describe()).status.name);
  }
  const ended = async (): Promise<void> => {
    try {
      await result();
    } catch (error) {
      if (error instanceof LifeboatError && error.code === 'OPERATION_CANCELLED') return;
      throw error;
    }
    throw endedBefore(workflowId, 'COMPLETED');
  };
  return { workflowId, runId, ended };
}

function endedBefore(workflowId: string, status: string): LifeboatError {
  return new LifeboatError('OPERATION_NOT_FOUND', `${workflowId} does not run: it is ${status.toLowerCase()}`);
}
