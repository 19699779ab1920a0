import type { BackupRecord } from '../backup.ts';
import type { JournalEpoch, JournalKind } from '../journal.ts';
import { lsnOf, segmentStart } from '../lsn.ts';

/** Of each kind, so many newest epochs stay whatever they hold: a journal that goes on proves its past by them. */
const EPOCHS_ALWAYS_KEPT = 2;

/** From where on a backup is replayed. */
interface Anchor {
  readonly history: string;
  readonly at: bigint;
}

/**
 * Epochs that no replay of these backups reads: each ends before the oldest of the bases and snapshots of its history begins, and goes
 * on from no epoch that is needed. By position, never by time: a clock may have been wrong. None where no backup could be replayed.
 *
 * @param backups all whose objects are still there
 */
export function unneededEpochs(
  kind: JournalKind,
  epochs: readonly JournalEpoch[],
  backups: readonly Pick<BackupRecord, 'components'>[],
): JournalEpoch[] {
  const anchors = backups.flatMap((backup) => anchorOf(kind, backup));
  if (anchors.length === 0) return [];
  const oldestFirst = epochs.toSorted((a, b) => a.begin.epoch - b.begin.epoch);
  const newest = oldestFirst.slice(-EPOCHS_ALWAYS_KEPT);
  const needed = new Set<string>();
  const begun = new Set<string>();
  for (const epoch of oldestFirst) {
    const { history, continues } = epoch.begin;
    const end = endOf(kind, epoch);
    // One that ends where a replay begins is needed, too: what continues it is found through it.
    const isReplayed = anchors.some((anchor) => anchor.history === history && end >= anchor.at);
    const goesOn = continues !== null && needed.has(nameOf(continues));
    // Whatever follows in a history that is replayed may say how it went on.
    if (!isReplayed && !goesOn && !begun.has(history) && !newest.includes(epoch)) continue;
    needed.add(nameOf(epoch.begin));
    begun.add(history);
  }
  return oldestFirst.filter(({ begin }) => !needed.has(nameOf(begin)));
}

function anchorOf(kind: JournalKind, { components: { postgres, redis } }: Pick<BackupRecord, 'components'>): Anchor[] {
  if (kind === 'postgres') {
    const base = postgres?.base;
    if (base === undefined) return [];
    return [{ history: base.systemIdentifier, at: segmentStart(lsnOf(base.startLsn), base.walSegmentBytes) }];
  }
  return redis === undefined || redis.replid === '' ? [] : [{ history: redis.replid, at: BigInt(redis.offset) }];
}

function endOf(kind: JournalKind, { entries, durable }: JournalEpoch): bigint {
  const ends = entries.filter((entry) => entry.kind !== 'history').map(({ to }) => to);
  return [...ends, durable.at]
    .map((at) => (kind === 'postgres' ? lsnOf(at) : BigInt(at)))
    .reduce((furthest, end) => (end > furthest ? end : furthest), 0n);
}

function nameOf({ history, epoch }: { readonly history: string; readonly epoch: number }): string {
  return `${history}/${epoch}`;
}
