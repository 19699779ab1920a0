import { BatchCursor } from './batch-cursor.ts';
import { type Batch, compareIds, type KeyRecord } from './record.ts';

/** A key as it was and as it is; never undefined in both. */
export interface JoinedKey {
  readonly before: KeyRecord | undefined;
  readonly now: KeyRecord | undefined;
}

const BATCH_RECORDS = 1000;

/** Brings two sorted lists together, each key once, in order. */
export async function* joinSorted(
  before: AsyncIterable<Batch>,
  now: AsyncIterable<Batch>,
): AsyncGenerator<readonly JoinedKey[], void, undefined> {
  const [left, right] = [new BatchCursor(before), new BatchCursor(now)];
  try {
    let joined: JoinedKey[] = [];
    for (;;) {
      if (left.needsFill) await left.fill();
      if (right.needsFill) await right.fill();
      const next = nextOf(left, right);
      if (next === undefined) break;
      joined.push(next);
      if (joined.length < BATCH_RECORDS) continue;
      yield joined;
      joined = [];
    }
    if (joined.length > 0) yield joined;
  } finally {
    await left.close();
    await right.close();
  }
}

function nextOf(left: BatchCursor, right: BatchCursor): JoinedKey | undefined {
  const [before, now] = [left.record, right.record];
  if (before === undefined && now === undefined) return undefined;
  const order = before === undefined ? 1 : now === undefined ? -1 : compareIds(before, now);
  if (order <= 0) left.advance();
  if (order >= 0) right.advance();
  return { before: order <= 0 ? before : undefined, now: order >= 0 ? now : undefined };
}
