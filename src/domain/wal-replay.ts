import type { BaseBackupFacts } from './backup.ts';
import type { JournalEpoch, JournalPosition } from './journal.ts';
import { formatLsn, lsnOf, segmentStart, type Lsn } from './lsn.ts';
import { isReachable, switchPoint, type TimelineHistory } from './timeline.ts';
import { journalChains, type ChainPart, type JournalChain } from './wal-chain.ts';
import { coverSegment, indexWal, nextStored, type SegmentPart, type WalIndex } from './wal-cover.ts';

/** `end`: all that the journal has. A time is in milliseconds since 1970, clock of the server. */
export type ReplayTarget = { readonly timeMs: number } | { readonly lsn: string } | 'end';

export interface WalReplayRequest {
  readonly base: Pick<BaseBackupFacts, 'systemIdentifier' | 'timeline' | 'endLsn' | 'endAt' | 'walSegmentBytes'>;
  readonly target: ReplayTarget;
  /** What the entries of kind `history` hold, by their keys. */
  readonly histories: ReadonlyMap<string, TimelineHistory>;
}

/** A segment as it can be put together, from its first byte on; what is missing at the end of the last one is zeros. */
export interface ReplaySegment {
  readonly timeline: number;
  readonly from: string;
  /** End of what the parts hold. */
  readonly to: string;
  readonly parts: readonly SegmentPart[];
}

export interface WalReplay {
  readonly found: true;
  /** From the base's timeline to the one that replay ends on. */
  readonly timelines: readonly number[];
  readonly segmentBytes: number;
  /** Without a hole, in the order of replay. */
  readonly segments: readonly ReplaySegment[];
  /** History files that the server reads on that way. */
  readonly histories: readonly ChainPart[];
  /** All before `at` is in the segments; all that the server had flushed by `timeMs` is (0: not known). */
  readonly reach: JournalPosition & { readonly timeMs: number };
}

export interface NoWalReplay {
  readonly found: false;
  readonly code: 'JOURNAL_GAP' | 'JOURNAL_TARGET_OUTSIDE';
  readonly message: string;
  /** How far this base can be replayed; null for not at all. */
  readonly reach: WalReplay['reach'] | null;
}

/**
 * The WAL that brings a base to a target, in order, or what is in the way. Only along the base's own future: never onto a
 * timeline that the base is not an ancestor of, never over a hole, never from one journal into another.
 * The base brings its own WAL up to `endLsn`; the journal's begins with the segment that holds it.
 */
export function planWalReplay(epochs: readonly JournalEpoch[], request: WalReplayRequest): WalReplay | NoWalReplay {
  const { base, target } = request;
  if (isBefore(target, base)) {
    const message = `the target is before ${base.endAt} (${base.endLsn}), where the base begins to be consistent`;
    return { found: false, code: 'JOURNAL_TARGET_OUTSIDE', message, reach: null };
  }
  const message = `no journal holds the wal of system ${base.systemIdentifier} from ${base.endLsn} on`;
  let best: NoWalReplay = { found: false, code: 'JOURNAL_GAP', message, reach: null };
  for (const chain of journalChains(epochs, base.systemIdentifier)) {
    if (isOfAnotherPast(chain, base)) continue;
    const plan = planChain(chain, request);
    if (plan.found) return plan;
    if (best.reach === null || (plan.reach !== null && lsnOf(plan.reach.at) > lsnOf(best.reach.at))) best = plan;
  }
  return best;
}

/**
 * A chain that began because the server was not the journal's any more (put back to an older state, promoted elsewhere) may hold the
 * WAL behind an older base as well. It is not what was so at those moments: they are on the chain before it.
 */
function isOfAnotherPast({ epochs }: JournalChain, { endAt }: WalReplayRequest['base']): boolean {
  const first = epochs[0]?.begin;
  return first?.gap?.code === 'JOURNAL_HISTORY_MISMATCH' && Date.parse(endAt) < first.from.timeMs;
}

function isBefore(target: ReplayTarget, { endAt, endLsn }: WalReplayRequest['base']): boolean {
  if (target === 'end') return false;
  return 'lsn' in target ? lsnOf(target.lsn) < lsnOf(endLsn) : target.timeMs < Date.parse(endAt);
}

function planChain(chain: JournalChain, request: WalReplayRequest): WalReplay | NoWalReplay {
  const { base, target } = request;
  const history = newestHistory(chain, request);
  if (history === undefined) {
    const message = `no timeline of the journal comes from ${base.endLsn} on timeline ${base.timeline}`;
    return { found: false, code: 'JOURNAL_GAP', message, reach: null };
  }
  const segmentBytes = base.walSegmentBytes;
  const index = indexWal(chain, segmentBytes);
  const walk = walkLegs(index, { legs: legsOf(history, base), target, segmentBytes, durables: durablesOf(chain) });
  const { segments, reach, timelines, reached, next } = walk;
  const early = lsnOf(reach.at) < lsnOf(base.endLsn);
  if (early || (!reached && (target !== 'end' || next !== undefined))) return noWay(walk, base, early);
  const files = new Map(
    chain.parts.filter(({ entry }) => entry.kind === 'history').map((part) => [part.entry.timeline, part]),
  );
  const histories = timelines.flatMap((timeline) => files.get(timeline) ?? []);
  return { found: true, timelines, segmentBytes, segments, histories, reach };
}

