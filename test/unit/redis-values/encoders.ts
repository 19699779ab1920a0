/** Writers of the encodings that the project only reads: what a server would have written, from the format's description. */
import { LifeboatError } from '../../../src/domain/errors.ts';

export type Element = Buffer | bigint;

/** A refusal that says that bytes are broken; anything else a reader throws is a mistake in the reader. */
export function isReadError(error: unknown): boolean {
  return error instanceof LifeboatError && ['REDIS_VALUE_CORRUPT', 'RDB_MALFORMED'].includes(error.code);
}

export function length(value: number | bigint): Buffer {
  const size = BigInt(value);
  if (size < 64n) return Buffer.from([Number(size)]);
  if (size < 16_384n) return Buffer.from([0x40 | Number(size >> 8n), Number(size & 255n)]);
  const wide = Buffer.alloc(8);
  wide.writeBigUInt64BE(size);
  return size < 2n ** 32n
    ? Buffer.concat([Buffer.from([0x80]), wide.subarray(4)])
    : Buffer.concat([Buffer.from([0x81]), wide]);
}

export function string(value: Buffer | bigint | string): Buffer {
  if (typeof value === 'string') return string(Buffer.from(value));
  if (typeof value !== 'bigint') return Buffer.concat([length(value.length), value]);
  const width = [1, 2, 4].find((bytes) => fits(value, bytes))!;
  return Buffer.concat([Buffer.from([0xc0 | [1, 2, 4].indexOf(width)]), little(value, width)]);
}

type LzfOperation = { readonly literal: Uint8Array } | { readonly distance: number; readonly size: number };

/** Literals and back references that point into what is there, as an RDB string, and what it unpacks to. */
export function lzfString(operations: readonly LzfOperation[]): { readonly packed: Buffer; readonly plain: Buffer } {
  const packed: number[] = [];
  const plain: number[] = [];
  for (const operation of operations) {
    if ('literal' in operation) {
      packed.push(operation.literal.length - 1, ...operation.literal);
      plain.push(...operation.literal);
    } else if (plain.length > 0) {
      const distance = ((operation.distance - 1) % plain.length) + 1;
      const size = operation.size - 2;
      const high = (distance - 1) >> 8;
      if (size < 7) packed.push((size << 5) | high, (distance - 1) & 255);
      else packed.push((7 << 5) | high, size - 7, (distance - 1) & 255);
      for (let left = operation.size; left > 0; left -= 1) plain.push(plain[plain.length - distance]!);
    }
  }
  return {
    packed: Buffer.concat([Buffer.from([0xc3]), length(packed.length), length(plain.length), Buffer.from(packed)]),
    plain: Buffer.from(plain),
  };
}

export function intset(members: readonly bigint[]): Buffer {
  const width = [2, 4, 8].find((bytes) => members.every((member) => fits(member, bytes))) ?? 8;
  return Buffer.concat([
    little(BigInt(width), 4),
    little(BigInt(members.length), 4),
    ...members.map((member) => little(member, width)),
  ]);
}

export function listpack(elements: readonly Element[]): Buffer {
  const body = elements.map((element) => {
    const bytes = typeof element === 'bigint' ? listpackInteger(element) : listpackString(element);
    return Buffer.concat([bytes, backLength(bytes.length)]);
  });
  const bytes = Buffer.concat([Buffer.alloc(6), ...body, Buffer.from([0xff])]);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(elements.length, 4);
  return bytes;
}

function listpackInteger(value: bigint): Buffer {
  if (value >= 0n && value < 128n) return Buffer.from([Number(value)]);
  if (value >= -4096n && value < 4096n) {
    const raw = Number(BigInt.asUintN(13, value));
    return Buffer.from([0xc0 | (raw >> 8), raw & 255]);
  }
  const width = [2, 3, 4].find((bytes) => fits(value, bytes)) ?? 8;
  return Buffer.concat([Buffer.from([{ 2: 0xf1, 3: 0xf2, 4: 0xf3, 8: 0xf4 }[width]!]), little(value, width)]);
}

function listpackString(value: Buffer): Buffer {
  if (value.length < 64) return Buffer.concat([Buffer.from([0x80 | value.length]), value]);
  if (value.length < 4096) return Buffer.concat([Buffer.from([0xe0 | (value.length >> 8), value.length & 255]), value]);
  return Buffer.concat([Buffer.from([0xf0]), little(BigInt(value.length), 4), value]);
}

/** Only its size matters when reading forwards; the value is written as lpEncodeBacklen does. */
function backLength(size: number): Buffer {
  const bytes = size <= 127 ? 1 : size < 16_383 ? 2 : size < 2_097_151 ? 3 : 4;
  return Buffer.from(
    Array.from({ length: bytes }, (_, at) => ((size >> (7 * (bytes - 1 - at))) & 127) | (at === 0 ? 0 : 128)),
  );
}

export function ziplist(elements: readonly Element[]): Buffer {
  const parts: Buffer[] = [];
  let previous = 0;
  let tail = 10;
  let at = 10;
  for (const element of elements) {
    const before =
      previous < 254 ? Buffer.from([previous]) : Buffer.concat([Buffer.from([0xfe]), little(BigInt(previous), 4)]);
    const entry = Buffer.concat([
      before,
      typeof element === 'bigint' ? ziplistInteger(element) : ziplistString(element),
    ]);
    parts.push(entry);
    tail = at;
    at += entry.length;
    previous = entry.length;
  }
  const bytes = Buffer.concat([Buffer.alloc(10), ...parts, Buffer.from([0xff])]);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(tail, 4);
  bytes.writeUInt16LE(elements.length, 8);
  return bytes;
}

function ziplistInteger(value: bigint): Buffer {
  if (value >= 0n && value <= 12n) return Buffer.from([0xf1 + Number(value)]);
  const width = [1, 2, 3, 4].find((bytes) => fits(value, bytes)) ?? 8;
  return Buffer.concat([Buffer.from([{ 1: 0xfe, 2: 0xc0, 3: 0xf0, 4: 0xd0, 8: 0xe0 }[width]!]), little(value, width)]);
}

function ziplistString(value: Buffer): Buffer {
  if (value.length < 64) return Buffer.concat([Buffer.from([value.length]), value]);
  if (value.length < 16_384)
    return Buffer.concat([Buffer.from([0x40 | (value.length >> 8), value.length & 255]), value]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([0x80]), size, value]);
}

function fits(value: bigint, bytes: number): boolean {
  return BigInt.asIntN(bytes * 8, value) === value;
}

function little(value: bigint, bytes: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigInt64LE(BigInt.asIntN(64, value));
  return out.subarray(0, bytes);
}
