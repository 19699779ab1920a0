import { createHash } from 'node:crypto';
import type { StoredObject } from '../../domain/backup.ts';
import type { DataKey } from '../../encryption/data-key.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Codec } from '../repository.ts';
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

/** Bytes → zstd → Encryption SDK → SHA-256 → store. Nothing is under the key when it rejects. */
export async function writeObject(
  store: ObjectStore,
  place: ObjectPlace & { readonly codec: ObjectCodec & Omit<CompressOptions, 'level'>; readonly signal: AbortSignal },
  blocks: AsyncIterable<Buffer>,
): Promise<StoredObject> {
  const { key, backupId, codec } = place;
  const hash = createHash('sha256');
  let plainBytes = 0;
  const counted = tap(blocks, (block) => void (plainBytes += block.length));
  const compressed =
    codec.compression === 'zstd' ? compress(counted, { ...codec, level: codec.compressionLevel }) : counted;
  const sealed = codec.dataKey?.encrypt(compressed, { backupId, object: key }) ?? compressed;
  const digested = tap(sealed, (chunk) => void hash.update(chunk));
  const { sizeBytes } = await store.put(key, digested, { ifNoneMatch: true, signal: place.signal });
  return { key, storedBytes: sizeBytes, sha256: hash.digest('hex'), plainBytes };
}

async function* tap(source: AsyncIterable<Buffer>, look: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    look(chunk);
    yield chunk;
  }
}
