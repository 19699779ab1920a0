import type { StreamChunk, StreamSource } from '../journal.ts';
import { ExpiryRewriter } from './expiry-rewriter.ts';

/** Redis 7 sends every expiry as an instant (https://github.com/redis/redis/pull/8474); before, as the time that is left. */
const INSTANTS_SINCE_MAJOR = 7;

/** Does a server of this version send expiries that count from when a replica takes them? Not where the version is unknown. */
export function sendsRelativeExpiries(version: string): boolean {
  return Number.parseInt(version, 10) < INSTANTS_SINCE_MAJOR;
}

/**
 * A stream whose expiries are instants, so that it can be taken at any later time: what is left counts from when the journal
 * received the command. `cut` gives the bytes that are wanted of the same stream, in smaller chunks.
 */
export async function* absoluteExpiries(
  stream: StreamSource,
  { from, cut }: { readonly from: number | undefined; readonly cut: (timed: StreamSource) => AsyncIterable<Buffer> },
): AsyncGenerator<Buffer, void, undefined> {
  const rewriter = new ExpiryRewriter();
  let receivedMs = 0;
  const timed = async function* (): AsyncGenerator<StreamChunk, void, undefined> {
    for await (const chunk of stream()) {
      for (const piece of splitByTime(chunk)) {
        // A cut begins in its first chunk: pieces of that which lie before it are none of its business.
        if (from !== undefined && piece.from + piece.bytes.length <= from) continue;
        receivedMs = piece.fromMs;
        yield piece;
      }
    }
  };
  for await (const part of cut(timed)) {
    const rewritten = rewriter.push(part, receivedMs);
    if (rewritten.length > 0) yield rewritten;
  }
}

/** Chunks of one time each. */
function* splitByTime({ from, bytes, fromMs, marks }: StreamChunk): Generator<StreamChunk, void, undefined> {
  let [at, timeMs] = [0, fromMs];
  for (const [count, milliseconds] of marks) {
    timeMs += milliseconds;
    if (count > 0)
      yield { from: from + at, bytes: bytes.subarray(at, at + count), fromMs: timeMs, marks: [[count, 0]] };
    at += count;
  }
  if (at < bytes.length) {
    const rest = bytes.subarray(at);
    yield { from: from + at, bytes: rest, fromMs: timeMs, marks: [[rest.length, 0]] };
  }
}
