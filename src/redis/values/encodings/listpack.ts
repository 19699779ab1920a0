import { decimal } from './byte-cursor.ts';
import { corrupt } from './corrupt.ts';

/** Total bytes (32 bits) and number of elements (16 bits, 65535 = unknown); listpack.c of Redis. */
const HEADER_BYTES = 6;
const COUNT_UNKNOWN = 65_535;
const END = 0xff;

/** Reads the elements of a listpack in order. Integers come out as decimal text: a client cannot tell the difference. */
export class ListpackCursor {
  readonly #bytes: Buffer;
  #position = HEADER_BYTES;
  #read = 0;

  constructor(bytes: Buffer) {
    if (bytes.length < HEADER_BYTES + 1) corrupt('listpack', 'shorter than its header');
    if (bytes.readUInt32LE(0) !== bytes.length) corrupt('listpack', 'size differs from its header');
    this.#bytes = bytes;
  }

  /** The next element, undefined behind the last. */
  next(): Buffer | undefined {
    const first = this.#bytes[this.#position];
    if (first === END) return this.#end();
    if (first === undefined) corrupt('listpack', 'no end mark');
    this.#read += 1;
    if (first < 0x80) return this.#integer(1, first);
    if (first < 0xc0) return this.#string(1, first & 63);
    if (first < 0xe0) return this.#integer(2, this.#signed13(first));
    if (first < 0xf0) return this.#string(2, ((first & 15) << 8) | this.#byte(1));
    return this.#wide(first);
  }

  /** The next element where only an integer can stand. */
  integer(): bigint {
    const text = this.element().toString('latin1');
    if (!/^-?\d{1,20}$/.test(text)) corrupt('listpack', 'text where a number must stand');
    return BigInt(text);
  }

  /** The next element where one must be. */
  element(): Buffer {
    return this.next() ?? corrupt('listpack', 'an element is missing');
  }

  #wide(first: number): Buffer {
    const at = this.#position + 1;
    switch (first) {
      case 0xf0:
        return this.#string(5, this.#need(at, 4).readUInt32LE(at));
      case 0xf1:
        return this.#integer(3, this.#need(at, 2).readInt16LE(at));
      case 0xf2:
        return this.#integer(4, this.#need(at, 3).readIntLE(at, 3));
      case 0xf3:
        return this.#integer(5, this.#need(at, 4).readInt32LE(at));
      case 0xf4:
        return this.#integer(9, this.#need(at, 8).readBigInt64LE(at));
      default:
        return corrupt('listpack', `element starts with byte ${first}`);
    }
  }

  #signed13(first: number): number {
    const value = ((first & 31) << 8) | this.#byte(1);
    return value >= 4096 ? value - 8192 : value;
  }

  #integer(size: number, value: number | bigint): Buffer {
    this.#skip(size);
    return decimal(value);
  }

  #string(headerSize: number, length: number): Buffer {
    const start = this.#position + headerSize;
    this.#skip(headerSize + length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Past an element of `size` bytes and the back length that follows it. */
  #skip(size: number): void {
    this.#position += size + backLengthBytes(size);
    if (this.#position >= this.#bytes.length) corrupt('listpack', 'an element runs past the end');
  }

  #byte(offset: number): number {
    return this.#bytes[this.#position + offset] ?? corrupt('listpack', 'ends early');
  }

  #need(at: number, size: number): Buffer {
    if (at + size > this.#bytes.length) corrupt('listpack', 'ends early');
    return this.#bytes;
  }

  #end(): undefined {
    if (this.#position !== this.#bytes.length - 1) corrupt('listpack', 'bytes behind the end mark');
    const count = this.#bytes.readUInt16LE(4);
    if (count !== COUNT_UNKNOWN && count !== this.#read)
      corrupt('listpack', `${this.#read} elements instead of ${count}`);
    return undefined;
  }
}

/** Size of the back length of an element, as lpEncodeBacklen writes it: 7 bits a byte, the limits included as they are. */
function backLengthBytes(size: number): number {
  if (size <= 127) return 1;
  if (size < 16_383) return 2;
  if (size < 2_097_151) return 3;
  return size < 268_435_455 ? 4 : 5;
}
