import { corrupt } from '../encodings/corrupt.ts';
import { ListpackCursor } from '../encodings/listpack.ts';

export interface StreamId {
  readonly ms: bigint;
  readonly sequence: bigint;
}

export interface StreamEntry {
  readonly id: StreamId;
  /** Field, value, field, value … in the order in which they were added. */
  readonly fields: readonly Buffer[];
}

/** Flags of an entry (stream.h of Redis). */
const DELETED = 1n;
const SAME_FIELDS = 2n;
const MASTER_ID_BYTES = 16;

/**
 * Live entries of one node of a stream, in order; deleted ones, which a node keeps until it is rewritten, are passed
 * over. Ids are stored as differences from the node's own, field names once where they are the same (t_stream.c).
 */
export function* streamEntriesOf(masterId: Buffer, packed: Buffer): Generator<StreamEntry> {
  if (masterId.length !== MASTER_ID_BYTES) corrupt('stream', 'a node id is not 16 bytes');
  const master = { ms: masterId.readBigUInt64BE(0), sequence: masterId.readBigUInt64BE(8) };
  const cursor = new ListpackCursor(packed);
  const live = cursor.integer();
  let left = live + cursor.integer();
  const names = take(cursor, cursor.integer());
  cursor.integer(); // The end of the node's own entry.

  let seen = 0n;
  for (; left > 0n; left -= 1n) {
    const flags = cursor.integer();
    const id = { ms: plus(master.ms, cursor.integer()), sequence: plus(master.sequence, cursor.integer()) };
    const fields = (flags & SAME_FIELDS) === 0n ? take(cursor, cursor.integer() * 2n) : withNames(names, cursor);
    cursor.integer(); // Number of elements of this entry, for reading backwards.
    if ((flags & DELETED) !== 0n) continue;
    seen += 1n;
    yield { id, fields };
  }
  if (seen !== live) corrupt('stream', `${seen} live entries in a node of ${live}`);
  if (cursor.next() !== undefined) corrupt('stream', 'elements behind the last entry of a node');
}

function withNames(names: readonly Buffer[], cursor: ListpackCursor): Buffer[] {
  return names.flatMap((name) => [name, cursor.element()]);
}

function take(cursor: ListpackCursor, count: bigint): Buffer[] {
  if (count < 0n) corrupt('stream', 'a negative number of fields');
  const elements: Buffer[] = [];
  for (let left = count; left > 0n; left -= 1n) elements.push(cursor.element());
  return elements;
}

/** Differences wrap at 2^64, as in C. */
function plus(value: bigint, difference: bigint): bigint {
  return BigInt.asUintN(64, value + difference);
}
