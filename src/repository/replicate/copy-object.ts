import type { StoredObject } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { readStored } from '../objects/object-reader.ts';
import { readSmallObject } from '../small-object.ts';
import { type Copying, sayCopying } from './copying.ts';

/**
 * Brings one object to the target as it is, encrypted or not: looks, copies, and reads back what the target then has. One
 * that is there whole is not copied again; one that is there and wrong is written over. By the provider where it can.
 * @throws LifeboatError OBJECT_* where the source is damaged, TARGET_COPY_WRONG, STORE_*
 */
export async function copyObject(copying: Copying, object: StoredObject): Promise<void> {
  const { to, done } = copying;
  const head = await to.head(object.key);
  if (head?.sizeBytes === object.storedBytes && (await isWhole(copying, object))) {
    done.present += 1;
    sayCopying(copying, 'checking', object.key);
    return;
  }
  await write(copying, object, head === undefined);
  const wrong = await wrongAt(copying, object);
  if (wrong !== null) throw wrongCopy(to, object.key, wrong);
  done.copied += 1;
  done.bytes += object.storedBytes;
}

/** The other of two that copy the same at once may be first: then it is that one's object that is read back. */
async function write(copying: Copying, object: StoredObject, isNew: boolean): Promise<void> {
  const { from, to, operation } = copying;
  const options = { ifNoneMatch: isNew, signal: operation.signal };
  try {
    const copied = await to.copyFrom?.(from, object.key, options);
    if (copied === undefined) await to.put(object.key, passing(copying, from, { object, phase: 'copying' }), options);
  } catch (error) {
    if (!(isNew && error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
  }
}

async function isWhole(copying: Copying, object: StoredObject): Promise<boolean> {
  return copying.check === 'size' ? true : (await wrongAt(copying, object)) === null;
}

/** What is wrong with the target's object; null when every byte is as it should be. Errors of the store reject. */
async function wrongAt(copying: Copying, object: StoredObject): Promise<LifeboatError | null> {
  try {
    for await (const _ of passing(copying, copying.to, { object, phase: 'reading back' }));
    return null;
  } catch (error) {
    if (error instanceof LifeboatError && error.code.startsWith('OBJECT_')) return error;
    throw error;
  }
}

async function* passing(
  copying: Copying,
  store: ObjectStore,
  { object, phase }: { readonly object: StoredObject; readonly phase: string },
): AsyncGenerator<Buffer> {
  for await (const chunk of readStored(store, object, copying.operation.signal)) {
    copying.done.moved += chunk.length;
    sayCopying(copying, phase, object.key);
    yield chunk;
  }
}

/** A small object as it is in the source now; false where there is none. It is written over where it differs. */
export async function copySmall(copying: Copying, key: string): Promise<boolean> {
  const bytes = await readSmallObject(copying.from, key);
  if (bytes === undefined) return false;
  await putSmall(copying, key, bytes);
  return true;
}

/** @throws LifeboatError TARGET_COPY_WRONG */
export async function putSmall(copying: Copying, key: string, bytes: Buffer): Promise<void> {
  const { to, done, operation } = copying;
  operation.signal.throwIfAborted();
  if ((await readSmallObject(to, key))?.equals(bytes) === true) {
    done.present += 1;
    return;
  }
  await to.put(key, bytes, { signal: operation.signal });
  if ((await readSmallObject(to, key))?.equals(bytes) !== true) throw wrongCopy(to, key, null);
  done.copied += 1;
  done.bytes += bytes.length;
  sayCopying(copying, 'copying', key);
}

export function wrongCopy(to: ObjectStore, key: string, cause: LifeboatError | null): LifeboatError {
  const what = cause === null ? 'other bytes than were written' : cause.message;
  return new LifeboatError('TARGET_COPY_WRONG', `copy ${key} to ${to.url}: ${what}`, { cause, details: { key } });
}
