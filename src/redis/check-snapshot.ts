import type { Operation } from '../domain/operation.ts';
import { releasing } from '../platform/release-memory.ts';
import { abortError } from './connect.ts';
import { checkDump } from './dump/check-dump.ts';
import { RdbWalker } from './rdb/walk.ts';
import { createDigest, type DigestOptions, type Strangers } from './values/digest.ts';

export interface SnapshotCheck {
  readonly keys: number;
  /** Keys per database number. */
  readonly databases: Readonly<Record<string, number>>;
  /** Libraries of functions. */
  readonly functions: number;
  readonly digest: string;
  /** Keys that had expired at `liveAtMs`; they are in no other number. */
  readonly expired: number;
  /** What `belongs` kept out of every other number. */
  readonly strangers: Strangers;
}

export interface CheckOptions {
  readonly operation: Operation;
  /** Phase to report. */
  readonly phase: string;
  /** Leave out what has expired at this time (ms since 1970); asked for when the first bytes are there. */
  readonly liveAtMs?: () => number;
  readonly belongs?: DigestOptions['belongs'];
}

/** Reads a snapshot to its end: structure, checksums, every value. */
export async function checkSnapshot(
  format: 'redis-rdb' | 'redis-dump',
  source: AsyncIterable<Uint8Array>,
  options: CheckOptions,
): Promise<SnapshotCheck> {
  if (format === 'redis-rdb') return await checkRdb(source, options);
  return await checkDump(source, options.operation, digestOptions(options));
}

/** As `checkSnapshot`, of chunks that nobody else looks at: each of an RDB file is freed once it was read, 70 MiB less of memory. */
export async function checkStored(
  format: 'redis-rdb' | 'redis-dump',
  source: AsyncIterable<Uint8Array>,
  options: CheckOptions,
): Promise<SnapshotCheck> {
  return await checkSnapshot(format, format === 'redis-rdb' ? releasing(source) : source, options);
}

function digestOptions({ liveAtMs, belongs }: CheckOptions): DigestOptions {
  return {
    ...(liveAtMs === undefined ? {} : { liveAtMs: liveAtMs() }),
    ...(belongs === undefined ? {} : { belongs }),
  };
}

async function checkRdb(source: AsyncIterable<Uint8Array>, options: CheckOptions): Promise<SnapshotCheck> {
  const { operation, phase } = options;
  let digest = createDigest();
  let bytes = 0;
  const walker = new RdbWalker({
    onEntry: (entry) => digest.add(entry),
    onLarge: (head) => digest.addLarge(head),
    onFunction: (code) => digest.addFunction(code),
  });
  for await (const chunk of source) {
    if (operation.signal.aborted) throw abortError(operation.signal, phase);
    if (bytes === 0) digest = createDigest(digestOptions(options));
    walker.push(chunk);
    bytes += chunk.length;
    operation.onProgress({ phase, bytes, items: walker.keys });
  }
  walker.end();
  const { keys, databases, functions, expired, strangers } = digest;
  return { keys, databases, functions, digest: digest.digest(), expired, strangers };
}
