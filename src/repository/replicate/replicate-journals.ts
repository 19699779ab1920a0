import { type Problem, JOURNAL_START } from '../../domain/backup.ts';
import type { JournalKind } from '../../domain/journal.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { removedAmong } from '../cleanup/epoch-removal.ts';
import { removedHere } from '../cleanup/removed-here.ts';
import type { WriterContext } from '../context.ts';
import { listEpochs } from '../journals/list-epochs.ts';
import { listBackups } from '../read/list-backups.ts';
import { copyBackup, isCopied } from './copy-backup.ts';
import { copyJournal } from './copy-journal.ts';
import { beginCopying, type Copying } from './copying.ts';
import { ensureSameRepository } from './same-repository.ts';
import type { JournalPass, JournalsCopied } from './replicated.ts';
import { orProblem } from './or-problem.ts';

const KINDS: readonly JournalKind[] = ['postgres', 'redis'];

/**
 * Brings the journals to a target as far as they are durable now, and the snapshots that a journal of Redis begins with. Called again
 * and again while they go on; what is damaged of one holds up the other not.
 * @throws LifeboatError TARGET_FOREIGN, TARGET_COPY_WRONG, STORE_*
 */
export async function replicateJournals(
  context: WriterContext,
  to: ObjectStore,
  { memory, operation }: JournalPass,
): Promise<JournalsCopied> {
  const copying = beginCopying({ from: context.store, to, check: 'size', operation });
  await ensureSameRepository(context, to);
  const problems: Problem[] = [];
  let hasBegun = memory.begin();
  for (const kind of KINDS) {
    await orProblem(problems, `journals/${kind}`, async () => {
      const listed = (await listEpochs(context.store, kind)).filter((place) => !memory.isFinished(place));
      const removed = await removedAmong({ ...context, store: to }, kind, listed);
      removed.forEach((place) => memory.removed(place));
      const begun = await copyJournal(context, copying, { kind, places: listed, memory });
      hasBegun ||= begun.some(({ continues }) => continues === null);
    });
  }
  if (hasBegun) await copyStarts(context, copying, problems);
  const { copied: objects, bytes } = copying.done;
  return { objects, bytes, problems };
}

/** Nobody asked for these snapshots, so that no run of their own brings them; without them a journal is worth nothing. */
async function copyStarts(context: WriterContext, copying: Copying, problems: Problem[]): Promise<void> {
  const { backupIds: removed } = await removedHere({ ...context, store: copying.to });
  const starts = (await listBackups(context)).filter(({ label }) => label['reason'] === JOURNAL_START);
  for (const { id } of starts.toReversed()) {
    if (removed.has(id) || (await isCopied(context, copying.to, id))) continue;
    await orProblem(problems, id, async () => void (await copyBackup(context, copying, id)));
  }
}
