import { ByteCursor } from '../encodings/byte-cursor.ts';
import { corrupt } from '../encodings/corrupt.ts';
import { streamEntriesOf, type StreamEntry, type StreamId } from './stream-entries.ts';
import { refuseType } from '../rdb-type.ts';

export interface PendingEntry {
  readonly id: Buffer;
  /** Milliseconds since 1970 of the last delivery. */
  readonly deliveredAtMs: number;
  readonly deliveries: number;
}

export interface StreamConsumer {
  readonly name: Buffer;
  /** Ids (16 bytes big-endian) of what it has not acknowledged. */
  readonly pending: readonly Buffer[];
}

export interface StreamGroup {
  readonly name: Buffer;
  readonly lastId: StreamId;
  /** Read counter; 2^64 − 1 where the server does not know it. */
  readonly entriesRead: bigint;
  readonly pending: readonly PendingEntry[];
  readonly consumers: readonly StreamConsumer[];
}

export interface StreamVisitor {
  entry(entry: StreamEntry): void;
  group(group: StreamGroup): void;
}

/** What belongs to the stream as a whole. The first id is left out: it follows from the entries. */
export interface StreamFacts {
  readonly length: bigint;
  readonly lastId: StreamId;
  readonly maxDeletedId: StreamId;
  readonly entriesAdded: bigint;
}

/** The read counter that is not known (SCG_INVALID_ENTRIES_READ of t_stream.c). */
const UNKNOWN = 2n ** 64n - 1n;
const ID_BYTES = 16;

/**
 * Visits a stream of types 15 (up to 6.2), 19 (7.0) and 21 (7.2): its live entries in order, then its groups by name.
 * Counters that type 15 does not have are filled in as Redis 7 does when it loads one, so that a stream is the same
 * before and after an upgrade. The times at which consumers were last seen or active are passed over: replicas and
 * replay set them by their own clock.
 */
export function visitStream(type: number, body: Buffer, visitor: StreamVisitor): StreamFacts {
  if (type !== 15 && type !== 19 && type !== 21) refuseType(type);
  const cursor = new ByteCursor(body);
  const edge: { first?: StreamId } = {};
  for (let left = cursor.length(); left > 0; left -= 1) {
    const master = cursor.string();
    for (const entry of streamEntriesOf(master, cursor.string())) {
      edge.first ??= entry.id;
      visitor.entry(entry);
    }
  }
  const facts = readFacts(cursor, type);
  for (let left = cursor.length(); left > 0; left -= 1) visitor.group(readGroup(cursor, { type, facts, ...edge }));
  cursor.finish();
  return facts;
}

function readFacts(cursor: ByteCursor, type: number): StreamFacts {
  const length = cursor.length64();
  const lastId = readId(cursor);
  if (type === 15) return { length, lastId, maxDeletedId: { ms: 0n, sequence: 0n }, entriesAdded: length };
  readId(cursor); // The first id.
  return { length, lastId, maxDeletedId: readId(cursor), entriesAdded: cursor.length64() };
}

interface GroupContext {
  readonly type: number;
  readonly facts: StreamFacts;
  readonly first?: StreamId;
}

function readGroup(cursor: ByteCursor, context: GroupContext): StreamGroup {
  const name = cursor.string();
  const lastId = readId(cursor);
  const entriesRead = context.type === 15 ? estimateEntriesRead(lastId, context) : cursor.length64();
  const pending = repeat(cursor, () => ({
    id: cursor.raw(ID_BYTES),
    deliveredAtMs: cursor.milliseconds(),
    deliveries: cursor.length(),
  }));
  return { name, lastId, entriesRead, pending, consumers: repeat(cursor, () => readConsumer(cursor, context.type)) };
}

function readConsumer(cursor: ByteCursor, type: number): StreamConsumer {
  const name = cursor.string();
  cursor.milliseconds(); // Last seen.
  if (type === 21) cursor.milliseconds(); // Last active.
  return { name, pending: repeat(cursor, () => cursor.raw(ID_BYTES)) };
}

function repeat<T>(cursor: ByteCursor, read: () => T): T[] {
  const items: T[] = [];
  for (let left = cursor.length(); left > 0; left -= 1) items.push(read());
  return items;
}

function readId(cursor: ByteCursor): StreamId {
  return { ms: cursor.length64(), sequence: cursor.length64() };
}

/** streamEstimateDistanceFromFirstEverEntry of Redis 7 for a stream that was loaded from type 15. */
function estimateEntriesRead(id: StreamId, { facts, first }: GroupContext): bigint {
  if (facts.length === 0n) return 0n;
  const toLast = compareIds(id, facts.lastId);
  if (toLast === 0) return facts.length;
  if (toLast > 0) return UNKNOWN;
  const toFirst = compareIds(id, first ?? corrupt('stream', 'a length but no entries'));
  if (toFirst < 0) return 0n;
  return toFirst === 0 ? 1n : UNKNOWN;
}

function compareIds(left: StreamId, right: StreamId): number {
  if (left.ms !== right.ms) return left.ms < right.ms ? -1 : 1;
  if (left.sequence === right.sequence) return 0;
  return left.sequence < right.sequence ? -1 : 1;
}
