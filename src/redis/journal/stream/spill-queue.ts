import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError, messageOf } from '../../../domain/errors.ts';
import { systemErrorCode } from '../../../platform/system-error.ts';
import { Pieces } from './pieces.ts';

/** So much waits in memory before the file is used. */
const MEMORY_MAX_BYTES = 8 * 1024 ** 2;
/** Written to the file in pieces of at least this size. */
const WRITE_BYTES = 1024 ** 2;
const WRITE_MAX_BYTES = 4 * WRITE_BYTES;
/** Bytes that wait for a disk that is slow itself; above it the reader of the socket should pause. */
const UNWRITTEN_MAX_BYTES = 16 * 1024 ** 2;

export interface SpillOptions {
  readonly directory: string;
  /** Size of the file at most. */
  readonly maxBytes: number;
  /** Called when bytes could be written or were taken: a paused writer may look again. */
  readonly onRelief: () => void;
  readonly onFailure: (error: LifeboatError) => void;
}

/**
 * Bytes first in, first out: the oldest in memory, then those in a file that is used as a ring, then the newest in
 * memory. The file is made when it is needed first, 0600, and has no name from then on: the system takes it back when
 * this process ends, however it ends.
 */
export class SpillQueue {
  readonly #options: SpillOptions;
  readonly #head = new Pieces();
  readonly #tail = new Pieces();
  #file: FileHandle | undefined;
  /** Positions in the endless sequence of spilled bytes; modulo `maxBytes` they are places in the file. */
  #readAt = 0;
  #writtenTo = 0;
  #writing: Promise<void> | undefined;
  /** On the way to the file: neither in memory nor there. */
  #writingBytes = 0;
  #closed = false;
  #failed = false;

  constructor(options: SpillOptions) {
    this.#options = options;
  }

  get sizeBytes(): number {
    return this.#head.sizeBytes + this.#spilledBytes + this.#writingBytes + this.#tail.sizeBytes;
  }

  get #spilledBytes(): number {
    return this.#writtenTo - this.#readAt;
  }

  /** The disk does not keep up. */
  get congested(): boolean {
    return this.#tail.sizeBytes > UNWRITTEN_MAX_BYTES;
  }

  /** No room in the file for what is here already. */
  get full(): boolean {
    return this.#spilledBytes + this.#writingBytes + this.#tail.sizeBytes > this.#options.maxBytes;
  }

  push(bytes: Buffer): void {
    const behindHead = this.#spilledBytes + this.#writingBytes + this.#tail.sizeBytes;
    if (behindHead === 0 && this.#head.sizeBytes + bytes.length <= MEMORY_MAX_BYTES) {
      this.#head.push(bytes);
      return;
    }
    this.#tail.push(bytes);
    this.#spill();
  }

  /** The next bytes, exactly so many; there must be as many. To be called by one reader at a time. */
  async take(count: number): Promise<Buffer> {
    const result = Buffer.allocUnsafeSlow(count);
    let filled = 0;
    while (filled < count) {
      filled += this.#head.copyTo(result, filled);
      if (filled < count) filled += await this.#takeBehindHead(result, filled);
    }
    this.#spill();
    this.#options.onRelief();
    return result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #takeBehindHead(result: Buffer, at: number): Promise<number> {
    if (this.#spilledBytes > 0) return await this.#readFile(result, at);
    // What is being written is in neither place until it is done.
    if (this.#writing !== undefined) {
      await this.#writing;
      // Another write may have begun by now; that one is waited for in its turn.
      if (this.#failed) throw spillError('read spilled stream', new Error('its file could not be written'));
      return 0;
    }
    return this.#tail.copyTo(result, at);
  }

  async #readFile(result: Buffer, at: number): Promise<number> {
    const { maxBytes } = this.#options;
    const place = this.#readAt % maxBytes;
    const length = Math.min(result.length - at, this.#spilledBytes, maxBytes - place);
    const { bytesRead } = await this.#file!.read(result, at, length, place);
    if (bytesRead === 0) throw spillError('read spilled stream', new Error('its file is too short'));
    this.#readAt += bytesRead;
    return bytesRead;
  }

  /** Begins to write the tail where memory runs short, there is room in the file, and nothing is being written. */
  #spill(): void {
    const { maxBytes } = this.#options;
    const scarce = this.#spilledBytes > 0 || this.#head.sizeBytes + this.#tail.sizeBytes > MEMORY_MAX_BYTES;
    const room = maxBytes - this.#spilledBytes >= Math.min(WRITE_BYTES, maxBytes);
    const enough = this.#tail.sizeBytes >= WRITE_BYTES;
    if (this.#writing !== undefined || this.#closed || !scarce || !room || !enough) return;
    this.#writing = this.#writeAndGoOn();
  }

  async #writeAndGoOn(): Promise<void> {
    try {
      await this.#write();
    } catch (cause) {
      this.#closed = true;
      this.#failed = true;
      this.#options.onFailure(spillError(`spill redis stream to ${this.#options.directory}`, cause));
      return;
    }
    this.#writing = undefined;
    this.#options.onRelief();
    this.#spill();
  }

  /** Writes as much of the tail as has room; the rest stays where it is. */
  async #write(): Promise<void> {
    const { maxBytes } = this.#options;
    this.#file ??= await openNameless(this.#options.directory);
    if (this.#spilledBytes === 0) await this.#startAnew();
    const place = this.#writtenTo % maxBytes;
    const room = Math.min(maxBytes - this.#spilledBytes, maxBytes - place, WRITE_MAX_BYTES);
    const piece = this.#tail.take(room);
    this.#writingBytes = piece.length;
    for (let done = 0; done < piece.length;) {
      done += (await this.#file.write(piece, done, piece.length - done, place + done)).bytesWritten;
    }
    this.#writtenTo += piece.length;
    this.#writingBytes = 0;
  }

  /** Everything was read: the disk gets its space back. */
  async #startAnew(): Promise<void> {
    this.#readAt = 0;
    this.#writtenTo = 0;
    await this.#file!.truncate(0);
  }
}

function spillError(doing: string, cause: unknown): LifeboatError {
  return new LifeboatError('REDIS_SPILL_FULL', `${doing}: ${messageOf(cause)}`, { cause });
}

async function openNameless(directory: string): Promise<FileHandle> {
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  });
  const path = join(directory, `redis-stream-${randomBytes(6).toString('hex')}.spill`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}
