import type { Client } from '@temporalio/client';
import type { CopyJournalsInput } from '../contract/replication.ts';
import { copyJournalsWorkflowId, taskQueue, WORKFLOWS } from '../contract/names.ts';
import { operationAttributes } from './operation.ts';

/** Starts the run that brings the journals to a target, or leaves it when it runs: safe to repeat, one per group and target. */
export async function ensureJournalCopies(client: Client, input: CopyJournalsInput): Promise<void> {
  const { group, target, requestedBy } = input;
  await client.workflow.start(WORKFLOWS.copyJournals, {
    workflowId: copyJournalsWorkflowId(group, target),
    taskQueue: taskQueue('control', group),
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `brings the journals to ${target}`,
    memo: { requestedBy },
    typedSearchAttributes: operationAttributes(group, 'journal-copy'),
  });
}
