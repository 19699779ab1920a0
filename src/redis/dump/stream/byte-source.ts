import { crc32 } from 'node:zlib';

/** Reads exact numbers of bytes from a stream, with a running CRC-32 of what was read. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);
  #position = 0;
  /** Up to here the CRC has taken the chunk. */
  #summed = 0;
  #crc = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next `size` bytes if they are at hand in one piece, as a view. */
  take(size: number): Buffer | undefined {
    const end = this.#position + size;
    if (end > this.#chunk.length) return undefined;
    const bytes = this.#chunk.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  /** The next `size` bytes; undefined when the stream ends before them. */
  async read(size: number): Promise<Buffer | undefined> {
    const whole = this.take(size);
    if (whole !== undefined) return whole;
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let filled = 0; ;) {
      const taken = this.#chunk.copy(bytes, filled, this.#position);
      this.#position += taken;
      filled += taken;
      if (filled === size) return bytes;
      if (!(await this.#advance())) return undefined;
    }
  }

  /** What is at hand, at least one byte and at most `size`; undefined at the end of the stream. */
  async some(size: number): Promise<Buffer | undefined> {
    if (await this.atEnd()) return undefined;
    return this.take(Math.min(size, this.#chunk.length - this.#position));
  }

  /** CRC-32 of everything read so far. */
  checksum(): number {
    this.#crc = crc32(this.#chunk.subarray(this.#summed, this.#position), this.#crc);
    this.#summed = this.#position;
    return this.#crc;
  }

  /** True when nothing is left. */
  async atEnd(): Promise<boolean> {
    while (this.#position === this.#chunk.length) {
      if (!(await this.#advance())) return true;
    }
    return false;
  }

  /** Lets the stream go before its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #advance(): Promise<boolean> {
    this.checksum();
    const { done, value } = await this.#chunks.next();
    if (done === true) return false;
    this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#position = 0;
    this.#summed = 0;
    return true;
  }
}
