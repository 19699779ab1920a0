import { LifeboatError } from '../../domain/errors.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { removalKey } from '../layout.ts';
import { listBackupIds, loadManifest } from '../manifest/load-manifest.ts';
import { mapBounded } from '../map-bounded.ts';
import { sha256Of } from '../small-object.ts';
import { hiddenAmong, readRemoval, removalPlace } from './removal-record.ts';
import { writeRecord } from './signed-record.ts';
import type { HiddenBackup, RemovalReason } from './repository-cleanup.ts';

const READS_AT_ONCE = 16;

/**
 * First half of a removal: from now on the backup is not listed, and can still be read by whoever reads it already. Safe to repeat.
 * @throws LifeboatError BACKUP_NOT_FOUND, MANIFEST_*: what cannot be trusted is not removed
 */
export async function hideBackup(context: WriterContext, backupId: string, why: RemovalReason): Promise<void> {
  if ((await readRemoval(context, backupId)) !== undefined) return;
  const { manifest, bytes } = await loadManifest(context, backupId);
  await writeRecord(context, removalPlace(backupId), {
    version: 1,
    repositoryId: context.id,
    group: context.group,
    backupId,
    manifestSha256: sha256Of(bytes),
    previousManifest: manifest.previousManifest,
    ...why,
    reasons: [...why.reasons],
  });
}

/**
 * Takes the first half back: the backup is listed again. Safe to repeat; nothing happens to one that was not removed.
 * @throws LifeboatError BACKUP_NOT_FOUND when its objects have begun to go
 */
export async function recallBackup(context: WriterContext, backupId: string): Promise<void> {
  // The manifest is the first that goes: while it is there, all is.
  await loadManifest(context, backupId);
  await context.store.remove(removalKey(backupId));
}

/** Oldest first. */
export async function listHidden(context: RepositoryContext): Promise<HiddenBackup[]> {
  const ids = await listBackupIds(context.store);
  const hidden = [...(await hiddenAmong(context, ids))].toSorted();
  return mapBounded(hidden, READS_AT_ONCE, async (backupId) => {
    const removal = await readRemoval(context, backupId);
    const head = await context.store.head(removalKey(backupId));
    if (removal === undefined || head === undefined) {
      throw new LifeboatError('INTERNAL', `removal of ${backupId}: its record went away while it was read`);
    }
    return { backupId, hiddenMs: Math.max(Date.parse(removal.removedAt), head.modifiedAt.getTime()) };
  });
}
