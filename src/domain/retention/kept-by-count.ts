import type { ComponentName } from '../backup.ts';
import { isYoung } from './kept-alone.ts';
import { periodOf } from './periods.ts';
import { PERIODS } from './retention-rules.ts';
import type { RetentionBackup, RetentionMoment, RetentionReason, RetentionRules } from './retention-rules.ts';

type Kept = readonly [id: string, reason: RetentionReason];

const COMPONENTS: readonly ComponentName[] = ['postgres', 'redis'];

/**
 * Reasons that lie in a backup's place among the others. Minimums and periods are counted for each component: a newer backup of Redis
 * alone never stands in for one of PostgreSQL.
 *
 * @param counted newest first; what is damaged, from the future or taken aside is not among them
 */
export function keptByCount(
  counted: readonly RetentionBackup[],
  rules: RetentionRules,
  moment: RetentionMoment,
): Kept[] {
  const young = counted.slice(0, rules.maxBackups).filter((backup) => isYoung(backup, rules, moment));
  const message = `it is younger than ${rules.days} days`;
  const byAge = young.map(({ id }): Kept => [id, { code: 'young', message }]);
  const byComponent = COMPONENTS.flatMap((component) => {
    const holding = counted.filter(({ components }) => components[component] !== undefined);
    return [...newest(holding, component), ...minimum(holding, component, rules), ...periods(holding, rules)];
  });
  return unique([...byAge, ...byComponent]);
}

function newest([first]: readonly RetentionBackup[], component: ComponentName): Kept[] {
  return first === undefined
    ? []
    : [[first.id, { code: 'newest', message: `it is the newest backup of ${component}` }]];
}

/** The newest full backups that were verified; where there are too few of them, the newest others stay beside them and do not count. */
function minimum(holding: readonly RetentionBackup[], component: ComponentName, { minFull }: RetentionRules): Kept[] {
  const full = holding.filter(({ kind }) => kind === 'full');
  const verified = full.filter(({ verifiedAt }) => verifiedAt !== null).slice(0, minFull);
  const unverified = verified.length < minFull ? full.slice(0, minFull).filter((one) => !verified.includes(one)) : [];
  const say = (what: string): RetentionReason => ({
    code: 'minimum',
    message: `it is one of the newest ${minFull} ${what} of ${component} (minFull)`,
  });
  return [
    ...verified.map(({ id }): Kept => [id, say('verified full backups')]),
    ...unverified.map(({ id }): Kept => [id, say('full backups, too few of which are verified,')]),
  ];
}

function periods(holding: readonly RetentionBackup[], { gfs }: RetentionRules): Kept[] {
  return PERIODS.flatMap((period) => {
    const seen = new Set<string>();
    return holding.flatMap(({ id, createdAt }): Kept[] => {
      const name = periodOf(period, Date.parse(createdAt));
      if (seen.has(name) || seen.size >= gfs[period]) return [];
      seen.add(name);
      return [[id, { code: period, message: `it is the newest of ${name} (gfs.${period})` }]];
    });
  });
}

/** One component's reason is the other's, too, in most cases. */
function unique(kept: readonly Kept[]): Kept[] {
  return [...new Map(kept.map((one) => [`${one[0]} ${one[1].code} ${one[1].message}`, one])).values()];
}
