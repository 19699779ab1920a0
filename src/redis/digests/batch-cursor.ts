import type { Batch, KeyRecord } from './record.ts';

/** Looks at the next record of a stream of batches. */
export class BatchCursor {
  readonly #batches: AsyncIterator<Batch>;
  #batch: Batch = [];
  #at = 0;
  #done = false;

  constructor(source: AsyncIterable<Batch>) {
    this.#batches = source[Symbol.asyncIterator]();
  }

  /** The record at hand; undefined at the end, or where `fill` has to be awaited first. */
  get record(): KeyRecord | undefined {
    return this.#batch[this.#at];
  }

  get needsFill(): boolean {
    return !this.#done && this.#at >= this.#batch.length;
  }

  advance(): void {
    this.#at += 1;
  }

  async fill(): Promise<void> {
    while (this.needsFill) {
      const { done, value } = await this.#batches.next();
      if (done === true) this.#done = true;
      else [this.#batch, this.#at] = [value, 0];
    }
  }

  /** Lets the stream go before its end. */
  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}
