import type { Batch, KeyRecord } from './record.ts';

const LENGTH_BYTES = 4;
/** Stands in place of a length behind the last record of a stored list. */
export const END_MARK = 0xff_ff_ff_ff;

/** Takes bytes in any pieces and gives the records that are whole. Records are views of buffers of their own. */
export class RecordDecoder {
  readonly #valueBytes: number;
  /** What is not a whole record yet; behind the end mark all that follows. */
  rest: Buffer = Buffer.alloc(0);
  ended = false;
  records = 0;

  constructor(valueBytes: number) {
    this.#valueBytes = valueBytes;
  }

  push(chunk: Uint8Array): Batch {
    const bytes = Buffer.concat([this.rest, chunk]);
    const batch: KeyRecord[] = [];
    let at = 0;
    while (!this.ended && at + LENGTH_BYTES <= bytes.length) {
      const idBytes = bytes.readUInt32LE(at);
      const begin = at + LENGTH_BYTES;
      if (idBytes === END_MARK) {
        this.ended = true;
        at = begin;
        break;
      }
      const end = begin + idBytes + this.#valueBytes;
      if (end > bytes.length) break;
      batch.push({ id: bytes.subarray(begin, begin + idBytes), value: bytes.subarray(begin + idBytes, end) });
      at = end;
    }
    this.rest = bytes.subarray(at);
    this.records += batch.length;
    return batch;
  }
}
