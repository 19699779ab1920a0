import type { Client } from '@temporalio/client';
import type { CleanupInput, CleanupResult, CleanupTargetResult, HoldInput, HoldResult } from '../contract/cleanup.ts';
import { besideWorkflowId, groupWorkflowId, WORKFLOWS } from '../contract/names.ts';
import { type LifeboatError, toLifeboatError } from '../domain/errors.ts';
import { attachOperation, startOperation, type StartedOperation } from './operation.ts';

/** Where and for whom. */
interface Asking {
  readonly client: Client;
  readonly group: string;
  readonly requestedBy: string;
}

export interface CleanupOptions {
  /** Only say what would be removed. */
  readonly dryRun?: boolean;
  /** Damaged backups go whatever their age. */
  readonly includeDamaged?: boolean;
}

/** What came of the cleanup of one target. */
export type TargetCleanupOutcome =
  | (CleanupTargetResult & { readonly error: null })
  | { readonly target: string; readonly error: LifeboatError };

/** Waits for the runs that a cleanup has started at the targets; one that failed is an outcome, and holds up no other. */
export async function awaitTargetCleanups(
  client: Client,
  { targets = [] }: Pick<CleanupResult, 'targets'>,
): Promise<readonly TargetCleanupOutcome[]> {
  return Promise.all(
    targets.map(async ({ target, workflowId }) => {
      try {
        const started = await attachOperation<CleanupTargetResult>(client, workflowId);
        return { ...(await started.result()), error: null };
      } catch (error) {
        return { target, error: toLifeboatError(error) };
      }
    }),
  );
}

/** A dry run changes nothing and runs beside whatever holds the group. @throws LifeboatError GROUP_BUSY */
export async function startCleanup(
  { client, group, requestedBy }: Asking,
  { dryRun = false, includeDamaged = false }: CleanupOptions = {},
): Promise<StartedOperation<CleanupResult>> {
  const input: CleanupInput = { group, requestedBy, dryRun, ...(includeDamaged ? { includeDamaged } : {}) };
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
