import { readString, requireLength } from '../../rdb/encoding.ts';
import { corrupt } from './corrupt.ts';

/** First byte of a length whose 64 bits follow. */
const LENGTH_64 = 0x81;

/** Reads the body of an RDB value from the front: lengths, strings and raw numbers (rdb.c of Redis). */
export class ByteCursor {
  readonly bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  byte(): number {
    const value = this.bytes[this.position];
    if (value === undefined) corrupt('body', 'ends early');
    this.position += 1;
    return value;
  }

  /** The next `size` bytes as a view. */
  raw(size: number): Buffer {
    const start = this.position;
    const end = start + size;
    if (end > this.bytes.length) corrupt('body', 'ends early');
    this.position = end;
    return this.bytes.subarray(start, end);
  }

  /** A count or a small number. */
  length(): number {
    const { value, end } = requireLength(this.bytes, this.position);
    if (!Number.isSafeInteger(value)) corrupt('length', 'beyond 2^53');
    this.position = end;
    return value;
  }

  /** A length whose 64 bits all count: stream ids and counters. */
  length64(): bigint {
    if (this.bytes[this.position] !== LENGTH_64) return BigInt(this.length());
    this.position += 1;
    return this.raw(8).readBigUInt64BE(0);
  }

  /** A string; numbers come out as their decimal text, packed strings unpacked. A view of the body where it can be. */
  string(): Buffer {
    const { value, end } = readString(this.bytes, this.position);
    this.position = end;
    return value;
  }

  /** Milliseconds since 1970, 64 bits little-endian. */
  milliseconds(): number {
    return Number(this.raw(8).readBigInt64LE(0));
  }

  double(): number {
    return this.raw(8).readDoubleLE(0);
  }

  /** To be called when all has been read. */
  finish(): void {
    if (this.position !== this.bytes.length) corrupt('body', `${this.bytes.length - this.position} bytes left over`);
  }
}

/** An integer as a client would read it. */
export function decimal(value: number | bigint): Buffer {
  return Buffer.from(String(value), 'latin1');
}
