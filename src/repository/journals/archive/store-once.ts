import type { StoredObject } from '../../../domain/backup.ts';
import type { JournalBegin, JournalEntry } from '../../../domain/journal.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { DataKey } from '../../../encryption/data-key.ts';
import type { WriterContext } from '../../context.ts';
import { createBlockMemory, inBlocks } from '../../objects/blocks.ts';
import { readObject } from '../../objects/object-reader.ts';
import { extensionOf, writeObject } from '../../objects/object-writer.ts';
import { ZSTD_BLOCK_BYTES } from '../../objects/zstd.ts';
import { readSmallObject, sha256Of } from '../../small-object.ts';
import { openEpochKey } from '../epoch-key.ts';
import { entryKey, epochName } from '../journal-keys.ts';
import type { EntryFacts } from '../journals.ts';

/** Blocks of one file compressed at once. */
const BLOCKS_IN_FLIGHT = 2;

interface StoreOnce {
  readonly begin: JournalBegin;
  readonly segmentBytes: number;
  readonly facts: EntryFacts;
  readonly bytes: Uint8Array;
}

/**
 * Stores a file under its name, once. What is there already is read back: the same bytes are taken as they are, whoever stored
 * them; nothing is ever replaced. @throws LifeboatError JOURNAL_SEGMENT_EXISTS for other bytes
 */
export async function storeOnce(
  context: WriterContext,
  file: StoreOnce,
  signal: AbortSignal,
): Promise<{ readonly entry: JournalEntry; readonly foundThere: boolean }> {
  const { begin, segmentBytes, facts, bytes } = file;
  const { compression, compressionLevel, encryption } = begin.codec;
  const dataKey = encryption === 'none' ? undefined : await openEpochKey(context, begin, begin.keyCheckValue);
  const codec = { compression, compressionLevel, dataKey };
  const key = entryKey(begin, facts, { segmentBytes, extension: extensionOf(codec) });
  const memory = createBlockMemory(ZSTD_BLOCK_BYTES);
  const sink = { ...codec, inFlight: BLOCKS_IN_FLIGHT, giveBack: memory.giveBack };
  const place = { key, backupId: epochName(begin), codec: sink, signal };
  try {
    if ((await context.store.head(key)) === undefined) {
      const object = await writeObject(context.store, place, inBlocks(oneChunk(bytes), memory));
      return { entry: { ...object, compression, ...facts }, foundThere: false };
    }
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
  }
  const object = await readStored(context, { key, begin, dataKey, bytes }, signal);
  return { entry: { ...object, compression, ...facts }, foundThere: true };
}

/** Facts of an object that is there, when it holds these bytes. */
async function readStored(
  { store }: WriterContext,
  wanted: {
    readonly key: string;
    readonly begin: JournalBegin;
    readonly dataKey: DataKey | undefined;
    readonly bytes: Uint8Array;
  },
  signal: AbortSignal,
): Promise<StoredObject> {
  const { key, begin, dataKey, bytes } = wanted;
  const stored = await readSmallObject(store, key);
  if (stored === undefined) throw new LifeboatError('OBJECT_MISSING', `read ${key}: gone a moment after it was there`);
  const object = { key, storedBytes: stored.length, sha256: sha256Of(stored), plainBytes: bytes.length };
  const { compression } = begin.codec;
  let offset = 0;
  let isSame = true;
  for await (const chunk of readObject(store, object, { backupId: epochName(begin), compression, dataKey, signal })) {
    isSame &&= chunk.equals(bytes.subarray(offset, offset + chunk.length));
    offset += chunk.length;
    if (!isSame) break;
  }
  if (isSame) return object;
  throw new LifeboatError('JOURNAL_SEGMENT_EXISTS', `archive ${key}: kept before with other content`, {
    details: { key },
  });
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
