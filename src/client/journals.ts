import type { Client } from '@temporalio/client';
import type { JournalInput } from '../contract/journal.ts';
import { journalWorkflowId, WORKFLOWS } from '../contract/names.ts';
import type { JournalKind } from '../domain/journal.ts';
import { endRun, ensureRun } from './operation.ts';

export interface KeepJournal {
  readonly group: string;
  readonly kind: JournalKind;
  readonly requestedBy: string;
}

/** Starts the run that keeps a journal, or leaves it when it runs: safe to repeat, one per group and kind. */
export async function ensureJournal(client: Client, { group, kind, requestedBy }: KeepJournal): Promise<void> {
  const input: JournalInput = { group, kind, requestedBy };
  await ensureRun(client, {
    workflow: WORKFLOWS.journal,
    workflowId: journalWorkflowId(kind, group),
    group,
    kind: 'journal',
    summary: `keeps the journal of ${kind}`,
    requestedBy,
    input,
  });
}

/** Ends the run that keeps a journal, where there is one: what it has kept stays. Safe to repeat. */
export async function endJournal(
  client: Client,
  { group, kind, requestedBy, reason }: KeepJournal & { readonly reason: string },
): Promise<void> {
  await endRun(client, journalWorkflowId(kind, group), { reason, by: requestedBy });
}
