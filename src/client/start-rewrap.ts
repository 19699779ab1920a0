import type { Client } from '@temporalio/client';
import type { RewrapResult } from '../contract/keys.ts';
import { besideWorkflowId, WORKFLOWS } from '../contract/names.ts';
import { startOperation } from './operation.ts';
import type { StartedOperation } from './operation.ts';

/** Wraps all data keys again: one run at a time for a group, beside whatever else it does. @throws LifeboatError GROUP_BUSY */
export async function startRewrap({
  client,
  ...asked
}: {
  readonly client: Client;
  readonly group: string;
  readonly requestedBy: string;
}): Promise<StartedOperation<RewrapResult>> {
  const { group, requestedBy } = asked;
  return startOperation(client, {
    workflow: WORKFLOWS.rewrap,
    workflowId: besideWorkflowId(group, 'keys', 'rewrap'),
    kind: 'rewrap',
    summary: `wrapping all data keys again, asked for by ${requestedBy}`,
    input: { group, requestedBy },
    group,
    requestedBy,
  });
}
