import { z } from 'zod';
import type { ObjectStore } from '../../storage/object-store.ts';
import { canonicalJson } from '../canonical-json.ts';
import { verifiedKey } from '../layout.ts';
import { parseJson, readSmallObject, sha256Of } from '../small-object.ts';

/** `verified/<backupId>.json`: when a backup was last read back and found sound. Unsigned; for people only. */
const MARK = z.looseObject({ manifestSha256: z.string(), verifiedAt: z.iso.datetime() });

export async function writeVerifiedMark(store: ObjectStore, backupId: string, manifest: Buffer): Promise<void> {
  const mark = { version: 1, backupId, manifestSha256: sha256Of(manifest), verifiedAt: new Date().toISOString() };
  await store.put(verifiedKey(backupId), canonicalJson(mark));
}

/** Null where there is none, or where it speaks of another manifest. */
export async function readVerifiedAt(store: ObjectStore, backupId: string, manifest: Buffer): Promise<string | null> {
  const bytes = await readSmallObject(store, verifiedKey(backupId));
  const mark = bytes && MARK.safeParse(parseJson(bytes)).data;
  return mark?.manifestSha256 === sha256Of(manifest) ? mark.verifiedAt : null;
}
