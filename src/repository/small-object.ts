import { createHash } from 'node:crypto';
import { LifeboatError } from '../domain/errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { canonicalJson } from './canonical-json.ts';

/** Above any manifest (100 TB are 400 000 objects, 80 MB); what is bigger is not ours, and is not read into memory. */
const SMALL_OBJECT_MAX_BYTES = 256 * 1024 * 1024;

/** A whole object; undefined when it is not there. */
export async function readSmallObject(store: ObjectStore, key: string): Promise<Buffer | undefined> {
  try {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const stream: AsyncIterable<Buffer> = await store.get(key);
    for await (const chunk of stream) {
      sizeBytes += chunk.length;
      if (sizeBytes > SMALL_OBJECT_MAX_BYTES) throw tooLarge(key);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'STORE_KEY_MISSING') return undefined;
    throw error;
  }
}

/**
 * Writes an object that is written once. The same bytes again are a success, so that a repeated step can pass; other
 * bytes reject with STORE_KEY_EXISTS.
 */
export async function putOnce(store: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  try {
    await store.put(key, bytes, { ifNoneMatch: true });
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
    const present = await readSmallObject(store, key);
    if (present?.equals(bytes) !== true) throw error;
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Parsed JSON; undefined where the bytes are not JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The caller knows what the bytes should have been and says so.
    return undefined;
  }
}

/**
 * An object that was written as canonical JSON; undefined when it is not there.
 * @throws LifeboatError OBJECT_DAMAGED where it is not as it was written
 */
export async function readCanonical(store: ObjectStore, key: string): Promise<unknown> {
  const bytes = await readSmallObject(store, key);
  if (bytes === undefined) return undefined;
  const value = parseJson(bytes);
  if (value !== undefined && canonicalJson(value).equals(bytes)) return value;
  throw new LifeboatError('OBJECT_DAMAGED', `read ${key}: not as it was written`, { details: { key } });
}

function tooLarge(key: string): LifeboatError {
  const facts = `more than ${SMALL_OBJECT_MAX_BYTES} bytes`;
  return new LifeboatError('OBJECT_SIZE_MISMATCH', `read ${key}: ${facts}`, { details: { key } });
}
