import type { BackupRecord } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { attemptObjectsOf, objectsOf } from '../backup/backup-contents.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { beginKey, dataKeyKey, manifestKey, signatureKey } from '../layout.ts';
import { loadManifest } from '../manifest/load-manifest.ts';
import { mapBounded } from '../map-bounded.ts';
import { recordVerification } from '../read/verified-mark.ts';
import { readSmallObject } from '../small-object.ts';
import { copyObject, copySmall, putSmall } from './copy-object.ts';
import type { Copying } from './copying.ts';

/** One is read back while another one is written. */
const OBJECTS_AT_ONCE = 2;

/**
 * Copies a published backup. Order that is load-bearing: key and objects, what lies beside them, the signature, the manifest
 * last; so that a backup that the target lists is whole there. Safe to repeat: what is there is not copied again.
 * @returns `present` where the target had all of it
 * @throws LifeboatError BACKUP_NOT_FOUND, MANIFEST_*, OBJECT_* where the source is damaged, TARGET_COPY_WRONG, STORE_*
 */
export async function copyBackup(
  context: WriterContext,
  copying: Copying,
  backupId: string,
): Promise<'copied' | 'present'> {
  const { manifest, bytes } = await loadManifest(context, backupId);
  const startedAt = new Date().toISOString();
  const before = copying.done.copied;
  await copyKey(copying, { id: backupId, encrypted: manifest.codec.encryption !== 'none' });
  await need(copying, beginKey(backupId));
  // Also what an interrupted run left: it may have died before it read that back.
  const reading: Copying = { ...copying, check: 'digest' };
  await mapBounded(objectsOf(manifest), OBJECTS_AT_ONCE, async ({ object }) => copyObject(reading, object));
  for (const { key, required } of attemptObjectsOf(manifest)) {
    if (!(await copySmall(copying, key)) && required) throw missing(key);
  }
  await copySmall(copying, signatureKey(backupId));
  await putSmall(copying, manifestKey(backupId), bytes);
  // Every object was read back just now: that is what the target's ledger of verifications says.
  await recordVerification({ ...context, store: copying.to }, { manifest, bytes, startedAt, problems: 0 });
  return copying.done.copied === before ? 'present' : 'copied';
}

/** Whether the target lists a backup as the source has it. */
export async function isCopied(context: RepositoryContext, to: Copying['to'], backupId: string): Promise<boolean> {
  const [own, there] = await Promise.all([
    readSmallObject(context.store, manifestKey(backupId)),
    readSmallObject(to, manifestKey(backupId)),
  ]);
  return own !== undefined && there?.equals(own) === true;
}

/** Wrapped again by a rotation: the one object of a backup that may differ from an earlier copy. */
export async function copyKey(
  copying: Copying,
  { id, encrypted }: Pick<BackupRecord, 'id' | 'encrypted'>,
): Promise<void> {
  if (!(await copySmall(copying, dataKeyKey(id))) && encrypted) throw missing(dataKeyKey(id));
}

async function need(copying: Copying, key: string): Promise<void> {
  if (!(await copySmall(copying, key))) throw missing(key);
}

function missing(key: string): LifeboatError {
  return new LifeboatError('OBJECT_MISSING', `copy ${key}: not in the store`, { details: { key } });
}
