import { LifeboatError } from '../../../domain/errors.ts';
import type { JournalEntry } from '../../../domain/journal.ts';
import { formatLsn, lsnOf, segmentName } from '../../../domain/lsn.ts';
import type { ChainPart } from '../../../domain/wal-chain.ts';
import type { WalReplay } from '../../../domain/wal-replay.ts';
import { historyFileName, parseTimelineHistory, type TimelineHistory } from '../../../domain/timeline.ts';

/** Gives the bytes of a stored object, checked. */
export type ReadPart = (part: ChainPart) => AsyncIterable<Uint8Array>;

/** A file as a server wants it: in pg_wal, or by its restore_command. */
export interface WalFile {
  readonly name: string;
  readonly bytes: number;
  /** Exactly `bytes` bytes; rejects with JOURNAL_GAP where an object holds less than its entry says. To be read once. */
  read(): AsyncIterable<Uint8Array>;
}

const ZEROS = Buffer.alloc(65_536);

/** The files of a replay, in its order: history files first, then segments, each padded to its full size. */
export function assembleWal(replay: WalReplay, read: ReadPart): WalFile[] {
  const { segmentBytes } = replay;
  const histories = replay.histories.map((part) => ({
    name: historyFileName(part.entry.timeline),
    bytes: part.entry.plainBytes,
    read: () => read(part),
  }));
  const segments = replay.segments.map(({ timeline, from, parts }) => {
    const start = lsnOf(from);
    const readSegment = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      let missing = segmentBytes;
      for (const part of parts) {
        const wanted = lengthOf(part.entry) - part.skipBytes;
        yield* slice(read(part), { skip: part.skipBytes, wanted, entry: part.entry });
        missing -= wanted;
      }
      for (; missing > 0; missing -= ZEROS.length) yield ZEROS.subarray(0, missing);
    };
    return { name: segmentName(timeline, start, segmentBytes), bytes: segmentBytes, read: readSegment };
  });
  return [...histories, ...segments];
}

/** What the history files of a journal say, by the keys of their entries, for planWalReplay. @throws LifeboatError JOURNAL_HISTORY_MISMATCH */
export async function readHistories(
  parts: readonly ChainPart[],
  read: ReadPart,
): Promise<Map<string, TimelineHistory>> {
  const histories = new Map<string, TimelineHistory>();
  for (const part of parts) {
    const { kind, timeline, key } = part.entry;
    if (kind !== 'history') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of read(part)) chunks.push(chunk);
    const history = parseTimelineHistory(timeline, Buffer.concat(chunks).toString('utf8'));
    if (typeof history === 'string') throw new LifeboatError('JOURNAL_HISTORY_MISMATCH', `read ${key}: ${history}`);
    histories.set(key, history);
  }
  return histories;
}

async function* slice(
  source: AsyncIterable<Uint8Array>,
  range: { readonly skip: number; readonly wanted: number; readonly entry: JournalEntry },
): AsyncGenerator<Uint8Array, void, undefined> {
  let { skip, wanted } = range;
  for await (const chunk of source) {
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    wanted -= chunk.length - skipped;
    // More than the entry says is as wrong as less.
    if (wanted < 0) break;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
  if (wanted === 0) return;
  const { key, from, to } = range.entry;
  const at = formatLsn(lsnOf(to) - BigInt(Math.max(wanted, 0)));
  throw new LifeboatError('JOURNAL_GAP', `read ${key}: it does not hold ${from} to ${to} (${at})`);
}

function lengthOf({ from, to }: JournalEntry): number {
  return Number(lsnOf(to) - lsnOf(from));
}
