import type { JournalEntry, JournalEpoch } from './journal.ts';

/** A stored part of a Redis stream: of its bytes, `bytes` are wanted behind the first `skipBytes`. */
export interface StreamPart {
  readonly epoch: JournalEpoch;
  readonly entry: JournalEntry;
  readonly skipBytes: number;
  readonly bytes: number;
  /** Offset of the first byte that is wanted, and when it came. */
  readonly from: number;
  readonly fromMs: number;
  /** As in JournalEntry, for the wanted bytes alone. */
  readonly marks: readonly (readonly [bytes: number, milliseconds: number])[];
}

/** How far a snapshot can be brought: without a hole, to `offset`; all that the server had sent by `timeMs` is in it. */
export interface StreamReplay {
  readonly parts: readonly StreamPart[];
  readonly offset: number;
  readonly timeMs: number;
  /** Where the journal goes on behind a hole; null where it simply ends. */
  readonly next: number | null;
}

interface Snapshot {
  readonly replid: string;
  readonly offset: number;
  readonly timeMs: number;
}

/**
 * The stream behind a snapshot, as far as the journals hold it. It goes from epoch to epoch as they continue each other, also
 * from a replid to the one that a promoted replica has taken; never over a hole. A successor counts from where it began: what
 * its predecessor still wrote behind that place may be of a history that was given up.
 */
export function planStreamReplay(epochs: readonly JournalEpoch[], snapshot: Snapshot): StreamReplay {
  const none: StreamReplay = { parts: [], offset: snapshot.offset, timeMs: snapshot.timeMs, next: null };
  const plans = linesOf(epochs).flatMap((line) => {
    const first = line.findIndex((leg) => holds(leg, snapshot));
    return first === -1 ? [] : [walk(line.slice(first), snapshot)];
  });
  const [newest = none, ...older] = plans;
  return older.reduce((best, plan) => (plan.timeMs > best.timeMs ? plan : best), newest);
}

/** An epoch, and where its successor took over; Infinity where none did. */
interface Leg {
  readonly epoch: JournalEpoch;
  readonly from: number;
  readonly until: number;
}

/** From every epoch that nothing continues back to its beginning; the line with the newest end first. */
function linesOf(epochs: readonly JournalEpoch[]): Leg[][] {
  const byName = new Map(epochs.map((epoch) => [nameOf(epoch.begin), epoch]));
  const continued = new Set(epochs.flatMap(({ begin }) => (begin.continues === null ? [] : [nameOf(begin.continues)])));
  const lasts = epochs.filter(({ begin }) => !continued.has(nameOf(begin)));
  return lasts.toSorted((a, b) => b.begin.epoch - a.begin.epoch).map((last) => legsTo(last, byName));
}

function legsTo(last: JournalEpoch, byName: ReadonlyMap<string, JournalEpoch>): Leg[] {
  const legs: Leg[] = [];
  let until = Number.POSITIVE_INFINITY;
  for (let epoch: JournalEpoch | undefined = last; epoch !== undefined;) {
    const { begin }: JournalEpoch = epoch;
    const from = Number(begin.from.at);
    legs.push({ epoch, from, until });
    until = Math.min(until, from);
    const before: JournalEpoch | undefined = begin.continues === null ? undefined : byName.get(nameOf(begin.continues));
    // An epoch continues an older one: this ends, whatever a repository says.
    epoch = before !== undefined && before.begin.epoch < begin.epoch ? before : undefined;
  }
  return legs.toReversed();
}

function holds({ epoch, from, until }: Leg, { replid, offset }: Snapshot): boolean {
  return epoch.begin.history === replid && from <= offset && offset <= until;
}

function walk(line: readonly Leg[], snapshot: Snapshot): StreamReplay {
  const parts: StreamPart[] = [];
  let { offset, timeMs } = snapshot;
  for (const leg of line) {
    const { epoch, until } = leg;
    for (const { entry, from, to } of chunksOf(leg)) {
      if (from > offset) return { parts, offset, timeMs, next: from };
      const end = Math.min(to, until);
      if (end <= offset) continue;
      const part = cutChunk(epoch, entry, { from: offset, to: end });
      parts.push(part);
      offset = end;
      timeMs = Math.max(timeMs, lastMs(part));
    }
    const confirmed = Number(epoch.durable.at);
    if (confirmed <= offset) timeMs = Math.max(timeMs, epoch.durable.timeMs);
    // Confirmed, or gone on from, and not there: whatever follows stands behind a hole.
    const needed = until === Number.POSITIVE_INFINITY ? confirmed : until;
    if (offset < needed) return { parts, offset, timeMs, next: needed };
  }
  return { parts, offset, timeMs, next: null };
}

/** By position: overlapping ones are of tries that were repeated. */
function chunksOf({ epoch, until }: Leg): { entry: JournalEntry; from: number; to: number }[] {
  return epoch.entries
    .filter(({ kind }) => kind === 'chunk')
    .map((entry) => ({ entry, from: Number(entry.from), to: Number(entry.to) }))
    .filter(({ from }) => from < until)
    .toSorted((a, b) => a.from - b.from || a.to - b.to);
}

function cutChunk(
  epoch: JournalEpoch,
  entry: JournalEntry,
  { from, to }: { readonly from: number; readonly to: number },
): StreamPart {
  const start = Number(entry.from);
  const marks: [number, number][] = [];
  let [at, timeMs] = [start, entry.fromMs];
  let [fromMs, lastKnownMs] = [entry.fromMs, entry.fromMs];
  for (const [count, milliseconds] of entry.marks ?? [[Number(entry.to) - start, entry.toMs - entry.fromMs]]) {
    const before = Math.max(at, from);
    at += count;
    timeMs += milliseconds;
    if (at <= from) {
      fromMs = timeMs;
      lastKnownMs = timeMs;
      continue;
    }
    marks.push([Math.min(at, to) - before, timeMs - lastKnownMs]);
    lastKnownMs = timeMs;
    if (at >= to) break;
  }
  return { epoch, entry, skipBytes: from - start, bytes: to - from, from, fromMs, marks };
}

function lastMs({ fromMs, marks }: StreamPart): number {
  return marks.reduce((ms, [, later]) => ms + later, fromMs);
}

function nameOf({ history, epoch }: { readonly history: string; readonly epoch: number }): string {
  return `${history}/${epoch}`;
}
