import type { HoldInput, HoldResult } from '../../contract/cleanup.ts';
import type { BackupRecord } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { byId, neededBy } from '../../domain/lineage.ts';
import { loadHidden } from '../../recovery/cleanup/plan-cleanup.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Dependencies } from '../dependencies.ts';
import { openExisting, requireNotLost } from '../lost-repository.ts';

/**
 * See CleanupControl.changeHold. Never makes a repository: one that was begun anew would hold nothing of what is held.
 * @throws LifeboatError REPOSITORY_LOST, REPOSITORY_MISSING, BACKUP_*
 */
export async function changeHold(
  deps: Pick<Dependencies, 'repository' | 'hasRepository' | 'targets'>,
  { backup: asked, reason, requestedBy }: HoldInput,
  changedAt: string,
): Promise<HoldResult> {
  await requireNotLost(deps);
  const repository = await openExisting(deps);
  const manifest = await repository.load(asked);
  const { id } = manifest;
  const { holds } = await repository.record(manifest);
  const recalled = reason === null ? [] : await findHiddenUnder(repository, id);
  const change = { changedAt, changedBy: requestedBy };
  await repository.cleanup.writeHolds(id, { ...change, holds: reason === null ? [] : [...holds, reason] });
  // The oldest first: nothing is listed without what it stands on.
  for (const one of recalled) await repository.cleanup.recallBackup(one);
  return { backup: await repository.record(manifest), recalled };
}

/**
 * What a cleanup has hidden of a backup and of all that it stands on, oldest first.
 * @throws LifeboatError BACKUP_CHAIN_BROKEN where a part of that has gone already
 */
async function findHiddenUnder({ cleanup, ...repository }: Repository, id: string): Promise<string[]> {
  const hidden: BackupRecord[] = [];
  for (const { backupId } of await cleanup.hiddenBackups()) {
    const manifest = await loadHidden(repository, backupId);
    if (manifest !== undefined && manifest !== 'damaged') hidden.push(await repository.record(manifest));
  }
  const hiddenIds = new Set(hidden.map((one) => one.id));
  const { ids, missing } = neededBy(id, byId([...(await repository.list()), ...hidden]));
  const recalled = ids.filter((one) => hiddenIds.has(one));
  if (recalled.length === 0 || missing.length === 0) return recalled;
  const facts = `it stands on ${missing.join(', ')}, whose objects are gone`;
  throw new LifeboatError('BACKUP_CHAIN_BROKEN', `bring ${id} back: ${facts}`, { details: { missing } });
}
