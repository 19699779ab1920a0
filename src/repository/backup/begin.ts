import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { ensureBackupKey } from './backup-key.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { RepositoryContext } from '../context.ts';
import { backupIdAt, beginKey, removalKey } from '../layout.ts';
import { CODEC } from '../manifest/manifest-schema.ts';
import type { BeginBackup, Codec } from '../repository.ts';
import { parseJson, readSmallObject, sha256Of } from '../small-object.ts';

/** Ids after the wanted one that are tried; one a millisecond. */
const ID_TRIES = 1000;

/** `begin.json`: takes the id. */
const BEGIN = z.strictObject({
  version: z.literal(1),
  backupId: z.string(),
  kind: z.enum(['full', 'incremental']),
  createdAt: z.string(),
  owner: z.string(),
  codec: CODEC,
  /** SHA-256 of this object without this field; finds damage, not forgery. */
  sha256: z.string(),
});
type Begin = z.infer<typeof BEGIN>;

/** Takes the first free id from `createdAt` on, or the one that the same owner took before. */
export async function beginBackup(context: RepositoryContext, request: BeginBackup): Promise<{ backupId: string }> {
  const start = new Date(request.createdAt).getTime();
  for (let offsetMs = 0; offsetMs < ID_TRIES; offsetMs += 1) {
    const backupId = backupIdAt(new Date(start + offsetMs));
    // The record of a removal would hide the new one: a clock that was set back comes to an old id again.
    if ((await context.store.head(removalKey(backupId))) !== undefined) continue;
    const begin = await takeId(context.store, backupId, request);
    if (begin.owner !== request.owner) continue;
    requireSameCodec(begin, request.codec);
    if (request.codec.encryption !== 'none') await ensureBackupKey(context, backupId);
    return { backupId };
  }
  throw new LifeboatError('BACKUP_ID_TAKEN', `begin backup at ${request.createdAt}: ${ID_TRIES} ids are taken`);
}

/** BACKUP_NOT_BEGUN where the id was never taken; BACKUP_CODEC_MISMATCH where it was with another codec. */
export async function requireBegun(store: ObjectStore, backupId: string, codec: Codec): Promise<void> {
  const begin = await readBegin(store, backupId);
  if (begin === undefined) {
    throw new LifeboatError('BACKUP_NOT_BEGUN', `write to ${backupId}: not begun`, { details: { backupId } });
  }
  requireSameCodec(begin, codec);
}

/** Undefined when missing or not as it was written. */
export async function readBegin(store: ObjectStore, backupId: string): Promise<Begin | undefined> {
  const bytes = await readSmallObject(store, beginKey(backupId));
  const begin = bytes && BEGIN.safeParse(parseJson(bytes)).data;
  if (bytes === undefined || begin === undefined || begin.backupId !== backupId) return undefined;
  return canonicalJson(sealed(begin)).equals(bytes) ? begin : undefined;
}

async function takeId(store: ObjectStore, backupId: string, request: BeginBackup): Promise<Begin> {
  const { kind, createdAt, owner, codec } = request;
  const begin = sealed({ version: 1, backupId, kind, createdAt, owner, codec: { ...codec }, sha256: '' });
  try {
    await store.put(beginKey(backupId), canonicalJson(begin), { ifNoneMatch: true });
    return begin;
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
    // A seat that cannot be read is taken, by nobody we know.
    return (await readBegin(store, backupId)) ?? { ...begin, owner: '' };
  }
}

function sealed(begin: Begin): Begin {
  return { ...begin, sha256: sha256Of(canonicalJson({ ...begin, sha256: undefined })) };
}

function requireSameCodec(begin: Begin, codec: Codec): void {
  if (canonicalJson(begin.codec).equals(canonicalJson({ ...codec }))) return;
  throw new LifeboatError('BACKUP_CODEC_MISMATCH', `write to ${begin.backupId}: codec is not the one it began with`, {
    details: { backupId: begin.backupId },
  });
}
