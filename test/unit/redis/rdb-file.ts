import { createCrc64 } from '../../../src/redis/rdb/crc64.ts';

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A length in its shortest form. */
export function length(value: number): Buffer {
  if (value < 64) return Buffer.from([value]);
  if (value < 16_384) return Buffer.from([0x40 | (value >> 8), value & 255]);
  const long = Buffer.alloc(5, 0x80);
  long.writeUInt32BE(value, 1);
  return long;
}

export function string(text: string | Buffer): Buffer {
  const bytes = typeof text === 'string' ? ascii(text) : text;
  return Buffer.concat([length(bytes.length), bytes]);
}

export function expiry(atMs: number): Buffer {
  const record = Buffer.alloc(9, 0xfc);
  record.writeBigInt64LE(BigInt(atMs), 1);
  return record;
}

export function record(type: number, key: Buffer, ...body: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type]), key, ...body]);
}

/** `aaaa…a`, 40 bytes, packed: one literal, then a back reference of 39 bytes. */
export const PACKED_A40 = Buffer.from([0xc3, 5, 40, 0, 0x61, 0xe0, 30, 0]);

/** An RDB file of these records, with its checksum unless told otherwise. */
export function rdbFile(records: readonly Buffer[], options: { magic?: string; checksum?: boolean } = {}): Buffer {
  const body = Buffer.concat([ascii(options.magic ?? 'REDIS0012'), ...records, Buffer.from([0xff])]);
  const footer = Buffer.alloc(8);
  const crc = createCrc64();
  crc.update(body);
  if (options.checksum !== false) crc.write(footer, 0);
  return Buffer.concat([body, footer]);
}
