import type { Artifact, StoredObject } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import { abortable } from '../../storage/abortable.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { objectKey } from '../layout.ts';
import type { WriteArtifact } from '../repository.ts';
import { createBlockMemory, createPeekableReader, inBlocks, takeItems } from './blocks.ts';
import { extensionOf, type ObjectCodec, writeObject } from './object-writer.ts';
import { ZSTD_BLOCK_BYTES } from './zstd.ts';

/** Input of one object: big enough for a store to be fast, small enough to be made again after a failure. */
export const OBJECT_BYTES = 256 * 1024 * 1024;

/** Block where nothing is compressed: a frame of the encryption. */
const COPY_BYTES = 256 * 1024;

export interface ArtifactWriter {
  readonly store: ObjectStore;
  readonly codec: ObjectCodec;
  /** Input bytes after which a new object begins. */
  readonly objectBytes: number;
  /** Blocks compressed at once. */
  readonly blocksInFlight: number;
}

/** Cuts the source into objects and writes them one after the other; an empty source is one empty object. */
export async function writeArtifact(
  writer: ArtifactWriter,
  request: WriteArtifact,
  flow: { readonly source: AsyncIterable<Uint8Array>; readonly operation: Operation },
): Promise<Artifact> {
  const { store, codec, objectBytes } = writer;
  const { signal } = flow.operation;
  const memory = createBlockMemory(Math.min(codec.compression === 'zstd' ? ZSTD_BLOCK_BYTES : COPY_BYTES, objectBytes));
  const watched = reportProgress(abortable(flow.source, signal), request.name, flow.operation);
  const blocks = createPeekableReader(inBlocks(watched, memory));
  const objects: StoredObject[] = [];
  const sink = { ...codec, giveBack: memory.giveBack, inFlight: writer.blocksInFlight };
  try {
    do {
      const key = objectKey(request, objects.length + 1, extensionOf(codec));
      const own = takeItems(blocks, Math.floor(objectBytes / memory.blockBytes));
      objects.push(await writeObject(store, { key, backupId: request.backupId, codec: sink, signal }, own));
    } while (await blocks.hasMore());
  } finally {
    await blocks.close();
  }
  return {
    name: request.name,
    format: request.format,
    compression: codec.compression,
    ...(request.producerCompression === undefined ? {} : { producerCompression: request.producerCompression }),
    attributes: request.attributes ?? {},
    plainBytes: objects.reduce((sum, object) => sum + object.plainBytes, 0),
    storedBytes: objects.reduce((sum, object) => sum + object.storedBytes, 0),
    objects,
  };
}

async function* reportProgress(
  source: AsyncIterable<Uint8Array>,
  object: string,
  operation: Operation,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    yield chunk;
    // After the consumer has come back for more: bytes that only wait in a buffer are no progress.
    bytes += chunk.byteLength;
    operation.onProgress({ phase: 'storing', object, bytes });
  }
}
