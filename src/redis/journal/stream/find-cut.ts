import { LifeboatError } from '../../../domain/errors.ts';
import type { Operation } from '../../../domain/operation.ts';
import { abortError } from '../../connect.ts';
import type { StreamChunk, StreamCut, StreamSource } from '../journal.ts';
import { StreamFramer } from './stream-framer.ts';

export type WantedCut = { readonly atMs: number } | { readonly offset: number };

/**
 * The last place at or before a time or an offset where no command is half and no transaction open. The time of a byte
 * is that of the mark that covers it, when it had been received at the latest: what is said to be before T was.
 * A stream that ends before the time is cut at its end: whether something may be missing there, its owner knows.
 * JOURNAL_TARGET_OUTSIDE for an offset that the stream does not reach, and without any chunk; JOURNAL_GAP between chunks.
 */
export async function findCut(stream: StreamSource, wanted: WantedCut, operation: Operation): Promise<StreamCut> {
  let reader: { readonly framer: StreamFramer; readonly clock: CutClock } | undefined;
  let bytes = 0;
  for await (const chunk of stream()) {
    if (operation.signal.aborted) throw abortError(operation.signal, 'look for the cut in the redis stream');
    reader ??= openReader(chunk, wanted);
    const { framer, clock } = reader;
    requireNext(framer, chunk);
    const limit = limitOf(chunk, wanted);
    framer.push(Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, limit - chunk.from));
    clock.note(chunk, framer.transactionEnd);
    bytes += limit - chunk.from;
    operation.onProgress({ phase: 'looking for the cut', bytes });
    if (limit < chunk.from + chunk.bytes.length) return { offset: framer.transactionEnd, timeMs: clock.timeMs };
  }
  if (reader === undefined || ('offset' in wanted && wanted.offset > reader.framer.offset)) {
    throw outside(wanted, `the stream ends at ${reader?.framer.offset ?? 'its beginning'}`);
  }
  return { offset: reader.framer.transactionEnd, timeMs: reader.clock.timeMs };
}

function openReader(chunk: StreamChunk, wanted: WantedCut): { framer: StreamFramer; clock: CutClock } {
  if ('offset' in wanted && wanted.offset < chunk.from) throw outside(wanted, `the stream begins at ${chunk.from}`);
  const framer = new StreamFramer({ offset: chunk.from, database: null, insideMulti: false });
  return { framer, clock: new CutClock(chunk, wanted) };
}

function requireNext(framer: StreamFramer, { from }: StreamChunk): void {
  if (framer.offset === from) return;
  throw new LifeboatError('JOURNAL_GAP', `read redis stream: chunk at ${from}, expected at ${framer.offset}`, {
    details: { expected: framer.offset, actual: from },
  });
}

/** Offset behind the last byte of the chunk that may be looked at. */
function limitOf(chunk: StreamChunk, wanted: WantedCut): number {
  const end = chunk.from + chunk.bytes.length;
  if ('offset' in wanted) return Math.min(wanted.offset, end);
  let [offset, timeMs] = [chunk.from, chunk.fromMs];
  for (const [bytes, milliseconds] of chunk.marks) {
    timeMs += milliseconds;
    if (timeMs > wanted.atMs) return offset;
    offset += bytes;
  }
  return end;
}

/** Keeps when the byte before the cut was received. */
class CutClock {
  timeMs: number;
  #cut: number;

  constructor(first: StreamChunk, wanted: WantedCut) {
    this.#cut = first.from;
    // Nothing of the stream is in the cut then: it stands for the snapshot in front.
    this.timeMs = 'atMs' in wanted ? Math.min(first.fromMs, wanted.atMs) : first.fromMs;
  }

  note(chunk: StreamChunk, cut: number): void {
    if (cut === this.#cut) return;
    this.#cut = cut;
    let [offset, timeMs] = [chunk.from, chunk.fromMs];
    for (const [bytes, milliseconds] of chunk.marks) {
      timeMs += milliseconds;
      offset += bytes;
      if (offset >= cut) break;
    }
    this.timeMs = timeMs;
  }
}

function outside(wanted: WantedCut, fact: string): LifeboatError {
  const target = 'offset' in wanted ? `offset ${wanted.offset}` : new Date(wanted.atMs).toISOString();
  return new LifeboatError('JOURNAL_TARGET_OUTSIDE', `cut the redis stream at ${target}: ${fact}`);
}
