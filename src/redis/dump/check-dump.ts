import type { Operation } from '../../domain/operation.ts';
import { abortError } from '../connect.ts';
import { createDigest } from '../values/digest.ts';
import type { SnapshotItem } from '../values/difference.ts';
import { functionLibraries } from '../values/functions.ts';
import { openPayload } from './stream/payload.ts';
import { readDump } from './stream/read-dump.ts';

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
}

/**
 * Reads a redis-dump stream to its end without a server: frame, trailer, CRC64 and encoding of every value.
 *
 * @param options.liveAtMs leave out of counts and digest what expires at or before this time
 */
export async function checkDump(
  source: AsyncIterable<Uint8Array>,
  operation: Operation,
  options: { readonly liveAtMs?: number } = {},
): Promise<DumpCheck> {
  const digest = createDigest(options);
  let [bytes, items, told] = [0, 0, 0];
  for await (const item of dumpItems(source)) {
    if (operation.signal.aborted) throw abortError(operation.signal, 'check redis-dump');
    if (item.kind === 'function') digest.addFunction(item.code);
    if (item.kind !== 'entry') continue;
    digest.add(item.entry);
    items += 1;
    bytes += item.entry.value.length;
    if (items % PROGRESS_KEYS !== 0 && bytes - told < PROGRESS_BYTES) continue;
    told = bytes;
    operation.onProgress({ phase: 'checking', bytes, items });
  }
  const { keys, databases, functions, expired } = digest;
  return { keys, databases, functions, digest: digest.digest(), expired };
}

/** A redis-dump stream as entries and libraries, each payload's CRC64 checked; the form `describeDifference` takes. */
export async function* dumpItems(source: AsyncIterable<Uint8Array>): AsyncGenerator<SnapshotItem, void, undefined> {
  for await (const item of readDump(source)) {
    if (item.kind === 'header') continue;
    const { content } = openPayload(item.payload);
    if (item.kind === 'functions') {
      for (const code of functionLibraries(content)) yield { kind: 'function', code };
    } else {
      const { db, key, expireAtMs } = item;
      yield { kind: 'entry', entry: { db, key, type: content[0]!, expireAtMs, value: content.subarray(1) } };
    }
  }
}
