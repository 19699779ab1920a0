import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { LifeboatError } from '../domain/errors.ts';
import { fileSystem } from './file-system-errors.ts';
import type { GetOptions } from './object-store.ts';

/** One read call; big enough that the thread pool hop costs little, small enough to keep memory flat. */
const READ_BYTES = 256 * 1024;

/** Opens before it gives the stream, so that a missing file rejects; a file that ends before its size fails the stream. */
export async function readFileStream(path: string, key: string, options: GetOptions): Promise<Readable> {
  options.signal?.throwIfAborted();
  const handle = await fileSystem('read', `get ${key}`, () => open(path, 'r'));
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new LifeboatError('STORE_KEY_MISSING', `get ${key}: not a file`);
  }
  const stream = streamOf(handle, { key, sizeBytes: stat.size });
  endOnAbort(stream, options.signal);
  return stream;
}

/** Not an async generator: one that was never read would never close its file when the stream is destroyed. */
function streamOf(handle: FileHandle, file: { readonly key: string; readonly sizeBytes: number }): Readable {
  let offset = 0;
  const readNext = async (): Promise<Uint8Array | null> => {
    if (offset === file.sizeBytes) return null;
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, file.sizeBytes - offset));
    const { bytesRead } = await fileSystem('read', `get ${file.key}`, () =>
      handle.read(buffer, 0, buffer.length, offset),
    );
    if (bytesRead === 0) {
      const facts = `ended after ${offset} of ${file.sizeBytes} bytes`;
      throw new LifeboatError('STORE_READ_SHORT', `get ${file.key}: ${facts}`, { details: { key: file.key } });
    }
    offset += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  const close = callbackify(() => handle.close());
  return new Readable({
    highWaterMark: READ_BYTES,
    read() {
      readNext().then(
        (chunk) => this.push(chunk),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      close((closing) => callback(error ?? closing));
    },
  });
}

/** Ends a stream with the signal's reason. `addAbortSignal` of Node would hide the reason behind an AbortError. */
export function endOnAbort(stream: Readable, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const onAbort = (): void => {
    const reason: unknown = signal.reason;
    stream.destroy(isNativeError(reason) ? reason : new Error('aborted', { cause: reason }));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', onAbort));
}
