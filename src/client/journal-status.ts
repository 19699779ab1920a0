import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { JournalFacts } from '../contract/journal-facts.ts';
import { journalWorkflowId, SEARCH_ATTRIBUTES } from '../contract/names.ts';
import type { JournalKind } from '../domain/journal.ts';
import { judgeJournal } from '../domain/journal-state.ts';
import type { JournalCondition, JournalRun } from '../domain/journal-state.ts';

/** How one journal is: what repository and server say, and what the run that keeps it says. */
export interface JournalStatus extends JournalFacts, JournalCondition {
  readonly workflowId: string;
  readonly lagSeconds: number | null;
  readonly retainedBytes: number | null;
  readonly safeWalBytes: number | null;
  /** Why the last attempt to follow ended; null since one has gone on. */
  readonly lastFailure: string | null;
}

/** Joins what was read with the runs, as they are now. */
export async function readJournalStatus(
  client: Client,
  group: string,
  facts: readonly JournalFacts[],
): Promise<JournalStatus[]> {
  return Promise.all(facts.map(async (one) => joinStatus(one, await viewRun(client, group, one.kind), group)));
}

function joinStatus(facts: JournalFacts, run: JournalRun | null, group: string): JournalStatus {
  const { kind, durable, slot } = facts;
  const lagSeconds = durable === null ? null : Math.max(0, (Date.now() - Date.parse(durable.time)) / 1_000);
  return {
    ...facts,
    ...judgeJournal({ ...facts, lagSeconds }, run),
    workflowId: journalWorkflowId(kind, group),
    lagSeconds,
    retainedBytes: slot?.exists ? slot.retainedBytes : null,
    safeWalBytes: slot?.safeWalBytes ?? null,
    lastFailure: run?.activity?.lastFailure ?? run?.details ?? null,
  };
}

const PHASE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);
/** temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED. */
const STARTED = 2;

async function viewRun(client: Client, group: string, kind: JournalKind): Promise<JournalRun | null> {
  const handle = client.workflow.getHandle(journalWorkflowId(kind, group));
  try {
    const { status, typedSearchAttributes, raw } = await handle.describe();
    if (status.name !== 'RUNNING') return null;
    const phase = typedSearchAttributes.get(PHASE) ?? null;
    return {
      phase,
      details: phase === 'alarm' ? await ownWords(handle) : null,
      activity: viewActivity(raw.pendingActivities?.[0]),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

type Described = Awaited<ReturnType<WorkflowHandle['describe']>>['raw'];

function viewActivity(
  pending: NonNullable<Described['pendingActivities']>[number] | undefined,
): JournalRun['activity'] {
  if (pending === undefined) return null;
  const attempt = pending.attempt ?? 1;
  const waiting = attempt > 1 ? 'backing-off' : 'queued';
  const state = Number(pending.state) === STARTED ? 'running' : waiting;
  return { state, attempt, lastFailure: pending.lastFailure?.message ?? null };
}

/** The run's current details, which the Temporal Web UI shows, without its heading. */
async function ownWords(handle: WorkflowHandle): Promise<string | null> {
  try {
    const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return (currentDetails ?? '').split('\n\n')[1]?.replace(/^alarm: /, '') ?? null;
  } catch {
    // Only a worker can answer it: that there is an alarm is known without.
    return null;
  }
}
