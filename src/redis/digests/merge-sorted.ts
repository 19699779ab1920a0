import { BatchCursor } from './batch-cursor.ts';
import { type Batch, compareIds, type KeyRecord } from './record.ts';

const BATCH_RECORDS = 1000;

/** Merges sorted lists into one; of equal keys the one of the latest list stays. */
export async function* mergeSorted(sources: readonly AsyncIterable<Batch>[]): AsyncGenerator<Batch, void, undefined> {
  const cursors = sources.map((source) => new BatchCursor(source));
  try {
    const heap = await CursorHeap.of(cursors);
    let batch: KeyRecord[] = [];
    for (;;) {
      const record = heap.take();
      if (record === undefined) break;
      if (heap.waiting !== undefined) await heap.goOn();
      const last = batch.at(-1);
      // Equal keys come in the order of their lists.
      if (last !== undefined && compareIds(last, record) === 0) batch[batch.length - 1] = record;
      else batch.push(record);
      if (batch.length <= BATCH_RECORDS) continue;
      // The last one may still be replaced.
      yield batch.slice(0, -1);
      batch = batch.slice(-1);
    }
    if (batch.length > 0) yield batch;
  } finally {
    for (const cursor of cursors) await cursor.close();
  }
}

interface Seat {
  readonly cursor: BatchCursor;
  /** Number of the list. */
  readonly rank: number;
}

/** A binary heap of lists by their next record, equal ones by the number of the list. */
class CursorHeap {
  readonly #seats: Seat[] = [];
  /** Set when the list at the top has to read on before the next record can be taken. */
  waiting: BatchCursor | undefined;

  static async of(cursors: readonly BatchCursor[]): Promise<CursorHeap> {
    const heap = new CursorHeap();
    for (const [rank, cursor] of cursors.entries()) {
      await cursor.fill();
      if (cursor.record !== undefined) heap.#seats.push({ cursor, rank });
    }
    for (let at = heap.#seats.length - 1; at >= 0; at -= 1) heap.#sink(at);
    return heap;
  }

  /** The least record; `goOn` has to be awaited afterwards where `waiting` is set. */
  take(): KeyRecord | undefined {
    const top = this.#seats[0]?.cursor;
    const record = top?.record;
    if (top === undefined || record === undefined) return undefined;
    top.advance();
    if (top.needsFill) this.waiting = top;
    else this.#settle();
    return record;
  }

  async goOn(): Promise<void> {
    await this.waiting?.fill();
    this.waiting = undefined;
    this.#settle();
  }

  /** Brings the top, which has moved on or ended, to its place. */
  #settle(): void {
    if (this.#seats[0]?.cursor.record === undefined) {
      const last = this.#seats.pop();
      if (last === undefined || this.#seats.length === 0) return;
      this.#seats[0] = last;
    }
    this.#sink(0);
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#seats.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      [this.#seats[at], this.#seats[least]] = [this.#seats[least]!, this.#seats[at]!];
      at = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [left, right] = [this.#seats[one]!, this.#seats[other]!];
    return (compareIds(left.cursor.record!, right.cursor.record!) || left.rank - right.rank) < 0;
  }
}
