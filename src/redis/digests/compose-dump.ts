import { LifeboatError } from '../../domain/errors.ts';
import { DumpWriter } from '../dump/stream/dump-writer.ts';
import type { DumpHeader, RestoreItem } from '../dump/stream/format.ts';
import { readDumpInPieces } from '../dump/stream/read-dump.ts';
import { IN_PIECES_BYTES } from '../rdb/capture.ts';
import { DIGEST_INDEX, readRecordList } from './record-list.ts';
import { locationOf } from './record.ts';

/** One backup of a chain. */
export interface DumpLayer {
  readonly backupId: string;
  /** Keys in its dump. */
  readonly keys: number;
  /** Its redis-dump from the first byte; may be called again. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/**
 * What a server held at the last of a chain of dumps, as one redis-dump stream: of each layer the keys whose latest value
 * it holds. Values pass as they were stored. Memory is one bit for each key of the layers.
 *
 * @param index the digest index of the last layer
 * @param layers oldest first
 * @returns opens the stream; may be called again
 * @throws LifeboatError REDIS_INDEX_DAMAGED, REDIS_CHAIN_BROKEN, here and while the stream is read
 */
export async function composeDump(
  index: AsyncIterable<Uint8Array>,
  layers: readonly DumpLayer[],
): Promise<() => AsyncIterable<Uint8Array>> {
  const wanted = layers.map(({ keys }) => new OrdinalSet(keys));
  for await (const batch of readRecordList(DIGEST_INDEX, index)) {
    for (const record of batch) {
      const { layer, ordinal } = locationOf(record);
      if (wanted[layer]?.add(ordinal) === true) continue;
      const id = layers[layer]?.backupId ?? `layer ${layer}`;
      throw broken(`the index names key ${ordinal} of ${id} twice, or there is none`);
    }
  }
  return () => compose(layers, wanted);
}

async function* compose(
  layers: readonly DumpLayer[],
  wanted: readonly OrdinalSet[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const parts = layers.map((layer, at) => ({ layer, keys: wanted[at]! }));
  const last = parts.pop();
  if (last === undefined) throw broken('there is no layer');
  // The last one first: its functions are those that were there, and functions stand before keys.
  const items = readDumpInPieces(last.layer.open(), IN_PIECES_BYTES);
  const writer = new DumpWriter(await headerOf(last.layer, items));
  yield* passKeys(items, last, writer);
  for (const part of parts.toReversed()) {
    if (part.keys.count === 0) continue;
    const older = readDumpInPieces(part.layer.open(), IN_PIECES_BYTES);
    await headerOf(part.layer, older);
    yield* passKeys(withoutFunctions(older), part, writer);
  }
  yield* writer.finish();
}

async function headerOf({ backupId }: DumpLayer, items: AsyncGenerator<RestoreItem>): Promise<DumpHeader> {
  const { done, value } = await items.next();
  if (done !== true && value.kind === 'header') return value.header;
  await items.return(undefined);
  throw broken(`${backupId}: its dump does not begin with a header`);
}

async function* withoutFunctions(items: AsyncIterable<RestoreItem>): AsyncGenerator<RestoreItem, void, undefined> {
  for await (const item of items) if (item.kind !== 'functions') yield item;
}

async function* passKeys(
  items: AsyncIterable<RestoreItem>,
  { layer, keys }: { readonly layer: DumpLayer; readonly keys: OrdinalSet },
  writer: DumpWriter,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ordinal = 0;
  let passing = false;
  for await (const item of items) {
    if (item.kind === 'functions') writer.functions(item.payload);
    if (item.kind === 'key' || item.kind === 'large key') {
      passing = keys.has(ordinal);
      ordinal += 1;
    }
    if (!passing) continue;
    if (item.kind === 'key') writer.key(item.db, item.key, item.payload, item.expireAtMs);
    else if (item.kind === 'large key') writer.beginKey(item);
    else if (item.kind === 'piece') writer.piece(item.bytes);
    yield* writer.take();
  }
  if (ordinal === layer.keys) return;
  throw broken(`${layer.backupId}: its dump holds ${ordinal} keys, not ${layer.keys}`);
}

/** Numbers below a bound, a bit each. */
class OrdinalSet {
  count = 0;
  readonly #bound: number;
  readonly #bits: Uint8Array;

  constructor(bound: number) {
    this.#bound = bound;
    this.#bits = new Uint8Array(Math.ceil(bound / 8));
  }

  /** False for one that is there already or is not below the bound. */
  add(ordinal: number): boolean {
    if (ordinal >= this.#bound || this.has(ordinal)) return false;
    this.#bits[Math.floor(ordinal / 8)]! |= 1 << (ordinal % 8);
    this.count += 1;
    return true;
  }

  has(ordinal: number): boolean {
    return ((this.#bits[Math.floor(ordinal / 8)] ?? 0) & (1 << (ordinal % 8))) !== 0;
  }
}

function broken(fact: string): LifeboatError {
  return new LifeboatError('REDIS_CHAIN_BROKEN', `read an incremental copy of redis: ${fact}`);
}
