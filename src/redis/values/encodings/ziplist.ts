import { decimal } from './byte-cursor.ts';
import { corrupt } from './corrupt.ts';

/** Total bytes and offset of the last entry (32 bits each), number of entries (16 bits, 65535 = unknown); ziplist.c. */
const HEADER_BYTES = 10;
const COUNT_UNKNOWN = 65_535;
const END = 0xff;
/** A previous length of 254 and more takes four bytes behind this mark. */
const LONG_PREVIOUS = 0xfe;

/** Reads the entries of a ziplist (Redis before 7.0) in order; integers come out as decimal text. */
export class ZiplistCursor {
  readonly #bytes: Buffer;
  #position = HEADER_BYTES;
  #read = 0;

  constructor(bytes: Buffer) {
    if (bytes.length < HEADER_BYTES + 1) corrupt('ziplist', 'shorter than its header');
    if (bytes.readUInt32LE(0) !== bytes.length) corrupt('ziplist', 'size differs from its header');
    this.#bytes = bytes;
  }

  /** The next entry, undefined behind the last. */
  next(): Buffer | undefined {
    const previous = this.#bytes[this.#position];
    if (previous === END) return this.#end();
    this.#take(previous === LONG_PREVIOUS ? 5 : 1);
    this.#read += 1;
    const first = this.#bytes[this.#take(1)]!;
    switch (first >> 6) {
      case 0:
        return this.#string(first & 63);
      case 1:
        return this.#string(((first & 63) << 8) | this.#bytes[this.#take(1)]!);
      case 2:
        return this.#string(this.#bytes.readUInt32BE(this.#take(4)));
      default:
        return decimal(this.#integer(first));
    }
  }

  #integer(first: number): number | bigint {
    switch (first) {
      case 0xc0:
        return this.#bytes.readInt16LE(this.#take(2));
      case 0xd0:
        return this.#bytes.readInt32LE(this.#take(4));
      case 0xe0:
        return this.#bytes.readBigInt64LE(this.#take(8));
      case 0xf0:
        return this.#bytes.readIntLE(this.#take(3), 3);
      case 0xfe:
        return this.#bytes.readInt8(this.#take(1));
      default:
        if (first > 0xf0 && first < 0xfe) return (first & 15) - 1;
        return corrupt('ziplist', `entry starts with byte ${first}`);
    }
  }

  #string(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Moves past `size` bytes and gives where they start; the end mark must still come. */
  #take(size: number): number {
    const start = this.#position;
    if (start + size >= this.#bytes.length) corrupt('ziplist', 'an entry runs past the end');
    this.#position = start + size;
    return start;
  }

  #end(): undefined {
    if (this.#position !== this.#bytes.length - 1) corrupt('ziplist', 'bytes behind the end mark');
    const count = this.#bytes.readUInt16LE(8);
    if (count !== COUNT_UNKNOWN && count !== this.#read)
      corrupt('ziplist', `${this.#read} entries instead of ${count}`);
    return undefined;
  }
}
