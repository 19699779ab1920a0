import type { Client } from '@temporalio/client';
import type { CopyJournalsInput } from '../contract/replication.ts';
import { copyJournalsWorkflowId, WORKFLOWS } from '../contract/names.ts';
import { ensureRun } from './operation.ts';

/** Starts the run that brings the journals to a target, or leaves it when it runs: safe to repeat, one per group and target. */
export async function ensureJournalCopies(client: Client, input: CopyJournalsInput): Promise<void> {
  const { group, target, requestedBy } = input;
  await ensureRun(client, {
    workflow: WORKFLOWS.copyJournals,
    workflowId: copyJournalsWorkflowId(group, target),
    group,
    kind: 'journal-copy',
    summary: `brings the journals to ${target}`,
    requestedBy,
    input,
  });
}
