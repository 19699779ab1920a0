import type { Client } from '@temporalio/client';
import { besideWorkflowId, WORKFLOWS } from '../contract/names.ts';
import type { VerifyOldestInput, VerifyOldestResult } from '../contract/verification.ts';
import type { VerificationBudget } from '../domain/oldest-first.ts';
import { startOperation } from './operation.ts';
import type { StartedOperation } from './operation.ts';

/** Reads back what was read back longest ago; one such run at a time for a group. @throws LifeboatError GROUP_BUSY */
export async function startVerifyOldest(
  context: { readonly client: Client; readonly group: string; readonly requestedBy: string },
  budget: VerificationBudget,
): Promise<StartedOperation<VerifyOldestResult>> {
  const { client, group, requestedBy } = context;
  const input: VerifyOldestInput = { group, requestedBy, budget };
  return startOperation(client, {
    workflow: WORKFLOWS.verifyOldest,
    workflowId: besideWorkflowId(group, 'verify', 'oldest'),
    kind: 'verify',
    summary: `verification of the oldest, asked for by ${requestedBy}`,
    input,
    group,
    requestedBy,
  });
}
