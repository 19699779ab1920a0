import type { ChainPart, JournalChain } from './wal-chain.ts';
import { lsnOf, segmentStart, type Lsn } from './lsn.ts';

/** A stored object of the journal, and which of its bytes are wanted. */
export interface SegmentPart extends ChainPart {
  /** Bytes at its start that parts before it have brought already. */
  readonly skipBytes: number;
}

/** What there is of one segment from its start on without a hole. */
export interface SegmentCover {
  readonly parts: readonly SegmentPart[];
  /** End of what the parts hold; the start where there is nothing. */
  readonly end: Lsn;
  /** All that the server had flushed at this moment is before `end`; 0 where that is not known. */
  readonly knownMs: number;
}

interface IndexedPart extends ChainPart {
  readonly from: Lsn;
  readonly to: Lsn;
}

/** The WAL of a chain by timeline and segment, each sorted by position. */
export type WalIndex = ReadonlyMap<string, readonly IndexedPart[]>;

/** Made once for a plan: journals have many thousand entries. */
export function indexWal(chain: JournalChain, segmentBytes: number): WalIndex {
  const index = new Map<string, IndexedPart[]>();
  for (const part of chain.parts) {
    if (part.entry.kind !== 'segment' && part.entry.kind !== 'piece') continue;
    const [from, to] = [lsnOf(part.entry.from), lsnOf(part.entry.to)];
    const key = segmentKey(part.entry.timeline, segmentStart(from, segmentBytes));
    const parts = index.get(key) ?? [];
    parts.push({ ...part, from, to });
    index.set(key, parts);
  }
  for (const parts of index.values()) parts.sort((a, b) => (a.from < b.from ? -1 : Number(a.from > b.from)));
  return index;
}

/** A whole segment where there is one, pieces in order where not. */
export function coverSegment(index: WalIndex, place: { readonly timeline: number; readonly start: Lsn }): SegmentCover {
  const stored = index.get(segmentKey(place.timeline, place.start)) ?? [];
  const whole = stored.findLast(({ entry }) => entry.kind === 'segment');
  if (whole !== undefined) return { parts: [partOf(whole, whole.from)], end: whole.to, knownMs: whole.entry.toMs };
  const parts: SegmentPart[] = [];
  let end = place.start;
  let knownMs = 0;
  let furthest: IndexedPart | undefined;
  const take = (): void => {
    if (furthest === undefined || furthest.to <= end) return;
    parts.push(partOf(furthest, end));
    end = furthest.to;
    knownMs = Math.max(knownMs, furthest.entry.toMs);
  };
  for (const part of stored) {
    // Pieces of a writer that was superseded may overlap with those of the next: the longest step is taken.
    if (part.from > end) take();
    if (part.from > end) break;
    if (furthest === undefined || part.to > furthest.to) furthest = part;
  }
  take();
  return { parts, end, knownMs };
}

function partOf({ epoch, entry, from }: IndexedPart, end: Lsn): SegmentPart {
  return { epoch, entry, skipBytes: Number(end - from) };
}

/** The next position from `end` on of which there is anything; undefined where nothing follows. */
export function nextStored(index: WalIndex, place: { readonly timeline: number; readonly end: Lsn }): Lsn | undefined {
  let next: Lsn | undefined;
  for (const { entry, from } of [...index.values()].flat()) {
    if (entry.timeline === place.timeline && from >= place.end && (next === undefined || from < next)) next = from;
  }
  return next;
}

function segmentKey(timeline: number, start: Lsn): string {
  return `${timeline}/${start}`;
}
