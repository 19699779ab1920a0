import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { backupPrefix, beginKey, dataKeyKey, manifestKey } from '../layout.ts';
import { mapBounded } from '../map-bounded.ts';

const REMOVALS_AT_ONCE = 16;

/**
 * Removes an unpublished backup. `begin.json` goes last: until then the id stays taken, and a discard that was
 * interrupted can be repeated.
 */
export async function discardBackup(store: ObjectStore, backupId: string): Promise<void> {
  if ((await store.head(manifestKey(backupId))) !== undefined) {
    throw new LifeboatError('BACKUP_PUBLISHED', `discard ${backupId}: it is published`, { details: { backupId } });
  }
  const keys: string[] = [];
  for await (const { key } of store.list(backupPrefix(backupId))) {
    if (key !== beginKey(backupId)) keys.push(key);
  }
  await mapBounded(keys, REMOVALS_AT_ONCE, (key) => store.remove(key));
  await store.remove(dataKeyKey(backupId));
  // Of any age: a write that still runs for a discarded backup shall fail.
  await store.removeLeftovers(backupPrefix(backupId), 0);
  await store.remove(beginKey(backupId));
}
