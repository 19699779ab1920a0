import type { Client } from '@temporalio/client';
import type { CleanupInput, CleanupResult, HoldInput, HoldResult } from '../contract/cleanup.ts';
import { besideWorkflowId, groupWorkflowId, WORKFLOWS } from '../contract/names.ts';
import { startOperation, type StartedOperation } from './operation.ts';

/** Where and for whom. */
interface Asking {
  readonly client: Client;
  readonly group: string;
  readonly requestedBy: string;
}

export interface CleanupOptions {
  /** Only say what would be removed. */
  readonly dryRun?: boolean;
}

/** A dry run changes nothing and runs beside whatever holds the group. @throws LifeboatError GROUP_BUSY */
export async function startCleanup(
  { client, group, requestedBy }: Asking,
  { dryRun = false }: CleanupOptions = {},
): Promise<StartedOperation<CleanupResult>> {
  const input: CleanupInput = { group, requestedBy, dryRun };
  return startOperation(client, {
    workflow: WORKFLOWS.cleanup,
    workflowId: dryRun ? besideWorkflowId(group, 'cleanup', 'dry-run') : groupWorkflowId(group),
    kind: 'cleanup',
    summary: `${dryRun ? 'dry run of a cleanup' : 'cleanup'}, asked for by ${requestedBy}`,
    input,
    group,
    requestedBy,
  });
}

/** `reason` null releases. @throws LifeboatError GROUP_BUSY */
export async function startHold(
  { client, group, requestedBy }: Asking,
  backup: string,
  reason: string | null,
): Promise<StartedOperation<HoldResult>> {
  const input: HoldInput = { group, requestedBy, backup, reason };
  return startOperation(client, {
    workflow: WORKFLOWS.hold,
    workflowId: groupWorkflowId(group),
    kind: 'hold',
    summary: `${reason === null ? 'release' : 'hold'} of ${backup}, asked for by ${requestedBy}`,
    input,
    group,
    requestedBy,
  });
}
