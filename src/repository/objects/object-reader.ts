import { createHash } from 'node:crypto';
import type { Artifact, StoredObject } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { DataKey } from '../../encryption/data-key.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { release } from '../../platform/release-memory.ts';
import { tap } from './blocks.ts';
import { decompress } from './zstd.ts';

export interface ReadPlace {
  readonly backupId: string;
  readonly compression: Artifact['compression'];
  readonly dataKey: DataKey | undefined;
  readonly signal: AbortSignal;
}

/**
 * What went into one object. Checked as it streams: size and SHA-256 of the stored bytes, context and tag of each
 * frame, checksum of each zstd frame, size of the plain bytes; a clean end is given only after all of them.
 */
export async function* readObject(store: ObjectStore, object: StoredObject, place: ReadPlace): AsyncGenerator<Buffer> {
  let plainBytes = 0;
  try {
    for await (const chunk of openLayers(readStored(store, object, place.signal), object, place)) {
      plainBytes += chunk.length;
      yield chunk;
    }
    if (plainBytes !== object.plainBytes) {
      throw problem('OBJECT_DAMAGED', object, `gives ${plainBytes} bytes, not ${object.plainBytes}`);
    }
  } catch (error) {
    throw await explain(store, object, { error, signal: place.signal });
  }
}

function openLayers(stored: AsyncIterable<Buffer>, object: StoredObject, place: ReadPlace): AsyncIterable<Buffer> {
  const context = { backupId: place.backupId, object: object.key };
  const { dataKey } = place;
  const compressed = dataKey === undefined ? stored : freeing(stored, (source) => dataKey.decrypt(source, context));
  return place.compression === 'zstd' ? decompress(compressed) : compressed;
}

/** Decrypts, and frees each chunk that must have been read: as many bytes came out as end with it, and a message is longer than its plaintext. */
async function* freeing(
  stored: AsyncIterable<Buffer>,
  decrypt: (source: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const lent: { readonly chunk: Buffer; readonly endBytes: number }[] = [];
  let readBytes = 0;
  let givenBytes = 0;
  const lend = (chunk: Buffer): void => void lent.push({ chunk, endBytes: (readBytes += chunk.length) });
  for await (const plain of decrypt(tap(stored, lend))) {
    givenBytes += plain.length;
    yield plain;
    for (let [first] = lent; first !== undefined && first.endBytes <= givenBytes; [first] = lent) {
      lent.shift();
      release(first.chunk);
    }
  }
}

/** Stored bytes of an object; fails at its end, or before, when they are not the ones that were written. */
export async function* readStored(
  store: ObjectStore,
  object: StoredObject,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of await openStored(store, object, signal)) {
    sizeBytes += chunk.length;
    if (sizeBytes > object.storedBytes) break;
    hash.update(chunk);
    yield chunk;
  }
  if (sizeBytes !== object.storedBytes) {
    const found = sizeBytes > object.storedBytes ? 'more bytes' : `${sizeBytes} bytes`;
    throw problem('OBJECT_SIZE_MISMATCH', object, `${found}, not ${object.storedBytes}`);
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== object.sha256) {
    throw problem('OBJECT_DIGEST_MISMATCH', object, `SHA-256 is ${sha256}, not ${object.sha256}`);
  }
}

async function openStored(
  store: ObjectStore,
  object: StoredObject,
  signal: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  try {
    return await store.get(object.key, { signal });
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_MISSING')) throw error;
    throw problem('OBJECT_MISSING', object, 'not in the store', error);
  }
}

/** A tag fails before the end is reached. Whether the stored bytes changed says what happened: they are read again. */
async function explain(
  store: ObjectStore,
  object: StoredObject,
  failure: { readonly error: unknown; readonly signal: AbortSignal },
): Promise<unknown> {
  const { error, signal } = failure;
  if (signal.aborted) return signal.reason;
  if (!(error instanceof LifeboatError) || error.code !== 'OBJECT_DAMAGED') return error;
  try {
    const stored = readStored(store, object, signal);
    while ((await stored.next()).done !== true);
    return problem('OBJECT_DAMAGED', object, error.message, error);
  } catch (reading) {
    return reading;
  }
}

function problem(
  code: 'OBJECT_DAMAGED' | 'OBJECT_SIZE_MISMATCH' | 'OBJECT_DIGEST_MISMATCH' | 'OBJECT_MISSING',
  object: StoredObject,
  what: string,
  cause?: unknown,
): LifeboatError {
  return new LifeboatError(code, `read ${object.key}: ${what}`, { cause, details: { key: object.key } });
}
