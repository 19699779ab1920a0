import { LifeboatError } from '../../../domain/errors.ts';
import type { StreamChunk, StreamCut, StreamSource } from '../journal.ts';
import { StreamFramer } from './stream-framer.ts';

/** Shorter than this an unfinished command may still be one that is left out; PING and REPLCONF are far shorter. */
const HELD_BACK_BYTES = 256;
const NOTHING: Buffer = Buffer.alloc(0);

export interface CutStreamOptions {
  /** The snapshot's offset, where the stream has to begin; undefined where only the stream knows it. */
  readonly from: number | undefined;
  readonly cut: StreamCut;
  /** Leave out PING and REPLCONF, which belong to the link and not to the data. */
  readonly dataOnly: boolean;
}

/**
 * The bytes of a stream from the snapshot to the cut. It ends clean only when they are all there, without a hole, and no
 * command or transaction is open at the cut: JOURNAL_GAP, REDIS_STREAM_DAMAGED.
 */
export async function* cutStream(
  stream: StreamSource,
  options: CutStreamOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { cut } = options;
  let framer = options.from === undefined ? undefined : framerAt(options.from);
  let held: Buffer = NOTHING;
  if (framer?.offset === cut.offset) return requireEnd(framer, cut);
  for await (const chunk of stream()) {
    framer ??= framerAt(chunk.from);
    const bytes = partOf(chunk, framer.offset, cut.offset);
    if (options.dataOnly) {
      const kept = keepData(framer, held, bytes);
      held = kept.held;
      yield* kept.parts;
    } else {
      framer.push(bytes);
      if (bytes.length > 0) yield bytes;
    }
    if (framer.offset === cut.offset) break;
  }
  return requireEnd(framer, cut);
}

function framerAt(offset: number): StreamFramer {
  return new StreamFramer({ offset, database: null, insideMulti: false });
}

/** What of a chunk lies before the end. The first one may begin before the snapshot, which the others cannot. */
function partOf(chunk: StreamChunk, from: number, end: number): Buffer {
  const { buffer, byteOffset, length } = chunk.bytes;
  if (chunk.from > from || (chunk.from < from && chunk.from + length <= from)) {
    throw new LifeboatError('JOURNAL_GAP', `read redis stream: chunk at ${chunk.from}, expected at ${from}`, {
      details: { expected: from, actual: chunk.from },
    });
  }
  const begin = from - chunk.from;
  return Buffer.from(buffer, byteOffset + begin, Math.max(0, Math.min(length, end - chunk.from) - begin));
}

/** Takes commands of the link out of `held` and `bytes`; keeps back the beginning of a command that may be one. */
function keepData(framer: StreamFramer, held: Buffer, bytes: Buffer): { parts: Buffer[]; held: Buffer } {
  const start = framer.offset - held.length;
  const dropped: (readonly [from: number, to: number])[] = [];
  framer.push(bytes, ({ name, from, to }) => {
    if (name === 'PING' || name === 'REPLCONF') dropped.push([from, to]);
  });
  const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
  const unfinished = framer.offset - framer.commandEnd;
  const end = unfinished < HELD_BACK_BYTES ? framer.commandEnd : framer.offset;
  const parts: Buffer[] = [];
  let at = start;
  for (const [from, to] of [...dropped, [end, end] as const]) {
    if (from > at) parts.push(all.subarray(at - start, from - start));
    at = Math.max(at, to);
  }
  // A copy: the chunk belongs to its giver again when the next one is asked for.
  return { parts, held: Buffer.from(all.subarray(Math.max(at, end) - start)) };
}

function requireEnd(framer: StreamFramer | undefined, cut: StreamCut): void {
  if (framer?.offset === cut.offset && framer.transactionEnd === cut.offset) return;
  const end = framer?.offset ?? 0;
  const fact = end === cut.offset ? 'a command or transaction is open there' : `it ends at ${end}`;
  throw new LifeboatError('REDIS_STREAM_DAMAGED', `read redis stream to offset ${cut.offset}: ${fact}`, {
    details: { cut: cut.offset, end },
  });
}
