import type { BackupRecord, Problem } from '../../domain/backup.ts';
import type { JournalKind } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { epochRemovalKey } from '../cleanup/epoch-removal.ts';
import { removedHere } from '../cleanup/removed-here.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { holdKey, removalKey } from '../layout.ts';
import { listBackups } from '../read/list-backups.ts';
import { copyBackup, copyKey, isCopied } from './copy-backup.ts';
import { copyJournal } from './copy-journal.ts';
import { copySmall } from './copy-object.ts';
import { copyRemovals } from './copy-records.ts';
import { chooseCopies } from './choose-copies.ts';
import { placesToCopy, type RemovedEpochs } from './places-to-copy.ts';
import { beginCopying, type Copying } from './copying.ts';
import { orProblem } from './or-problem.ts';
import { ensureSameRepository } from './same-repository.ts';
import type { Replicated, ReplicateRequest } from './replicated.ts';

/**
 * Brings backups and journals to a target, object by object, as they are stored. Journals come before manifests: what an
 * incremental backup stands on is there when it is listed. What is damaged at the source holds up nothing else.
 * @throws LifeboatError TARGET_FOREIGN, TARGET_COPY_WRONG, STORE_*
 */
export async function replicate(
  context: WriterContext,
  to: ObjectStore,
  request: ReplicateRequest & { readonly operation: Operation },
): Promise<Replicated> {
  const { backup, check, operation } = request;
  const copying = beginCopying({ from: context.store, to, check, operation });
  await ensureSameRepository(context, to);
  const removed = await removedHere({ ...context, store: to });
  const { wanted, recalled } = chooseCopies(await listBackups(context), backup, removed);
  const problems: Problem[] = [];
  await copyRemovals(context, copying, removed);
  const epochs = { removed: removed.epochs, wanted, hasRecalled: recalled.size > 0 };
  for (const kind of ['postgres', 'redis'] as const) {
    await orProblem(problems, `journals/${kind}`, async () => copyKind(context, copying, { kind, epochs }));
  }
  const backups: string[] = [];
  let present = 0;
  for (const record of wanted) {
    await orProblem(problems, record.id, async () => {
      const isRecalled = recalled.has(record.id);
      if ((await copyOne(context, copying, { record, isRecalled })) === 'copied') backups.push(record.id);
      else present += 1;
    });
  }
  const { copied: objects, bytes } = copying.done;
  return { backups, present, objects, bytes, problems };
}

/** What comes again is looked at byte for byte, and is in the catalog there once it is whole. */
async function copyKind(
  context: RepositoryContext,
  copying: Copying,
  { kind, epochs }: { readonly kind: JournalKind; readonly epochs: RemovedEpochs },
): Promise<void> {
  const { places, recalled } = await placesToCopy(context, kind, epochs);
  await copyJournal(context, { ...copying, check: 'digest' }, { kind, places: recalled });
  for (const place of recalled) await copying.to.remove(epochRemovalKey(place));
  await copyJournal(context, copying, { kind, places });
}

/** A backup that the target lists is whole there, since its manifest came last; only its key may be newer. */
async function copyOne(
  context: WriterContext,
  copying: Copying,
  { record: { id, encrypted }, isRecalled }: { readonly record: BackupRecord; readonly isRecalled: boolean },
): Promise<'copied' | 'present'> {
  await copySmall(copying, holdKey(id));
  if (isRecalled) {
    const copied = await copyBackup(context, copying, id);
    // Last: until all of it is there again, it is not listed.
    await copying.to.remove(removalKey(id));
    return copied;
  }
  if (copying.check === 'size' && (await isCopied(context, copying.to, id))) {
    await copyKey(copying, { id, encrypted });
    return 'present';
  }
  return copyBackup(context, copying, id);
}
