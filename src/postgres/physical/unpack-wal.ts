import { LifeboatError } from '../../domain/errors.ts';
import type { BackupManifest } from './backup-manifest.ts';
import type { DataDirectory } from './data-directory.ts';
import { formatLsn, parseLsn, segmentName } from './wal-position.ts';

export interface WalOfBase {
  readonly manifest: BackupManifest;
  /** `timeline`, `from`, `walSegmentBytes`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly source: AsyncIterable<Uint8Array>;
}

const FILE_MODE = 0o600;

/**
 * Writes a base's own WAL as segments of pg_wal, each with the mark that it is archived. Behind the end of the base there are
 * zeros: on a standby a file may hold older or later bytes there, and nothing after the end belongs to the base.
 */
export async function unpackWal(directory: DataDirectory, wal: WalOfBase, signal: AbortSignal): Promise<void> {
  const { manifest, attributes } = wal;
  const timeline = Number(attributes['timeline']);
  const walSegmentBytes = Number(attributes['walSegmentBytes']);
  const from = parseLsn(attributes['from'] ?? '');
  const end = parseLsn(manifest.endLsn);
  if (timeline !== manifest.timeline || from > parseLsn(manifest.startLsn) || !isSegmentSize(walSegmentBytes)) {
    throw damaged(`it begins at ${attributes['from']} on timeline ${timeline}, the base at ${manifest.startLsn}`);
  }
  const cursor = createCursor(wal.source);
  try {
    for (let at = from; at < end; at += BigInt(walSegmentBytes)) {
      signal.throwIfAborted();
      const name = segmentName({ timeline, from: at }, walSegmentBytes);
      const rest = end - at;
      const usedBytes = rest < BigInt(walSegmentBytes) ? Number(rest) : walSegmentBytes;
      const content = padded(cursor.take(walSegmentBytes), usedBytes, walSegmentBytes);
      const { sizeBytes } = await directory.writeFile({ name: `pg_wal/${name}`, mode: FILE_MODE, content });
      if (sizeBytes !== walSegmentBytes) throw damaged(`it ends before ${formatLsn(end)}`);
      const mark = { name: `pg_wal/archive_status/${name}.done`, mode: FILE_MODE, content: nothing() };
      await directory.writeFile(mark);
    }
    await cursor.drain();
  } finally {
    await cursor.close();
  }
}

/** The first `usedBytes` of the source, then zeros; shorter where the source gave fewer than `usedBytes`. */
async function* padded(
  source: AsyncIterable<Uint8Array>,
  usedBytes: number,
  totalBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let used = 0;
  for await (const chunk of source) {
    const part = chunk.subarray(0, usedBytes - used);
    used += part.length;
    if (part.length > 0) yield part;
  }
  if (used < usedBytes) return;
  for (let left = totalBytes - usedBytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

const ZEROS = Buffer.alloc(1024 * 1024);

/** A stream that is read in parts. */
function createCursor(source: AsyncIterable<Uint8Array>): {
  take(bytes: number): AsyncGenerator<Uint8Array, void, undefined>;
  drain(): Promise<void>;
  close(): Promise<void>;
} {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const more = async (): Promise<boolean> => {
    const { value, done } = await iterator.next();
    rest = done === true ? new Uint8Array() : value;
    return done !== true;
  };
  return {
    async *take(bytes) {
      for (let left = bytes; left > 0;) {
        if (rest.length === 0 && !(await more())) return;
        const part = rest.subarray(0, left);
        rest = rest.subarray(part.length);
        left -= part.length;
        if (part.length > 0) yield part;
      }
    },
    async drain() {
      while (await more());
    },
    async close() {
      await iterator.return?.();
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // An empty file.
}

/** 1 MiB to 1 GiB, a power of two: `--wal-segsize` of initdb. */
function isSegmentSize(bytes: number): boolean {
  return Number.isInteger(Math.log2(bytes)) && bytes >= 1024 * 1024 && bytes <= 1024 * 1024 * 1024;
}

function damaged(what: string): LifeboatError {
  return new LifeboatError('POSTGRES_BASE_DAMAGED', `unpack the WAL of a base backup: ${what}`);
}
