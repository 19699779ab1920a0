import type { Client } from '@temporalio/client';
import type { JournalInput } from '../contract/journal.ts';
import { journalWorkflowId, taskQueue, WORKFLOWS } from '../contract/names.ts';
import type { JournalKind } from '../domain/journal.ts';
import { operationAttributes } from './operation.ts';

export interface KeepJournal {
  readonly group: string;
  readonly kind: JournalKind;
  readonly requestedBy: string;
}

/** Starts the run that keeps a journal, or leaves it when it runs: safe to repeat, one per group and kind. */
export async function ensureJournal(client: Client, { group, kind, requestedBy }: KeepJournal): Promise<void> {
  const input: JournalInput = { group, kind, requestedBy };
  await client.workflow.start(WORKFLOWS.journal, {
    workflowId: journalWorkflowId(kind, group),
    taskQueue: taskQueue('control', group),
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `keeps the journal of ${kind}`,
    memo: { requestedBy },
    typedSearchAttributes: operationAttributes(group, 'journal'),
  });
}
