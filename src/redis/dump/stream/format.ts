/**
 * The redis-dump format, version 1: what a SCAN + DUMP export writes. Numbers are little-endian and unsigned.
 *
 *     magic     8 bytes "LBDUMP\0\x01"; the last one is the version of the format
 *     'H'       header: u32 length, JSON {server, startedAt}
 *     'F'       functions: u32 length, payload of FUNCTION DUMP; at most once, before the first key
 *     'D'       database of the keys that follow: u32 number
 *     'K'       key: u64 expiry in ms since 1970 (0 none), u32 key length, u64 payload length, key, payload of DUMP
 *     'E'       trailer: u64 keys, u64 payload bytes of keys, u32 CRC-32 (zlib) of all bytes before it; then the end
 *
 * Payloads are kept as the server gave them, with their own RDB version and CRC64. A reader that finds no trailer has
 * a truncated stream. A key stands once in its database; where a server repeats one, restoring it twice does no harm.
 */
export const MAGIC = Buffer.from('LBDUMP\0\x01', 'latin1');

export const TAG = { header: 0x48, functions: 0x46, database: 0x44, key: 0x4b, trailer: 0x45 } as const;

/** Bytes of a record behind its tag and before its variable part. */
export const FIXED_BYTES = { header: 4, functions: 4, database: 4, key: 20, trailer: 20 } as const;

/** What the writer knows before the first key. */
export interface DumpHeader {
  /** Version of the server; empty where it does not tell. */
  readonly server: string;
  /** ISO 8601 instant at which the scan began. */
  readonly startedAt: string;
}

/** One key as DUMP gives it. */
export interface DumpKey {
  readonly kind: 'key';
  readonly db: number;
  readonly key: Buffer;
  /** Type ‖ body ‖ RDB version ‖ CRC64. */
  readonly payload: Buffer;
  /** Milliseconds since 1970; null for never. */
  readonly expireAtMs: number | null;
}

/** All function libraries as FUNCTION DUMP gives them. */
export interface DumpFunctions {
  readonly kind: 'functions';
  readonly payload: Buffer;
}

export type DumpItem = { readonly kind: 'header'; readonly header: DumpHeader } | DumpFunctions | DumpKey;

/** A key whose payload follows in pieces, before any other item. */
export interface LargeKey {
  readonly kind: 'large key';
  readonly db: number;
  readonly key: Buffer;
  readonly expireAtMs: number | null;
  readonly payloadBytes: number;
}

/** The next bytes of the payload of a large key. */
export interface PayloadPiece {
  readonly kind: 'piece';
  readonly bytes: Buffer;
}

/** What a restore takes: large payloads are never in memory as a whole. */
export type RestoreItem = DumpItem | LargeKey | PayloadPiece;

const HALF = 2 ** 32;

/** Writes a safe integer as 64 bits; four times as fast as through a bigint. */
export function writeUnsigned64(target: Buffer, value: number, at: number): void {
  target.writeUInt32LE(value % HALF, at);
  target.writeUInt32LE(Math.floor(value / HALF), at + 4);
}

/** The reverse; numbers above 2^53 come out inexact, and no caller accepts one that large. */
export function readUnsigned64(source: Buffer, at: number): number {
  return source.readUInt32LE(at) + source.readUInt32LE(at + 4) * HALF;
}
