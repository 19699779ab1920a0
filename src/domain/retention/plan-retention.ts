import { isTakenAside, JOURNAL_START } from '../backup.ts';
import { byId, neededBy } from '../lineage.ts';
import { keptAlone, whyGone } from './kept-alone.ts';
import { keptDamaged } from './kept-damaged.ts';
import { keptByCount } from './kept-by-count.ts';
import type {
  RetentionBackup,
  RetentionDecision,
  RetentionMoment,
  RetentionReason,
  RetentionRules,
} from './retention-rules.ts';

/**
 * What stays and what goes, with every reason; newest first. What a kept backup stands on is kept. Damaged backups stay until they are
 * replaced, and those with a time to come stay, for one of the clocks is wrong; neither counts for anything.
 */
export function planRetention(
  backups: readonly RetentionBackup[],
  rules: RetentionRules,
  moment: RetentionMoment,
): RetentionDecision[] {
  const newestFirst = backups.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const reasons = new Map<string, RetentionReason[]>(newestFirst.map(({ id }) => [id, []]));
  const keep = (id: string, reason: RetentionReason): void => void reasons.get(id)?.push(reason);

  for (const backup of newestFirst) {
    for (const reason of keptAlone(backup, rules, moment)) keep(backup.id, reason);
    for (const reason of keptDamaged(backup, newestFirst, { rules, moment })) keep(backup.id, reason);
    for (const reason of moment.alsoKept?.get(backup.id) ?? []) keep(backup.id, reason);
  }
  const counted = newestFirst.filter((backup) => countsFor(backup, moment));
  for (const [id, reason] of keptByCount(counted, rules, moment)) keep(id, reason);
  keepJournalStarts(newestFirst, reasons);
  keepLineages(newestFirst, reasons);

  return newestFirst.map((backup) => {
    const kept = reasons.get(backup.id) ?? [];
    if (kept.length > 0) return { id: backup.id, keep: true, reasons: kept };
    return { id: backup.id, keep: false, reasons: [whyGone(backup, rules, moment)] };
  });
}

/** Only what was asked for, can be read, and is not from the future counts: a wrong clock must not push others out. */
function countsFor(backup: RetentionBackup, { nowMs }: RetentionMoment): boolean {
  return backup.status === 'complete' && !isTakenAside(backup) && Date.parse(backup.createdAt) <= nowMs;
}

/**
 * The snapshots that the Redis journal stands on are part of the window: those since the oldest backup that is kept stay, and the
 * newest, which the journal goes on from.
 */
function keepJournalStarts(newestFirst: readonly RetentionBackup[], reasons: Map<string, RetentionReason[]>): void {
  const oldest = newestFirst.findLast((backup) => !isTakenAside(backup) && (reasons.get(backup.id) ?? []).length > 0);
  const newest = newestFirst.find(isStart);
  for (const backup of newestFirst.filter(isStart)) {
    const isInWindow = oldest !== undefined && backup.createdAt >= oldest.createdAt;
    if (!isInWindow && backup !== newest) continue;
    const message = 'the Redis journal stands on it, in the window that is kept';
    reasons.get(backup.id)?.push({ code: 'journal-start', message });
  }
}

/** Whole chains: a backup is worth nothing without those that it stands on. */
function keepLineages(newestFirst: readonly RetentionBackup[], reasons: Map<string, RetentionReason[]>): void {
  const lineage = byId(newestFirst);
  const users = new Map<string, string[]>();
  for (const { id } of newestFirst) {
    if (reasons.get(id)?.length === 0) continue;
    for (const under of neededBy(id, lineage).ids) {
      if (under !== id) users.set(under, [...(users.get(under) ?? []), id]);
    }
  }
  for (const [id, [first = '', ...more]] of users) {
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    reasons.get(id)?.push({ code: 'needed', message: `${first}${others} cannot be restored without it` });
  }
}

function isStart(backup: RetentionBackup): boolean {
  return backup.label['reason'] === JOURNAL_START && backup.status === 'complete';
}
