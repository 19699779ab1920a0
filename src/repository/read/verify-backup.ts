import type { Manifest, Problem } from '../../domain/backup.ts';
import { type ErrorCode, LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { DataKey } from '../../encryption/data-key.ts';
import type { ObjectHead, ObjectStore } from '../../storage/object-store.ts';
import { attemptObjectsOf, createKeyFilter, type HeldObject, objectsOf } from '../backup/backup-contents.ts';
import { readBegin } from '../backup/begin.ts';
import type { RepositoryContext } from '../context.ts';
import { backupPrefix, beginKey, dataKeyKey, manifestKey, signatureKey } from '../layout.ts';
import { loadManifest, resolveBackupId } from '../manifest/load-manifest.ts';
import { untrustedCommentIsOurs } from '../manifest/trust.ts';
import { mapBounded } from '../map-bounded.ts';
import { readObject, readStored } from '../objects/object-reader.ts';
import { keyOf } from './read-artifact.ts';
import { readSmallObject } from '../small-object.ts';

/** Objects read at once: one is decrypted while another waits for the store or the thread pool. */
const OBJECTS_AT_ONCE = 1;

/** The manifest where it could be trusted, and all that is wrong. */
export interface Verification {
  readonly trusted: { readonly manifest: Manifest; readonly bytes: Buffer } | undefined;
  readonly problems: Problem[];
}

/** Reads a backup back. BACKUP_NOT_FOUND rejects, and so do errors of the store; everything else is a problem. */
export async function verifyBackup(
  context: RepositoryContext,
  idOrLatest: string,
  operation: Operation,
): Promise<Verification> {
  const backupId = await resolveBackupId(context, idOrLatest);
  try {
    const { manifest, bytes } = await loadManifest(context, backupId);
    const problems = [
      ...(await verifyContents(context, manifest, operation)),
      ...(await verifySeat(context, manifest)),
    ];
    return { trusted: { manifest, bytes }, problems };
  } catch (error) {
    return { trusted: undefined, problems: [problemOf(backupId, manifestKey(backupId), error)] };
  }
}

async function verifyContents(
  context: RepositoryContext,
  manifest: Manifest,
  operation: Operation,
): Promise<Problem[]> {
  const found = await listContents(context.store, manifest);
  const key = await openKey(context, manifest);
  const reading = { context, manifest, operation, dataKey: key.dataKey, bytes: 0 };
  const objects = await mapBounded(objectsOf(manifest), OBJECTS_AT_ONCE, (held) => verifyObject(reading, held));
  return [...found, ...key.problems, ...objects.flat()];
}

/** What is there and should not be. */
async function listContents(store: ObjectStore, manifest: Manifest): Promise<Problem[]> {
  const belongs = createKeyFilter(manifest);
  const problems: Problem[] = [];
  for await (const head of store.list(backupPrefix(manifest.id))) {
    if (!belongs(head.key)) problems.push(unexpected(manifest.id, head));
  }
  return problems;
}

export function unexpected(backupId: string, { key, sizeBytes }: ObjectHead): Problem {
  return { backupId, key, code: 'OBJECT_UNEXPECTED', message: `${key}: ${sizeBytes} bytes that no manifest names` };
}

async function openKey(
  context: RepositoryContext,
  manifest: Manifest,
): Promise<{ dataKey: DataKey | undefined; problems: Problem[] }> {
  try {
    return { dataKey: await keyOf(context, manifest), problems: [] };
  } catch (error) {
    // Without the key the stored bytes can still be compared with their digests.
    return { dataKey: undefined, problems: [problemOf(manifest.id, dataKeyKey(manifest.id), error)] };
  }
}

interface Reading {
  readonly context: RepositoryContext;
  readonly manifest: Manifest;
  readonly operation: Operation;
  readonly dataKey: DataKey | undefined;
  bytes: number;
}

async function verifyObject(reading: Reading, { artifact, object }: HeldObject): Promise<Problem[]> {
  const { context, manifest, operation, dataKey } = reading;
  const { signal } = operation;
  const unreadable = manifest.codec.encryption !== 'none' && dataKey === undefined;
  const place = { backupId: manifest.id, compression: artifact.compression, dataKey, signal };
  try {
    const bytes = unreadable ? readStored(context.store, object, signal) : readObject(context.store, object, place);
    for await (const chunk of bytes) {
      signal.throwIfAborted();
      reading.bytes += chunk.length;
      operation.onProgress({ phase: 'verifying', object: object.key, bytes: reading.bytes });
    }
    return [];
  } catch (error) {
    signal.throwIfAborted();
    return [problemOf(manifest.id, object.key, error)];
  }
}

/** The small objects beside the data: the seats, the indexes, the signature's first line. */
async function verifySeat(context: RepositoryContext, manifest: Manifest): Promise<Problem[]> {
  const problems: Problem[] = [];
  const add = (key: string, code: ErrorCode, what: string): void =>
    void problems.push({ backupId: manifest.id, key, code, message: `${key}: ${what}` });

  const begin = await readBegin(context.store, manifest.id);
  if (begin === undefined || begin.kind !== manifest.kind) {
    add(beginKey(manifest.id), 'OBJECT_DIGEST_MISMATCH', 'missing, or not as it was written');
  }
  for (const { key, bytes, required } of attemptObjectsOf(manifest)) {
    const present = await readSmallObject(context.store, key);
    if (present === undefined && required) add(key, 'OBJECT_MISSING', 'not in the store');
    else if (present?.equals(bytes) === false) add(key, 'OBJECT_DIGEST_MISMATCH', 'not what the manifest took over');
  }
  if (!(await untrustedCommentIsOurs(context, manifest.id))) {
    add(signatureKey(manifest.id), 'MANIFEST_SIGNATURE_INVALID', 'its untrusted comment was changed');
  }
  return problems;
}

/** Damage becomes a problem; a store that cannot be read says nothing about the backup and stays an error. */
function problemOf(backupId: string, key: string, error: unknown): Problem {
  const damage = error instanceof LifeboatError && /^(OBJECT|MANIFEST|KEY)_/.test(error.code);
  if (!damage) throw error;
  return { backupId, key, code: error.code, message: error.message };
}
