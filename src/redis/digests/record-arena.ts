import type { KeyRecord } from './record.ts';

const LENGTH_BYTES = 4;

/**
 * Records packed into one buffer, to be sorted there: as objects they would take five times the memory. The form is that
 * of `RecordEncoder`: u32 length of the id, id, value.
 */
export class RecordArena {
  readonly #valueBytes: number;
  #bytes: Buffer;
  #used = 0;
  #starts: number[] = [];

  constructor(sizeBytes: number, valueBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
    this.#valueBytes = valueBytes;
  }

  /** False when there is no room; a first record always has. */
  add({ id, value }: KeyRecord): boolean {
    const size = LENGTH_BYTES + id.length + value.length;
    if (this.#used + size > this.#bytes.length) {
      if (this.#used > 0) return false;
      this.#bytes = Buffer.allocUnsafeSlow(size);
    }
    this.#starts.push(this.#used);
    this.#bytes.writeUInt32LE(id.length, this.#used);
    this.#bytes.set(id, this.#used + LENGTH_BYTES);
    this.#bytes.set(value, this.#used + LENGTH_BYTES + id.length);
    this.#used += size;
    return true;
  }

  /** All records in order, equal ones in the order in which they were added; views, good until `clear`. */
  *sorted(): Generator<KeyRecord, void, undefined> {
    this.#starts.sort((one, other) => this.#compare(one, other));
    for (const start of this.#starts) {
      const end = this.#idEnd(start);
      const id = this.#bytes.subarray(start + LENGTH_BYTES, end);
      yield { id, value: this.#bytes.subarray(end, end + this.#valueBytes) };
    }
  }

  clear(): void {
    this.#used = 0;
    this.#starts = [];
  }

  #compare(one: number, other: number): number {
    const [end, otherEnd] = [this.#idEnd(one), this.#idEnd(other)];
    return this.#bytes.compare(this.#bytes, other + LENGTH_BYTES, otherEnd, one + LENGTH_BYTES, end);
  }

  #idEnd(start: number): number {
    return start + LENGTH_BYTES + this.#bytes.readUInt32LE(start);
  }
}
