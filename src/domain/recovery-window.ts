import type { BackupRecord, ComponentName } from './backup.ts';
import type { JournalEpoch } from './journal.ts';
import { baseChain, byId, type Lineage } from './lineage.ts';
import { nameGaps, type WindowGap } from './recovery-gaps.ts';
import type { ComponentWindow, Replayable } from './replayable.ts';
import { planStreamReplay } from './stream-replay.ts';
import type { TimelineHistory } from './timeline.ts';
import { intersectSpans, joinSpans, type Span } from './time-spans.ts';
import { planWalReplay } from './wal-replay.ts';

/** What can be restored: every instant of `spans`, in all components; and each point as it is. Times in ms since 1970. */
export interface RecoveryWindow {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly spans: readonly Span[];
  readonly postgres: ComponentWindow | null;
  readonly redis: ComponentWindow | null;
  /** Backups whose own instant is in no span: `restore ID` gives them, no time does. Oldest first. */
  readonly points: readonly { readonly backupId: string; readonly timeMs: number }[];
  readonly gaps: readonly WindowGap[];
}

export interface WindowSources {
  /** Those that are damaged count for nothing. */
  readonly backups: readonly BackupRecord[];
  /** What is protected: a joint instant is one of all of these. */
  readonly components: readonly ComponentName[];
  /** All that an incremental base may stand on, where `backups` are only some. */
  readonly lineage?: readonly BackupRecord[];
  readonly postgres: readonly JournalEpoch[];
  readonly redis: readonly JournalEpoch[];
  /** What the WAL journal's entries of kind `history` hold, by their keys. */
  readonly histories: ReadonlyMap<string, TimelineHistory>;
}

/** The moments that can be restored, by the same rules by which a restore finds its way. */
export function recoveryWindow(sources: WindowSources): RecoveryWindow {
  const complete = sources.backups.filter(({ status }) => status === 'complete');
  const lineage = byId(sources.lineage ?? sources.backups);
  const bases = complete.flatMap((backup) => postgresReplayable(backup, { sources, lineage }));
  const snapshots = complete.flatMap((backup) => redisReplayable(backup, sources));
  const { components } = sources;
  const postgres = components.includes('postgres') ? windowOf(bases) : null;
  const redis = components.includes('redis') ? windowOf(snapshots) : null;
  const parts = [postgres, redis].filter((window) => window !== null);
  const spans = parts.map((window) => window.spans).reduce(intersectSpans, parts.length === 0 ? [] : EVER);
  const points = complete.map(({ id, recoveryPoint }) => ({ backupId: id, timeMs: Date.parse(recoveryPoint.time) }));
  return {
    fromMs: spans[0]?.fromMs ?? null,
    toMs: spans.at(-1)?.toMs ?? null,
    spans,
    postgres,
    redis,
    points: points.filter(({ timeMs }) => !isWithin(spans, timeMs)).toSorted((a, b) => a.timeMs - b.timeMs),
    gaps: [...nameGaps('postgres', postgres, sources.postgres), ...nameGaps('redis', redis, sources.redis)].toSorted(
      (a, b) => a.fromMs - b.fromMs,
    ),
  };
}

const EVER: readonly Span[] = [{ fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }];

export function isWithin(spans: readonly Span[], timeMs: number): boolean {
  return spans.some(({ fromMs, toMs }) => fromMs <= timeMs && timeMs <= toMs);
}

function windowOf(replayable: readonly Replayable[]): ComponentWindow {
  return { replayable: replayable.toSorted((a, b) => a.fromMs - b.fromMs), spans: joinSpans(replayable) };
}

/**
 * A physical base alone can be restored to the very instant at which it was consistent, and to no other. An incremental one is
 * no base where something that it stands on is not there.
 */
function postgresReplayable(
  backup: BackupRecord,
  { sources, lineage }: { readonly sources: WindowSources; readonly lineage: Lineage },
): Replayable[] {
  const { id } = backup;
  const base = backup.components.postgres?.base;
  const chain = baseChain(backup, lineage);
  if (base === undefined || !('ids' in chain)) return [];
  const fromMs = Date.parse(base.endAt);
  const from = { timeline: base.timeline, at: base.endLsn };
  const plan = planWalReplay(sources.postgres, { base, target: 'end', histories: sources.histories });
  const { reach } = plan;
  const end = plan.found ? null : { code: plan.code, message: plan.message };
  const reached = reach === null ? { ...from, timeMs: fromMs } : reach;
  const to = { timeline: reached.timeline, at: reached.at };
  const whole = { backupId: id, fromMs, toMs: Math.max(fromMs, reached.timeMs), from, to, end };
  return [chain.ids.length === 1 ? whole : { ...whole, chain: chain.ids }];
}

function redisReplayable({ id, components }: BackupRecord, sources: WindowSources): Replayable[] {
  const { redis } = components;
  // What SCAN read is of no single instant, and no stream goes on from it.
  if (redis === undefined || redis.method !== 'replication') return [];
  const fromMs = Date.parse(redis.snapshotAt);
  const { offset, timeMs, next } = planStreamReplay(sources.redis, { ...redis, timeMs: fromMs });
  const message = `the journal has nothing between ${offset} and ${next}`;
  const end = next === null ? null : { code: 'JOURNAL_GAP', message };
  const from = { timeline: 0, at: String(redis.offset) };
  return [{ backupId: id, fromMs, toMs: timeMs, from, to: { timeline: 0, at: String(offset) }, end }];
}
