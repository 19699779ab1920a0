/**
 * What is known of one key: where it stands in the order of all keys, and what is kept of it. Both are views of larger
 * buffers that are nobody else's.
 */
export interface KeyRecord {
  /** Database number, u32 big-endian, and the key: as bytes in the order of databases and keys. */
  readonly id: Buffer;
  readonly value: Buffer;
}

/** Records travel in batches: one turn of the event loop for many. */
export type Batch = readonly KeyRecord[];

/** A SHA-256 whole, in what is sorted; its first half, in what is stored: enough that no two values are taken for one. */
export const DIGEST_BYTES = 32;
export const STORED_DIGEST_BYTES = 16;
const LOCATION_BYTES = 8;
export const SORTED_VALUE_BYTES = DIGEST_BYTES + LOCATION_BYTES;
export const INDEX_VALUE_BYTES = STORED_DIGEST_BYTES + LOCATION_BYTES;

const DATABASE_BYTES = 4;

/** Where the value of a key is stored. */
export interface Location {
  /** Number of the backup in its chain, in 16 bits; the full one is 0. */
  readonly layer: number;
  /** How many keys stand before it in the dump of that backup. */
  readonly ordinal: number;
}

export function recordId(db: number, key: Buffer): Buffer {
  const id = Buffer.allocUnsafe(DATABASE_BYTES + key.length);
  id.writeUInt32BE(db, 0);
  id.set(key, DATABASE_BYTES);
  return id;
}

export const databaseOf = (id: Buffer): number => id.readUInt32BE(0);
export const keyOf = (id: Buffer): Buffer => id.subarray(DATABASE_BYTES);

/** @param digest latin1, so many bytes as are to be kept */
export function recordValue(digest: string, { layer, ordinal }: Location): Buffer {
  const value = Buffer.allocUnsafe(digest.length + LOCATION_BYTES);
  value.write(digest, 'latin1');
  value.writeUInt16LE(layer, digest.length);
  value.writeUIntLE(ordinal, digest.length + 2, 6);
  return value;
}

export function locationOf({ value }: KeyRecord): Location {
  const at = value.length - LOCATION_BYTES;
  return { layer: value.readUInt16LE(at), ordinal: value.readUIntLE(at + 2, 6) };
}

/** The whole digest of a sorted record, latin1. */
export function digestOf({ value }: KeyRecord): string {
  return value.toString('latin1', 0, value.length - LOCATION_BYTES);
}

/** The part of the digest that is stored, of a sorted record or of one of an index. */
export function sameDigest(one: KeyRecord, other: KeyRecord): boolean {
  return one.value.compare(other.value, 0, STORED_DIGEST_BYTES, 0, STORED_DIGEST_BYTES) === 0;
}

export function compareIds(one: KeyRecord, other: KeyRecord): number {
  return Buffer.compare(one.id, other.id);
}
