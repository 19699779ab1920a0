import type { Problem } from '../../../domain/backup.ts';
import type { JournalEntry, JournalEpoch } from '../../../domain/journal.ts';
import { chapterKey, epochName, openChapterKey, placeOf } from '../journal-keys.ts';

/** How far an epoch's bytes go without a hole. */
interface Frontier {
  timeline: number;
  at: bigint;
}

/**
 * Bytes that are missing between two entries of one epoch, before its first, or up to what it says is durable; and timelines
 * that nobody could follow, because no history file leads to them.
 */
export function findHoles(epochs: readonly JournalEpoch[]): Problem[] {
  const led = new Set<string>();
  return epochs.flatMap((epoch) => holesOf(epoch, led));
}

function holesOf({ begin, entries, durable }: JournalEpoch, led: Set<string>): Problem[] {
  const { kind } = begin;
  const problems: Problem[] = [];
  const nameOf = (timeline: number): string => `${begin.history}/${timeline}`;
  const add = (key: string, what: string): void =>
    void problems.push({ backupId: epochName(begin), key, code: 'JOURNAL_GAP', message: `${key}: ${what}` });

  const frontier: Frontier = { timeline: begin.from.timeline, at: placeOf(kind, begin.from.at) };
  for (const entry of entries) {
    if (entry.kind === 'history') led.add(nameOf(entry.timeline));
    if (entry.kind === 'history' || entry.timeline < frontier.timeline) continue;
    const isLed = entry.timeline === frontier.timeline || led.has(nameOf(entry.timeline));
    if (!isLed) add(entry.key, `timeline ${entry.timeline} without its history file`);
    const before = frontier.at;
    if (advance(kind, frontier, entry)) continue;
    add(entry.key, `${placeOf(kind, entry.from) - before} bytes before ${entry.from} are missing`);
  }
  const missing = durable.timeline === frontier.timeline ? placeOf(kind, durable.at) - frontier.at : 0n;
  if (missing > 0n) {
    const key = entries.length === 0 ? openChapterKey(begin) : (entries.at(-1)?.key ?? chapterKey(begin, 1));
    add(key, `${missing} bytes before ${durable.at}, which was durable, are missing`);
  }
  return problems;
}

/** False where the entry begins behind the frontier, which it moves in any case. A newer timeline begins within the older one. */
function advance(kind: JournalEpoch['begin']['kind'], frontier: Frontier, entry: JournalEntry): boolean {
  const [from, to] = [placeOf(kind, entry.from), placeOf(kind, entry.to)];
  const isJoined = from <= frontier.at;
  const isNewer = entry.timeline > frontier.timeline;
  if (isNewer || to > frontier.at) frontier.at = to;
  frontier.timeline = entry.timeline;
  return isJoined;
}
