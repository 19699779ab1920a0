import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { continueAsNew, ParentClosePolicy, sleep, startChild, workflowInfo } from '@temporalio/workflow';
import type { FollowEnd, JournalInput } from '../contract/journal.ts';
import { groupWorkflowId, WORKFLOWS } from '../contract/names.ts';
import type { JournalKind } from '../domain/journal.ts';
import { journal } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { failureOf } from './support/compensation.ts';
import { operationAttributes, trackProgress } from './support/progress.ts';
import type { WorkflowProgress } from './support/progress.ts';

/** Rounds of one run: keeps a history below a few hundred events. */
const ROUNDS = 20;
/** Between two tries when the journal cannot go on (a wrong password, a missing right): somebody has to act first. */
const TROUBLE_PAUSE = '30 seconds';
/** The group is busy with something else for so long at most; then the next gap or person asks again. */
const BUSY_PAUSE = '1 minute';
const BUSY_TRIES = 240;

const WHAT: Record<JournalKind, string> = { postgres: 'the WAL of PostgreSQL', redis: 'the stream of Redis' };

/**
 * Keeps a journal for ever: follows the server, hands over to another worker when one dies, says what is wrong while it
 * cannot, and has a full backup taken when what comes cannot be joined to what was.
 */
export async function journalWorkflow(input: JournalInput): Promise<void> {
  const { kind, group } = input;
  const progress = trackProgress(`journal of ${kind} of group ${group}`);
  await cancellable(progress, async () => {
    // Beside the journal, which must not wait for the group's lock.
    const bases: Promise<void>[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      progress.enter('following', WHAT[kind]);
      const end = await follow(progress, input);
      if (end?.end === 'new-base-needed') bases.push(takeNewBase(progress, input, end));
    }
    await Promise.all(bases);
  });
  await continueAsNew<typeof journalWorkflow>(input);
}

/** One activity's time; undefined when it could not go on. */
async function follow(progress: WorkflowProgress, { kind, group }: JournalInput): Promise<FollowEnd | undefined> {
  const { followPostgres, followRedis } = journal(`follow ${WHAT[kind]}`);
  try {
    return await (kind === 'postgres' ? followPostgres({ group }) : followRedis({ group }));
  } catch (error) {
    const { message, type } = failureOf(error);
    progress.enter('alarm', `${type}: ${message}; tried again every ${TROUBLE_PAUSE}`);
    await sleep(TROUBLE_PAUSE);
    return undefined;
  }
}

/** Starts a full backup under the group's lock, when that is free. */
async function takeNewBase(
  progress: WorkflowProgress,
  { kind, group, requestedBy }: JournalInput,
  { code, message }: Extract<FollowEnd, { end: 'new-base-needed' }>,
): Promise<void> {
  progress.note(`${code}: ${message}; a full backup follows`);
  const label = { reason: 'journal-gap', code };
  const args = [{ group, requestedBy, kind: 'full', components: 'configured', label, hold: null }];
  for (let attempt = 0; attempt < BUSY_TRIES; attempt += 1) {
    try {
      const workflowId = groupWorkflowId(group);
      await startChild(WORKFLOWS.backup, {
        workflowId,
        args,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        taskQueue: workflowInfo().taskQueue,
        typedSearchAttributes: operationAttributes(group, 'full'),
        staticSummary: `full backup, because of ${code} in the journal of ${kind}`,
      });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(BUSY_PAUSE);
    }
  }
}
