import { compareLsn, lsnOf } from './lsn.ts';
import { isWithin, type RecoveryWindow } from './recovery-window.ts';
import type { ReplayPlan, ReplayTarget } from './replay.ts';
import type { ComponentWindow, Replayable } from './replayable.ts';

/**
 * An instant (ms since 1970), or a WAL position together with the instant at which the server was there: Redis knows no
 * LSN, so that is what it is brought to.
 */
export type RecoveryTarget = { readonly atMs: number } | { readonly lsn: string; readonly atMs: number };

export interface TargetRefusal {
  readonly code: 'JOURNAL_TARGET_OUTSIDE';
  readonly message: string;
  /** The nearest instants that can be had in all components; null where there is none on that side. */
  readonly nearestBeforeMs: number | null;
  readonly nearestAfterMs: number | null;
}

/** The newest base and the newest snapshot that can be replayed to the target, or why there is none. */
export function resolveTarget(window: RecoveryWindow, target: RecoveryTarget): ReplayPlan | TargetRefusal {
  const byLsn = 'lsn' in target ? target.lsn : undefined;
  const { atMs } = target;
  const wanted: ReplayTarget = byLsn === undefined ? { atMs } : { position: byLsn };
  const base = window.postgres && basesFor(window.postgres, wanted)[0];
  const snapshot = window.redis && basesFor(window.redis, { atMs })[0];
  const nothing = window.postgres === null && window.redis === null;
  if (base === undefined || snapshot === undefined || nothing) return refuse(window, target);
  const chain = base?.chain === undefined ? {} : { chain: base.chain };
  return {
    postgres: base && { baseId: base.backupId, ...chain, target: wanted },
    redis: snapshot && { snapshotId: snapshot.backupId, target: { atMs } },
  };
}

export function isRefused(resolved: ReplayPlan | TargetRefusal): resolved is TargetRefusal {
  return 'code' in resolved;
}

/** Every base or snapshot that can be replayed to the target, the newest first: it has the least to replay. */
export function basesFor({ replayable }: ComponentWindow, target: ReplayTarget): Replayable[] {
  const fits = replayable.filter(({ fromMs, toMs, from, to }) => {
    if ('atMs' in target) return fromMs <= target.atMs && target.atMs <= toMs;
    const at = lsnOf(target.position);
    return lsnOf(from.at) <= at && at <= lsnOf(to.at);
  });
  return fits.toReversed();
}

function refuse(window: RecoveryWindow, target: RecoveryTarget): TargetRefusal {
  const { atMs } = target;
  const before = window.spans.findLast(({ fromMs }) => fromMs <= atMs);
  const after = window.spans.find(({ fromMs }) => fromMs > atMs);
  return {
    code: 'JOURNAL_TARGET_OUTSIDE',
    message: `${'lsn' in target ? lsnFacts(window, target.lsn) : instant(atMs)}: ${whyNot(window, atMs)}`,
    nearestBeforeMs: before === undefined ? null : Math.min(before.toMs, atMs),
    nearestAfterMs: after?.fromMs ?? null,
  };
}

function whyNot(window: RecoveryWindow, atMs: number): string {
  if (window.fromMs === null || window.toMs === null) return whyNoWindow(window, atMs);
  if (atMs < window.fromMs) return `before the window begins at ${instant(window.fromMs)}`;
  if (atMs > window.toMs) return `after the window ends at ${instant(window.toMs)}`;
  if (isWithin(window.spans, atMs)) return 'not a position that can be restored';
  const gap = window.gaps.find(({ fromMs, toMs }) => fromMs < atMs && (toMs === null || atMs < toMs));
  return gap === undefined ? 'in a gap' : `in a gap of ${gap.component}: ${gap.message}`;
}

/** A Redis without a stream takes the window of both away, not that of PostgreSQL. */
function whyNoWindow({ postgres, redis }: RecoveryWindow, atMs: number): string {
  const alone = redis?.spans.length === 0 && postgres !== null && isWithin(postgres.spans, atMs);
  return alone
    ? 'redis has no journal, so that no instant can be had of both; of PostgreSQL alone (--postgres) this one can'
    : 'there is no window of time to restore from';
}

/** From where to where there are positions, over all bases. */
function lsnFacts(window: RecoveryWindow, lsn: string): string {
  const bases = window.postgres?.replayable ?? [];
  const [first] = bases.map(({ from }) => from.at).toSorted(compareLsn);
  const last = bases
    .map(({ to }) => to.at)
    .toSorted(compareLsn)
    .at(-1);
  return first === undefined ? lsn : `${lsn} (there are ${first} to ${last})`;
}

const instant = (timeMs: number): string => new Date(timeMs).toISOString();
