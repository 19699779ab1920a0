import type { JournalBegin, JournalEntry } from '../../../domain/journal.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { ObjectStore } from '../../../storage/object-store.ts';
import { createBlockMemory, inBlocks } from '../../objects/blocks.ts';
import { readObject } from '../../objects/object-reader.ts';
import { extensionOf, type ObjectCodec, writeObject } from '../../objects/object-writer.ts';
import { ZSTD_BLOCK_BYTES } from '../../objects/zstd.ts';
import type { EntryFacts } from '../journals.ts';
import { entryKey, epochName, placeOf } from '../journal-keys.ts';

/** An object is made in one go, from memory. */
const ENTRY_MAX_BYTES = 64 * 1024 * 1024;
/** Blocks of one object compressed at once. */
const BLOCKS_IN_FLIGHT = 2;
/** Where a server's segments are of no size that is known; for names only. */
export const USUAL_SEGMENT_BYTES = 16 * 1024 * 1024;

export interface StoredEntry {
  readonly entry: JournalEntry;
  /** It was stored before, and is listed. */
  readonly again: boolean;
}

export type StoreEntry = (facts: EntryFacts, bytes: Uint8Array, signal: AbortSignal) => Promise<StoredEntry>;

/** Makes the objects of one epoch, whose only writer this is. Each is durable when it resolves. */
export function createEntryStore(store: ObjectStore, begin: JournalBegin, codec: ObjectCodec): StoreEntry {
  const memory = createBlockMemory(ZSTD_BLOCK_BYTES);
  const segmentBytes = segmentBytesOf(begin);
  const stored = new Map<string, JournalEntry>();

  const write = async (key: string, bytes: Uint8Array, signal: AbortSignal): ReturnType<typeof writeObject> => {
    const sink = { ...codec, inFlight: BLOCKS_IN_FLIGHT, giveBack: memory.giveBack };
    const place = { key, backupId: epochName(begin), codec: sink, signal };
    return writeObject(store, place, inBlocks(oneChunk(bytes), memory));
  };
  return async (facts, bytes, signal) => {
    requireWhole(begin, facts, bytes);
    const key = entryKey(begin, facts, { segmentBytes, extension: extensionOf(codec) });
    const known = stored.get(key);
    if (known !== undefined) {
      await requireSame(store, { known, bytes, begin, codec }, signal);
      return { entry: known, again: true };
    }
    const object = await write(key, bytes, signal).catch(async (error: unknown) => {
      if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
      // Nobody else writes here: it is what an earlier try left whose answer was lost, and nothing names it.
      await store.remove(key);
      return write(key, bytes, signal);
    });
    const entry: JournalEntry = { ...object, compression: codec.compression, ...facts };
    stored.set(key, entry);
    return { entry, again: false };
  };
}

export function segmentBytesOf({ attributes }: JournalBegin): number {
  return Number(attributes['walSegmentBytes'] ?? USUAL_SEGMENT_BYTES);
}

/** What does not hold the bytes it says would be found at the restore, too late. */
function requireWhole({ kind, epoch }: JournalBegin, facts: EntryFacts, bytes: Uint8Array): void {
  const { from, to } = facts;
  const length = facts.kind === 'history' ? bytes.length : Number(placeOf(kind, to) - placeOf(kind, from));
  if (length === bytes.length && length > 0 && length <= ENTRY_MAX_BYTES) return;
  const what = `${facts.kind} ${from} to ${to} with ${bytes.length} bytes`;
  throw new LifeboatError('INTERNAL', `put into ${kind} journal, epoch ${epoch}: ${what}`);
}

/** A server that is asked again gives the same bytes again; other bytes at the same place are of another history. */
async function requireSame(
  store: ObjectStore,
  again: {
    readonly known: JournalEntry;
    readonly bytes: Uint8Array;
    readonly begin: JournalBegin;
    readonly codec: ObjectCodec;
  },
  signal: AbortSignal,
): Promise<void> {
  const { known, bytes, begin, codec } = again;
  const place = { backupId: epochName(begin), compression: known.compression, dataKey: codec.dataKey, signal };
  let offset = 0;
  let isSame = known.plainBytes === bytes.length;
  for await (const chunk of readObject(store, known, place)) {
    isSame &&= chunk.equals(bytes.subarray(offset, offset + chunk.length));
    offset += chunk.length;
  }
  if (isSame) return;
  const message = `put ${known.key}: stored before with other content`;
  throw new LifeboatError('JOURNAL_SEGMENT_EXISTS', message, { details: { key: known.key } });
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
