import { PassThrough, type Duplex } from 'node:stream';

/** Waiting for the reader: the cipher works on one chunk while the reader takes another. */
const CHUNKS_AHEAD = 2;
/** Waiting behind these. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Sends bytes through a stream and gives what comes out. Errors of `source` pass unchanged; errors of the stream go
 * through `explain`. The source is closed before the iteration settles, also when the reader stops early.
 *
 * The stream is never destroyed, always ended, and what it still gives is thrown away: the encryption library joins its
 * inner streams by a `pipeline` without callback, which throws past everybody when one is destroyed, and the process ends.
 */
export async function* through(
  source: AsyncIterable<Uint8Array>,
  stream: Duplex,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Buffer> {
  // Chunks stay as they are: a stream of bytes would copy those that wait into one, and so make as much memory again.
  const output = new PassThrough({
    readableObjectMode: true,
    readableHighWaterMark: CHUNKS_AHEAD,
    writableHighWaterMark: BUFFER_BYTES,
  });
  const pump = createPump(source, stream);
  let failure: { readonly error: unknown } | undefined;
  // Stays for good: the library reports some errors a second time, after everything is over.
  stream.on('error', (error) => {
    failure ??= { error: explain(error) };
    pump.stop();
    output.destroy(error);
  });
  stream.pipe(output);
  const pumping = pump.run();
  try {
    const chunks: AsyncIterable<Buffer> = output;
    for await (const chunk of chunks) yield chunk;
  } catch (error) {
    failure ??= { error };
  } finally {
    pump.stop();
    stream.resume();
    failure = (await pumping) ?? failure;
  }
  if (failure !== undefined) throw failure.error;
}

interface Pump {
  /** Writes the source to the stream and ends the stream; gives the source's failure, if any. */
  run(): Promise<{ readonly error: unknown } | undefined>;
  stop(): void;
}

function createPump(source: AsyncIterable<Uint8Array>, stream: Duplex): Pump {
  let stopped = false;
  let wake: (() => void) | undefined;
  const untilWoken = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  stream.on('drain', () => wake?.());
  return {
    async run() {
      try {
        for await (const chunk of source) {
          if (!stopped && !stream.write(chunk)) await untilWoken();
          if (stopped) break;
        }
        return undefined;
      } catch (error) {
        return { error };
      } finally {
        stream.end();
      }
    },
    stop() {
      stopped = true;
      wake?.();
    },
  };
}
