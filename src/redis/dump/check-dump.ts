import type { Operation } from '../../domain/operation.ts';
import { abortError } from '../connect.ts';
import { IN_PIECES_BYTES } from '../rdb/capture.ts';
import { createDigest, type DigestOptions, type RedisDigest, type Strangers } from '../values/digest.ts';
import type { SnapshotItem } from '../values/difference.ts';
import { functionLibraries } from '../values/functions.ts';
import type { DumpItem, RestoreItem } from './stream/format.ts';
import { LargePayloadCheck } from './stream/large-payload-check.ts';
import { openPayload } from './stream/payload.ts';
import { readDump, readDumpInPieces } from './stream/read-dump.ts';

/** Progress is told after so many keys or bytes, whichever comes first: some times a second. */
const PROGRESS_KEYS = 10_000;
const PROGRESS_BYTES = 16 * 1024 ** 2;

export interface DumpCheck {
  readonly keys: number;
  /** Keys per database number. */
  readonly databases: Readonly<Record<string, number>>;
  readonly functions: number;
  /** As `createDigest` gives it. */
  readonly digest: string;
  /** Keys that had expired at `liveAtMs`; they are in no other number. */
  readonly expired: number;
  readonly strangers: Strangers;
}

/**
 * Reads a redis-dump stream to its end without a server: frame, trailer, CRC64 and encoding of every value.
 */
export async function checkDump(
  source: AsyncIterable<Uint8Array>,
  operation: Operation,
  options: DigestOptions = {},
): Promise<DumpCheck> {
  const digest = createDigest(options);
  let [bytes, items, told] = [0, 0, 0];
  let large: LargePayloadCheck | undefined;
  for await (const item of readDumpInPieces(source, IN_PIECES_BYTES)) {
    if (operation.signal.aborted) throw abortError(operation.signal, 'check redis-dump');
    if (item.kind === 'large key') large = new LargePayloadCheck(item, digest);
    else if (item.kind === 'piece') large?.push(item.bytes);
    else add(digest, item);
    if (item.kind === 'key' || item.kind === 'large key') items += 1;
    bytes += bytesOf(item);
    if (items % PROGRESS_KEYS !== 0 && bytes - told < PROGRESS_BYTES) continue;
    told = bytes;
    operation.onProgress({ phase: 'checking', bytes, items });
  }
  const { keys, databases, functions, expired, strangers } = digest;
  return { keys, databases, functions, digest: digest.digest(), expired, strangers };
}

/** A redis-dump stream as entries and libraries, each payload's CRC64 checked; the form `describeDifference` takes. */
export async function* dumpItems(source: AsyncIterable<Uint8Array>): AsyncGenerator<SnapshotItem, void, undefined> {
  for await (const item of readDump(source)) yield* opened(item);
}

function* opened(item: DumpItem): Generator<Exclude<SnapshotItem, { readonly kind: 'end' }>, void, undefined> {
  if (item.kind === 'header') return;
  const { content } = openPayload(item.payload);
  if (item.kind === 'functions') {
    for (const code of functionLibraries(content)) yield { kind: 'function', code };
  } else {
    const { db, key, expireAtMs } = item;
    yield { kind: 'entry', entry: { db, key, type: content[0]!, expireAtMs, value: content.subarray(1) } };
  }
}

function add(digest: RedisDigest, item: DumpItem): void {
  for (const part of opened(item)) {
    if (part.kind === 'function') digest.addFunction(part.code);
    else digest.add(part.entry);
  }
}

function bytesOf(item: RestoreItem): number {
  if (item.kind === 'piece') return item.bytes.length;
  return item.kind === 'key' ? item.payload.length : 0;
}
