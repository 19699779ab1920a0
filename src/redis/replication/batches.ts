import type { Socket } from 'node:net';
import { release } from '../../platform/release-memory.ts';

/** A batch is given when so much is there; until it is taken the socket rests, which holds the server back. */
const BATCH_BYTES = 256 * 1024;
/** A batch that is not full is given so long after its first byte: behind a snapshot's end a server is silent. */
const LINGER_MS = 2;

/** What comes out of a socket, in few large pieces. */
export interface SocketBatches {
  /**
   * The next bytes, at least one; undefined where no more will come. Rejects with the error of the socket.
   * They are good until the next call, which empties the buffer and every view of it.
   */
  next(): Promise<Buffer | undefined>;
}

/**
 * Takes over a socket that nobody listens to. It reads some 16 KiB at a time, each into memory of its own, which V8 counts
 * against the size of its heap: for 120 MiB it marked the whole heap ten times, a third of a worker's processor time
 * (measured). So a read is copied and its memory freed, and the batches share two pieces of memory in turn.
 */
export function createSocketBatches(socket: Socket): SocketBatches {
  let given = new ArrayBuffer(BATCH_BYTES);
  let filling = new ArrayBuffer(BATCH_BYTES);
  let filledBytes = 0;
  let isDue = false;
  let over: { readonly error: Error | undefined } | undefined;
  let linger: NodeJS.Timeout | undefined;
  let wake: (() => void) | undefined;

  const makeDue = (): void => {
    clearTimeout(linger);
    linger = undefined;
    isDue = true;
    wake?.();
  };
  const end = (error?: Error): void => {
    over ??= { error };
    makeDue();
  };
  const take = (bytes: Buffer): void => {
    const sizeBytes = filledBytes + bytes.length;
    if (sizeBytes > filling.byteLength) filling = filling.transfer(sizeBytes);
    new Uint8Array(filling).set(bytes, filledBytes);
    filledBytes = sizeBytes;
    release(bytes);
    if (filledBytes >= BATCH_BYTES) {
      socket.pause();
      makeDue();
    } else if (!isDue) {
      linger ??= setTimeout(makeDue, LINGER_MS);
    }
  };
  socket
    .on('data', take)
    .on('end', () => end())
    .on('close', () => end())
    .on('error', end)
    .resume();

  return {
    async next() {
      // The same memory under another name: whoever still holds the last batch finds it empty, not changed.
      given = given.transfer();
      if (!isDue) await new Promise<void>((resolve) => (wake = resolve));
      if (filledBytes === 0) {
        if (over?.error !== undefined) throw over.error;
        return undefined;
      }
      [given, filling] = [filling, given];
      const batch = Buffer.from(given, 0, filledBytes);
      filledBytes = 0;
      isDue = over !== undefined;
      socket.resume();
      return batch;
    },
  };
}
