import { createHash } from 'node:crypto';
import type { StoredObject } from '../../domain/backup.ts';
import type { DataKey } from '../../encryption/data-key.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Codec } from '../repository.ts';
import { tap } from './blocks.ts';
import { lendBlocks } from './lent-blocks.ts';
import { release, releasing } from '../../platform/release-memory.ts';
import { compress, type CompressOptions } from './zstd.ts';

/** What happens to the bytes of an artifact's objects. */
export interface ObjectCodec {
  readonly compression: Codec['compression'];
  readonly compressionLevel: number;
  /** Undefined where the backup is not encrypted. */
  readonly dataKey: DataKey | undefined;
}

export interface ObjectPlace {
  readonly backupId: string;
  readonly key: string;
}

/** Name ending of an object, in the order in which the layers come off from the right. */
export function extensionOf(codec: ObjectCodec): string {
  const layers = [codec.compression === 'zstd' ? 'zst' : '', codec.dataKey === undefined ? '' : 'esdk'];
  return layers.filter((layer) => layer !== '').join('.') || 'raw';
}

/**
 * Bytes → zstd → Encryption SDK → SHA-256 → store. A chunk is freed when the store asks for the next one: a store that keeps
 * it until later would write nothing in its place, which is noticed here.
 */
export async function writeObject(
  store: ObjectStore,
  place: ObjectPlace & { readonly codec: ObjectCodec & Omit<CompressOptions, 'level'>; readonly signal: AbortSignal },
  blocks: AsyncIterable<Buffer>,
): Promise<StoredObject> {
  const { key, backupId, codec } = place;
  const hash = createHash('sha256');
  let plainBytes = 0;
  let sealedBytes = 0;
  const counted = tap(blocks, (block) => void (plainBytes += block.length));
  const sealed = seal(counted, codec, { backupId, object: key });
  const digested = tap(sealed, (chunk) => {
    hash.update(chunk);
    sealedBytes += chunk.length;
  });
  const { sizeBytes } = await store.put(key, releasing(digested), { ifNoneMatch: true, signal: place.signal });
  if (sizeBytes !== sealedBytes) {
    throw new RangeError(`put ${key}: the store took ${sizeBytes} bytes of ${sealedBytes}`);
  }
  return { key, storedBytes: sizeBytes, sha256: hash.digest('hex'), plainBytes };
}

function seal(
  blocks: AsyncIterable<Buffer>,
  codec: ObjectCodec & Omit<CompressOptions, 'level'>,
  context: { readonly backupId: string; readonly object: string },
): AsyncIterable<Buffer> {
  const { dataKey } = codec;
  if (codec.compression === 'zstd') {
    const compressed = compress(blocks, { ...codec, level: codec.compressionLevel });
    // What goes to the store itself is freed with its chunks.
    if (dataKey === undefined) return compressed;
    return lendBlocks(compressed, (source) => dataKey.encrypt(source, context), release);
  }
  if (dataKey === undefined) return blocks;
  return lendBlocks(blocks, (source) => dataKey.encrypt(source, context), codec.giveBack);
}
