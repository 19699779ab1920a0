import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { copyWorkflowId, SEARCH_ATTRIBUTES } from '../contract/names.ts';

/** A run that copies to a target, or waits until it may. */
export interface CopyRun {
  readonly workflowId: string;
  readonly target: string;
  /** An attempt is at work; otherwise it waits: for its time, or for the next attempt. */
  readonly isRunning: boolean;
  /** Why the last attempt ended; null before one has. */
  readonly lastFailure: string | null;
}

/** Runs that are looked at one by one: more are not needed to say how the targets are. */
const MAX_RUNS = 50;
/** temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED. */
const STARTED = 2;

/** Every run of a group that copies now. */
export async function listCopyRuns(client: Client, group: string): Promise<readonly CopyRun[]> {
  const { group: groupName, kind } = SEARCH_ATTRIBUTES;
  const query = `${groupName} = '${group}' AND ${kind} = 'copy' AND ExecutionStatus = 'Running'`;
  const runs: CopyRun[] = [];
  for await (const { workflowId } of client.workflow.list({ query, pageSize: MAX_RUNS })) {
    const run = await viewRun(client, group, workflowId);
    if (run !== null) runs.push(run);
    if (runs.length >= MAX_RUNS) break;
  }
  return runs;
}

async function viewRun(client: Client, group: string, workflowId: string): Promise<CopyRun | null> {
  const prefix = copyWorkflowId(group, '', '').slice(0, -1);
  const [target] = workflowId.startsWith(prefix) ? workflowId.slice(prefix.length).split('/') : [];
  if (target === undefined) return null;
  try {
    const { raw, status } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return null;
    const pending = raw.pendingActivities?.[0];
    const { message = null, applicationFailureInfo } = pending?.lastFailure ?? {};
    // One that waits for another copy has not failed.
    const lastFailure = applicationFailureInfo?.type === 'TARGET_BUSY' ? null : message;
    return { workflowId, target, isRunning: Number(pending?.state) === STARTED, lastFailure };
  } catch (error) {
    // Ended and forgotten between the list and the look.
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
