import { LifeboatError } from '../domain/errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { canonicalJson } from './canonical-json.ts';
import { restoreKey } from './layout.ts';
import { parseJson, putOnce, readSmallObject } from './small-object.ts';

/** `restores/<restoreId>.json`. The same record again is a success; another one rejects with STORE_KEY_EXISTS. */
export async function keepRestore(store: ObjectStore, record: { readonly restoreId: string }): Promise<void> {
  await putOnce(store, restoreKey(record.restoreId), canonicalJson(record));
}

/** The record as it was kept. RESTORE_NOT_FOUND; OBJECT_DAMAGED where it is no record any more. */
export async function loadRestore(store: ObjectStore, restoreId: string): Promise<unknown> {
  const key = restoreKey(restoreId);
  const bytes = await readSmallObject(store, key);
  if (bytes === undefined) {
    throw new LifeboatError('RESTORE_NOT_FOUND', `restore ${restoreId}: not in ${store.url}`, {
      details: { restoreId },
    });
  }
  const record = parseJson(bytes);
  if (record !== undefined && canonicalJson(record).equals(bytes)) return record;
  throw new LifeboatError('OBJECT_DAMAGED', `read ${key}: not as it was written`, { details: { key } });
}
