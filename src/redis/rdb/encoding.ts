import { LifeboatError } from '../../domain/errors.ts';
import { decompressLzf, LzfError } from './lzf.ts';

/**
 * RDB lengths and strings (rdbLoadLenByRef and rdbGenericLoadStringObject of Redis). The two high bits of the first
 * byte choose: 6-bit length, 14-bit length, 32/64-bit length, or (`encoded`) a string in a special encoding whose kind
 * is the `value`.
 */
export interface RdbLength {
  readonly value: number;
  readonly encoded: boolean;
  /** Position behind it. */
  readonly end: number;
}

/** Kinds of specially encoded strings. */
export const STRING_INT8 = 0;
export const STRING_INT16 = 1;
export const STRING_INT32 = 2;
export const STRING_LZF = 3;

/** Reads the length at `at`; undefined when its bytes go beyond `end`. Throws RDB_MALFORMED. */
export function readLength(bytes: Buffer, at: number, end: number = bytes.length): RdbLength | undefined {
  if (at >= end) return undefined;
  const first = bytes[at]!;
  switch (first >> 6) {
    case 0:
      return { value: first & 63, encoded: false, end: at + 1 };
    case 1:
      return at + 2 > end ? undefined : { value: ((first & 63) << 8) | bytes[at + 1]!, encoded: false, end: at + 2 };
    case 3:
      return { value: first & 63, encoded: true, end: at + 1 };
    default:
      return readLongLength(bytes, at, end);
  }
}

function readLongLength(bytes: Buffer, at: number, end: number): RdbLength | undefined {
  if (bytes[at] === 0x80) {
    return at + 5 > end ? undefined : { value: bytes.readUInt32BE(at + 1), encoded: false, end: at + 5 };
  }
  if (bytes[at] === 0x81) {
    if (at + 9 > end) return undefined;
    return { value: Number(bytes.readBigUInt64BE(at + 1)), encoded: false, end: at + 9 };
  }
  throw malformed(`length byte 0x${bytes[at]!.toString(16)}`);
}

/**
 * Where the string at `at` ends, for the encodings that nearly all short strings have; -1 for any other, and for one that
 * goes beyond `end`. Numbers alone, for the one loop that sees millions of them.
 */
export function endOfShortString(bytes: Buffer, at: number, end: number): number {
  if (at + 1 >= end) return -1;
  const first = bytes[at]!;
  let behind = -1;
  if (first < 0x40) behind = at + 1 + first;
  else if (first < 0x80) behind = at + 2 + (((first & 63) << 8) | bytes[at + 1]!);
  else if (first >= 0xc0 && first <= 0xc0 + STRING_INT32) behind = at + 1 + (1 << (first - 0xc0));
  return behind <= end ? behind : -1;
}

/** A length that must be whole and plain: a count or an id. */
export function requireLength(bytes: Buffer, at: number): { readonly value: number; readonly end: number } {
  const length = readLength(bytes, at);
  if (length === undefined || length.encoded) throw malformed('length out of place');
  return length;
}

/** The string at `at`, unpacked. A plain one is a view of `bytes`. Throws RDB_MALFORMED. */
export function readString(bytes: Buffer, at = 0): { readonly value: Buffer; readonly end: number } {
  const length = readLength(bytes, at);
  if (length === undefined) throw malformed('string without length');
  const start = length.end;
  if (!length.encoded) return slice(bytes, start, length.value);
  switch (length.value) {
    case STRING_INT8:
      return { value: decimal(slice(bytes, start, 1).value.readInt8(0)), end: start + 1 };
    case STRING_INT16:
      return { value: decimal(slice(bytes, start, 2).value.readInt16LE(0)), end: start + 2 };
    case STRING_INT32:
      return { value: decimal(slice(bytes, start, 4).value.readInt32LE(0)), end: start + 4 };
    case STRING_LZF:
      return readPacked(bytes, start);
    default:
      throw malformed(`string encoding ${length.value}`);
  }
}

function readPacked(bytes: Buffer, at: number): { readonly value: Buffer; readonly end: number } {
  const packed = requireLength(bytes, at);
  const unpacked = requireLength(bytes, packed.end);
  const { value, end } = slice(bytes, unpacked.end, packed.value);
  try {
    return { value: decompressLzf(value, unpacked.value), end };
  } catch (error) {
    if (error instanceof LzfError) throw malformed(`compressed string: ${error.message}`, error);
    throw error;
  }
}

function slice(bytes: Buffer, start: number, length: number): { readonly value: Buffer; readonly end: number } {
  if (start + length > bytes.length) throw malformed('string beyond the end');
  return { value: bytes.subarray(start, start + length), end: start + length };
}

function decimal(value: number): Buffer {
  return Buffer.from(String(value), 'latin1');
}

export function malformed(what: string, cause?: unknown): LifeboatError {
  return new LifeboatError('RDB_MALFORMED', `read rdb: ${what}`, { cause });
}
