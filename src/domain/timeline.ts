import { formatLsn, parseLsn, type Lsn } from './lsn.ts';

/** A part of a timeline's past: WAL below `end` (and at or above the end of the part before) is of `timeline`. */
export interface Ancestor {
  readonly timeline: number;
  readonly end: Lsn;
}

/** Where a timeline comes from, oldest ancestor first. Timeline 1 has none. */
export interface TimelineHistory {
  readonly timeline: number;
  readonly ancestors: readonly Ancestor[];
}

const LINE = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)(?:\s.*)?$/;

/**
 * Reads a `.history` file: a line per ancestor, `parent <tab> switch LSN <tab> reason`, oldest first; `#` begins a comment.
 * @returns a sentence where the file is not one of that timeline
 */
export function parseTimelineHistory(timeline: number, content: string): TimelineHistory | string {
  const ancestors: Ancestor[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const match = LINE.exec(line);
    const end = match === null ? undefined : parseLsn(match[2] ?? '');
    if (end === undefined) return `line ${index + 1} of the history of timeline ${timeline} has no timeline and LSN`;
    const before = ancestors.at(-1);
    const ancestor = { timeline: Number(match?.[1]), end };
    if (ancestor.timeline >= timeline || ancestor.timeline <= (before?.timeline ?? 0) || end < (before?.end ?? 0n)) {
      return `line ${index + 1} of the history of timeline ${timeline} is out of order`;
    }
    ancestors.push(ancestor);
  }
  return { timeline, ancestors };
}

/** Name of the file, as servers and archives call it. */
export function historyFileName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

/** Whose WAL the byte at `lsn` is, on the way to `history.timeline`. */
export function timelineAt(history: TimelineHistory, lsn: Lsn): number {
  return history.ancestors.find(({ end }) => lsn < end)?.timeline ?? history.timeline;
}

/** Where `timeline` was left on the way to `history.timeline`; null for that itself, undefined for a stranger. */
export function switchPoint(history: TimelineHistory, timeline: number): Lsn | null | undefined {
  if (timeline === history.timeline) return null;
  return history.ancestors.find((ancestor) => ancestor.timeline === timeline)?.end;
}

/** Is `lsn` on `timeline` in the past of `history.timeline`? The very place of the switch is. */
export function isReachable(
  history: TimelineHistory,
  place: { readonly timeline: number; readonly lsn: Lsn },
): boolean {
  const end = switchPoint(history, place.timeline);
  return end !== undefined && (end === null || place.lsn <= end);
}

/** For messages: `1 → 2 at 0/3000148 → 3 at 0/5000000`. */
export function describeHistory({ timeline, ancestors }: TimelineHistory): string {
  const followers = [...ancestors.slice(1).map((ancestor) => ancestor.timeline), timeline];
  const steps = ancestors.map(({ end }, index) => `${followers[index]} at ${formatLsn(end)}`);
  return [ancestors[0]?.timeline ?? timeline, ...steps].join(' → ');
}
