import type { RepositoryContext } from '../context.ts';
import type { RemovedHere } from '../cleanup/repository-cleanup.ts';
import { isBackupId, manifestKey, REMOVALS_PREFIX } from '../layout.ts';
import { copySmall } from './copy-object.ts';
import type { Copying } from './copying.ts';

const RECORD = '.json';

/**
 * Brings the signed records of removals along: a target that never had a backup, or an epoch of a journal, needs to know why it is missing.
 * What a target has stays there, listed, however long ago it was removed from the repository; so its record is not brought. A record whose
 * backup was called back goes from the target, too; one of the target's own rules stays.
 */
export async function copyRemovals(
  { store }: Pick<RepositoryContext, 'store'>,
  copying: Copying,
  { backupIds, epochs }: RemovedHere,
): Promise<void> {
  const { to, operation } = copying;
  const own = new Set([...backupIds, ...epochs]);
  for await (const { key } of store.list(REMOVALS_PREFIX)) {
    operation.signal.throwIfAborted();
    if ((await to.head(headOf(key))) === undefined) await copySmall(copying, key);
  }
  for await (const { key } of to.list(REMOVALS_PREFIX)) {
    operation.signal.throwIfAborted();
    if (!own.has(key.slice(REMOVALS_PREFIX.length, -RECORD.length)) && (await store.head(key)) === undefined) {
      await to.remove(key);
    }
  }
}

/** What is there as long as the removed thing is: a manifest, or the beginning of an epoch. */
function headOf(key: string): string {
  const name = key.slice(REMOVALS_PREFIX.length, -RECORD.length);
  return isBackupId(name) ? manifestKey(name) : `${name}/begin.json`;
}
