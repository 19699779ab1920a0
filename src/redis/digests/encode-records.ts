import type { KeyRecord } from './record.ts';

const CHUNK_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

/** Records as bytes: u32 length of the id, id, value. Chunks are full when `add` gives them, and the caller's. */
export class RecordEncoder {
  records = 0;
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #used = 0;

  /** A chunk that is full; undefined while there is room. */
  add({ id, value }: KeyRecord): Buffer | undefined {
    const size = LENGTH_BYTES + id.length + value.length;
    const full = this.#used + size > this.#chunk.length ? this.#startChunk(size) : undefined;
    this.#chunk.writeUInt32LE(id.length, this.#used);
    this.#chunk.set(id, this.#used + LENGTH_BYTES);
    this.#chunk.set(value, this.#used + LENGTH_BYTES + id.length);
    this.#used += size;
    this.records += 1;
    return full;
  }

  /** What is left; nothing may be added afterwards. */
  rest(): Buffer {
    return this.#chunk.subarray(0, this.#used);
  }

  #startChunk(sizeBytes: number): Buffer | undefined {
    const full = this.rest();
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, sizeBytes));
    this.#used = 0;
    return full.length === 0 ? undefined : full;
  }
}
