import type { CleanupData } from '../../contract/cleanup.ts';
import type { BackupRecord } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { byId, neededBy } from '../../domain/lineage.ts';
import type { Operation } from '../../domain/operation.ts';
import { type Locked, unlessLocked } from '../../repository/cleanup/unless-locked.ts';
import { epochName } from '../../repository/journals/journal-keys.ts';
import type { Repository } from '../../repository/repository.ts';

export type HideRemoved = Parameters<CleanupData['hideRemoved']>[0] & {
  /** Of a target's own rules. */
  readonly scope?: 'target';
};

/** See CleanupData.hideRemoved. */
export async function hideRemoved(
  repository: Repository,
  { at, backups, epochs, includeDamaged = false, scope }: HideRemoved,
  operation: Operation,
): Promise<void> {
  const ids = backups.map(({ id }) => id);
  const listed = await requireUnneeded(repository, ids);
  const lineage = byId(listed);
  const damaged = new Set(listed.filter(({ status }) => status === 'damaged').map(({ id }) => id));
  const digests = ids.some((id) => damaged.has(id)) ? await repository.cleanup.knownDigests() : new Map();
  const why = { removedAt: at, ...(scope === undefined ? {} : { scope }) };
  // What stands on others goes before them: whatever dies on the way, nothing is listed without what it needs. Not by id: a clock may
  // have been set back between the two.
  const under = new Map(ids.map((id) => [id, neededBy(id, lineage).ids.length]));
  for (const { id, reasons } of backups.toSorted((a, b) => (under.get(b.id) ?? 0) - (under.get(a.id) ?? 0))) {
    operation.signal.throwIfAborted();
    const told = { ...why, reasons: reasons.map(({ message }) => message) };
    await (damaged.has(id)
      ? repository.cleanup.hideDamaged(id, { ...told, force: includeDamaged, digests })
      : repository.cleanup.hideBackup(id, told));
    operation.onProgress({ phase: 'removing', object: id, bytes: 0 });
  }
  for (const kind of ['postgres', 'redis'] as const) {
    const wanted = epochs.filter((epoch) => epoch.kind === kind);
    if (wanted.length === 0) continue;
    const { epochs: present } = await repository.journals.catalog(kind);
    for (const epoch of present) {
      operation.signal.throwIfAborted();
      const { begin } = epoch;
      if (!wanted.some((one) => one.history === begin.history && one.epoch === begin.epoch)) continue;
      await repository.cleanup.hideEpoch(epoch, why);
      operation.onProgress({ phase: 'removing', object: `journals/${kind}`, bytes: 0 });
    }
  }
}

/** The plan was made a moment ago, maybe by another worker: what matters most is looked at again. */
async function requireUnneeded(repository: Repository, ids: readonly string[]): Promise<readonly BackupRecord[]> {
  const going = new Set(ids);
  const listed = await repository.list();
  const lineage = byId(listed);
  for (const { id, holds } of listed) {
    if (going.has(id)) {
      if (holds.length > 0) throw stillNeeded(id, `it is held: ${holds.join('; ')}`);
      continue;
    }
    const under = neededBy(id, lineage).ids.find((one) => going.has(one));
    if (under !== undefined) throw stillNeeded(under, `${id} stands on it`);
  }
  return listed;
}

/** What is locked of interrupted runs is told up to here; more only lengthens the answer. */
export const LOCKED_TOLD = 100;

/** Second half; refuses what a listed backup stands on. What the store keeps locked is named, and left to a later run. */
export async function purgeHidden(
  repository: Repository,
  { backupIds, epochs }: Parameters<CleanupData['purgeHidden']>[0],
  operation: Operation,
): Promise<{ readonly bytes: number; readonly locked: readonly Locked[] }> {
  await requireUnneeded(repository, backupIds);
  const locked: Locked[] = [];
  let bytes = 0;
  // Newest first here, too: what is left of a chain when this dies can still be brought back.
  for (const backupId of backupIds.toSorted().toReversed()) {
    const purge = async (): Promise<number> => repository.cleanup.purgeBackup(backupId, operation);
    bytes += (await unlessLocked(backupId, locked, purge)) ?? 0;
  }
  for (const epoch of epochs) {
    const purge = async (): Promise<number> => repository.cleanup.purgeEpoch(epoch, operation);
    bytes += (await unlessLocked(epochName(epoch), locked, purge)) ?? 0;
  }
  return { bytes, locked };
}

export function stillNeeded(id: string, what: string): LifeboatError {
  return new LifeboatError('BACKUP_STILL_NEEDED', `remove ${id}: ${what}`, { details: { backupId: id } });
}
