import { setTimeout as delay } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { endOnAbort } from './local-read.ts';
import type { ObjectStore } from './object-store.ts';

/** What may pass at once after a pause: short enough that a line does not notice. */
const BURST_MS = 250;

/** The same store, through which at most so many bytes a second go in each direction, over all its streams. */
export function limitRate(store: ObjectStore, bytesPerSecond: number): ObjectStore {
  const up = createPace(bytesPerSecond);
  const down = createPace(bytesPerSecond);
  return {
    ...store,
    async put(key, body, options = {}) {
      const chunks = body instanceof Uint8Array ? slices(body) : body;
      return store.put(key, paced(chunks, up, options.signal), options);
    },
    async get(key, options = {}) {
      const source = await store.get(key, options);
      const stream = Readable.from(paced(source, down, options.signal), { objectMode: false });
      // A generator that was never read would leave the source open.
      stream.once('close', () => source.destroy());
      endOnAbort(stream, options.signal);
      return stream;
    },
  };
}

const SLICE_BYTES = 256 * 1024;

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}

type Pace = (bytes: number, signal: AbortSignal | undefined) => Promise<void>;

/** Every chunk takes its time before the next one; streams that go at once share it. */
function createPace(bytesPerSecond: number): Pace {
  let freeAt = 0;
  return async (bytes, signal) => {
    const now = Date.now();
    freeAt = Math.max(freeAt, now - BURST_MS) + (bytes / bytesPerSecond) * 1_000;
    if (freeAt > now) await delay(freeAt - now, undefined, signal === undefined ? {} : { signal });
  };
}

async function* paced(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  pace: Pace,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    try {
      await pace(chunk.byteLength, signal);
    } catch (error) {
      // The timer's own error hides the reason.
      throw signal?.aborted === true ? signal.reason : error;
    }
    yield chunk;
  }
}