/** The way to the newest timeline of which there is WAL. */
function newestHistory(chain: JournalChain, { base, histories }: WalReplayRequest): TimelineHistory | undefined {
  const place = { timeline: base.timeline, lsn: lsnOf(base.endLsn) };
  const wal = chain.parts.filter(({ entry }) => entry.kind === 'segment' || entry.kind === 'piece');
  const timelines = [...new Set(wal.map(({ entry }) => entry.timeline))].toSorted((a, b) => b - a);
  for (const timeline of timelines) {
    const file = chain.parts.findLast(({ entry }) => entry.kind === 'history' && entry.timeline === timeline);
    const read = file === undefined ? undefined : histories.get(file.entry.key);
    const history = read ?? (timeline === base.timeline ? { timeline, ancestors: [] } : undefined);
    if (history !== undefined && isReachable(history, place)) return history;
  }
  return undefined;
}

interface Leg {
  readonly timeline: number;
  /** Starts of segments; `to` is undefined for the last one. */
  readonly from: Lsn;
  readonly to: Lsn | undefined;
}

/** The segment of a switch is read from the newer timeline, which has the past of it copied. */
function legsOf(
  history: TimelineHistory,
  { timeline: first, endLsn, walSegmentBytes }: WalReplayRequest['base'],
): Leg[] {
  const line = [...history.ancestors.map(({ timeline }) => timeline), history.timeline];
  let from = segmentStart(lsnOf(endLsn), walSegmentBytes);
  return line.slice(line.indexOf(first)).map((timeline) => {
    const end = switchPoint(history, timeline) ?? undefined;
    const to = end === undefined ? undefined : segmentStart(end, walSegmentBytes);
    const leg = { timeline, from, to };
    from = to ?? from;
    return leg;
  });
}

interface Walk {
  readonly segments: readonly ReplaySegment[];
  readonly timelines: readonly number[];
  readonly reach: WalReplay['reach'];
  /** The target is before `reach`. */
  readonly reached: boolean;
  /** Where the journal goes on behind a hole; undefined where it ends. */
  readonly next: Lsn | undefined;
}

function walkLegs(
  index: WalIndex,
  request: {
    readonly legs: readonly Leg[];
    readonly target: ReplayTarget;
    readonly segmentBytes: number;
    readonly durables: readonly Durable[];
  },
): Walk {
  const { legs, target, durables } = request;
  const segments: ReplaySegment[] = [];
  const timelines: number[] = [];
  let reach: WalReplay['reach'] = { timeline: legs[0]?.timeline ?? 0, at: formatLsn(legs[0]?.from ?? 0n), timeMs: 0 };
  for (const { timeline, from, to } of legs) {
    timelines.push(timeline);
    for (let start = from; to === undefined || start < to; start += BigInt(request.segmentBytes)) {
      const { parts, end, knownMs } = coverSegment(index, { timeline, start });
      if (end > start) segments.push({ timeline, from: formatLsn(start), to: formatLsn(end), parts });
      const timeMs = Math.max(reach.timeMs, knownMs, durableMs(durables, { timeline, end }));
      reach = { timeline, at: formatLsn(end), timeMs };
      if (isReached(target, reach)) return { segments, timelines, reach, reached: true, next: undefined };
      if (end === start + BigInt(request.segmentBytes)) continue;
      return { segments, timelines, reach, reached: false, next: nextStored(index, { timeline, end }) ?? to };
    }
  }
  return { segments, timelines, reach, reached: false, next: undefined };
}

interface Durable {
  readonly timeline: number;
  readonly at: Lsn;
  readonly timeMs: number;
}

function durablesOf({ epochs }: JournalChain): Durable[] {
  return epochs.map(({ durable }) => ({ ...durable, at: lsnOf(durable.at) }));
}

/** On an idle server the time goes on without a byte. */
function durableMs(durables: readonly Durable[], place: { readonly timeline: number; readonly end: Lsn }): number {
  const within = durables.filter(({ timeline, at }) => timeline === place.timeline && at <= place.end);
  return within.reduce((latest, { timeMs }) => Math.max(latest, timeMs), 0);
}

function isReached(target: ReplayTarget, reach: WalReplay['reach']): boolean {
  if (target === 'end') return false;
  return 'lsn' in target ? lsnOf(reach.at) >= lsnOf(target.lsn) : reach.timeMs >= target.timeMs;
}

function noWay({ reach, next }: Walk, { endLsn }: WalReplayRequest['base'], early: boolean): NoWalReplay {
  const where = `timeline ${reach.timeline}`;
  const known = reach.timeMs === 0 ? '' : ` (${new Date(reach.timeMs).toISOString()})`;
  const message = `the journal ends at ${reach.at} on ${where}`;
  if (early) {
    return { found: false, code: 'JOURNAL_GAP', message: `${message}, before the base does (${endLsn})`, reach: null };
  }
  if (next === undefined) return { found: false, code: 'JOURNAL_TARGET_OUTSIDE', message: `${message}${known}`, reach };
  const gap = `the journal has nothing between ${reach.at} and ${formatLsn(next)} on ${where}`;
  return { found: false, code: 'JOURNAL_GAP', message: gap, reach };
}
