import { byId, neededBy } from '../lineage.ts';
import { isDueThere } from '../target-facts.ts';
import { planRetention } from './plan-retention.ts';
import type {
  RetentionBackup,
  RetentionDecision,
  RetentionMoment,
  RetentionReason,
  RetentionRules,
} from './retention-rules.ts';

/** What a target and the repository that it is a copy of have. */
export interface CopiedHoldings {
  /** What the target lists. */
  readonly there: readonly RetentionBackup[];
  /** What the repository lists. */
  readonly own: readonly RetentionBackup[];
  /** Ids that a cleanup of the repository removed. */
  readonly removedInOrder: ReadonlySet<string>;
  /** Ids that the target's own rules removed there: they do not come again, but for those that are held. */
  readonly removedThere: ReadonlySet<string>;
}

/**
 * What a target keeps: what its rules keep, what is held in the repository, what backups that are still to come stand on, and every copy
 * that is the only good one of a backup that the repository still wants. Newest first.
 */
export function planTargetRetention(
  holdings: CopiedHoldings,
  rules: RetentionRules,
  moment: RetentionMoment,
): RetentionDecision[] {
  const own = new Map(holdings.own.map((backup) => [backup.id, backup]));
  // A hold may not have been copied yet; and a release neither.
  const there = holdings.there.map((backup) => ({ ...backup, holds: own.get(backup.id)?.holds ?? backup.holds }));
  const coming = neededByComing(holdings);
  const gone = planRetention(there, rules, moment).filter(({ keep }) => !keep);
  const alsoKept = new Map(
    gone.map(({ id }): [string, RetentionReason[]] => {
      const backup = there.find((one) => one.id === id);
      const alone = backup === undefined ? null : whyOnlyGood(backup, own.get(id), holdings);
      return [id, [alone, coming.get(id) ?? null].filter((reason) => reason !== null)];
    }),
  );
  return planRetention(there, rules, { ...moment, alsoKept });
}

/** Null where the repository has a good one, or has removed its own in order. */
function whyOnlyGood(
  there: RetentionBackup,
  own: RetentionBackup | undefined,
  { removedInOrder }: CopiedHoldings,
): RetentionReason | null {
  if (there.status !== 'complete') return null;
  if (own === undefined) {
    if (removedInOrder.has(there.id)) return null;
    return { code: 'only-copy', message: 'the repository has lost it, and no cleanup removed it there' };
  }
  if (own.status === 'damaged') return { code: 'only-copy', message: 'the one in the repository is damaged' };
  if (own.verifiedAt !== null || there.verifiedAt === null) return null;
  const message = `it is the only verified copy (\`lifeboat backup verify ${there.id}\` reads back the repository's own)`;
  return { code: 'only-verified', message };
}

/** What backups that the target does not have yet stand on, with the reason. */
function neededByComing({ own, there, removedThere }: CopiedHoldings): ReadonlyMap<string, RetentionReason> {
  const present = new Set(there.map(({ id }) => id));
  const lineage = byId(own);
  const needed = new Map<string, RetentionReason>();
  for (const backup of own) {
    const { id, status } = backup;
    if (status !== 'complete' || present.has(id) || !isDueThere(backup, removedThere)) continue;
    for (const under of neededBy(id, lineage).ids.filter((one) => one !== id)) {
      needed.set(under, { code: 'needed', message: `${id}, whose copy is still to come, stands on it` });
    }
  }
  return needed;
}
