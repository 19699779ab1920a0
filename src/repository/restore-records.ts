import { LifeboatError } from '../domain/errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { canonicalJson } from './canonical-json.ts';
import { restoreKey } from './layout.ts';
import { putOnce, readCanonical } from './small-object.ts';

/** `restores/<restoreId>.json`. The same record again is a success; another one rejects with STORE_KEY_EXISTS. */
export async function keepRestore(store: ObjectStore, record: { readonly restoreId: string }): Promise<void> {
  await putOnce(store, restoreKey(record.restoreId), canonicalJson(record));
}

/** The record as it was kept. RESTORE_NOT_FOUND; OBJECT_DAMAGED where it is no record any more. */
export async function loadRestore(store: ObjectStore, restoreId: string): Promise<unknown> {
  const key = restoreKey(restoreId);
  const record = await readCanonical(store, key);
  if (record === undefined) {
    throw new LifeboatError('RESTORE_NOT_FOUND', `restore ${restoreId}: not in ${store.url}`, {
      details: { restoreId },
    });
  }
  return record;
}
