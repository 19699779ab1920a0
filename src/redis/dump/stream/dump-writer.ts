import { crc32 } from 'node:zlib';
import { type DumpHeader, type LargeKey, FIXED_BYTES, MAGIC, TAG, writeUnsigned64 } from './format.ts';

/** Small records are gathered into chunks of about this size; payloads above a quarter of it pass by reference. */
const CHUNK_BYTES = 256 * 1024;
const BY_REFERENCE_BYTES = CHUNK_BYTES / 4;

/** Turns records into chunks of bytes: `take` gives those that are full, `finish` the rest with the trailer. */
export class DumpWriter {
  keys = 0;
  payloadBytes = 0;
  /** Keys per database number. */
  readonly databases: Record<string, number> = {};
  #db: number | undefined;
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** The chunk is used up to here and given away up to `#from`. */
  #used = 0;
  #from = 0;
  #ready: Buffer[] = [];
  #crc = 0;

  constructor(header: DumpHeader) {
    this.#append(MAGIC);
    this.#block(TAG.header, Buffer.from(JSON.stringify(header), 'utf8'));
  }

  functions(payload: Buffer): void {
    this.#block(TAG.functions, payload);
  }

  key(db: number, key: Buffer, payload: Buffer, expireAtMs: number | null): void {
    this.beginKey({ db, key, expireAtMs, payloadBytes: payload.length });
    this.#append(payload);
  }

  /** A key whose payload follows by `piece`, which must not be overwritten before `take` has given it away. */
  beginKey({ db, key, expireAtMs, payloadBytes }: Omit<LargeKey, 'kind'>): void {
    if (db !== this.#db) this.#database(db);
    const at = this.#reserve(1 + FIXED_BYTES.key);
    this.#chunk[at] = TAG.key;
    writeUnsigned64(this.#chunk, expireAtMs ?? 0, at + 1);
    this.#chunk.writeUInt32LE(key.length, at + 9);
    writeUnsigned64(this.#chunk, payloadBytes, at + 13);
    this.#append(key);
    this.keys += 1;
    this.payloadBytes += payloadBytes;
    this.databases[db]! += 1;
  }

  piece(bytes: Buffer): void {
    this.#append(bytes);
  }

  /** Chunks that are complete, in order; they are the caller's. */
  take(): readonly Buffer[] {
    const ready = this.#ready;
    if (ready.length > 0) this.#ready = [];
    return ready;
  }

  /** The last chunks; nothing may be written afterwards. */
  finish(): readonly Buffer[] {
    const at = this.#reserve(1 + FIXED_BYTES.trailer);
    this.#chunk[at] = TAG.trailer;
    writeUnsigned64(this.#chunk, this.keys, at + 1);
    writeUnsigned64(this.#chunk, this.payloadBytes, at + 9);
    const checksum = crc32(this.#chunk.subarray(this.#from, at + 17), this.#crc);
    this.#chunk.writeUInt32LE(checksum, at + 17);
    this.#flush();
    return this.take();
  }

  #database(db: number): void {
    const at = this.#reserve(1 + FIXED_BYTES.database);
    this.#chunk[at] = TAG.database;
    this.#chunk.writeUInt32LE(db, at + 1);
    this.#db = db;
    this.databases[db] ??= 0;
  }

  #block(tag: number, content: Buffer): void {
    const at = this.#reserve(5);
    this.#chunk[at] = tag;
    this.#chunk.writeUInt32LE(content.length, at + 1);
    this.#append(content);
  }

  /** Room for `size` bytes in one piece; gives where. */
  #reserve(size: number): number {
    if (this.#used + size > CHUNK_BYTES) {
      this.#flush();
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.#used = 0;
      this.#from = 0;
    }
    const at = this.#used;
    this.#used += size;
    return at;
  }

  #append(bytes: Buffer): void {
    if (bytes.length <= BY_REFERENCE_BYTES) {
      // Reserved first: that may replace the chunk.
      const at = this.#reserve(bytes.length);
      this.#chunk.set(bytes, at);
      return;
    }
    this.#flush();
    this.#emit(bytes);
  }

  #flush(): void {
    if (this.#used === this.#from) return;
    this.#emit(this.#chunk.subarray(this.#from, this.#used));
    this.#from = this.#used;
  }

  #emit(bytes: Buffer): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#ready.push(bytes);
  }
}
