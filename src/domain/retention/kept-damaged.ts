import type { ComponentName } from '../backup.ts';
import { isYoung } from './kept-alone.ts';
import type { RetentionBackup, RetentionMoment, RetentionReason, RetentionRules } from './retention-rules.ts';

const COMPONENTS: readonly ComponentName[] = ['postgres', 'redis'];

/**
 * Why a damaged backup stays. What was lost with its manifest may be put back by hand, or be only a key that is not trusted; so it stays
 * where nobody can prove what it was, for the usual time, and until a newer full backup of each component was verified. Somebody who asks
 * for it need not wait.
 *
 * @param newestFirst all that are listed
 */
export function keptDamaged(
  backup: RetentionBackup,
  newestFirst: readonly RetentionBackup[],
  { rules, moment }: { readonly rules: RetentionRules; readonly moment: RetentionMoment },
): RetentionReason[] {
  if (backup.status !== 'damaged') return [];
  if (moment.includeDamaged === true) return [];
  if (moment.provenDamaged?.has(backup.id) !== true) {
    return [say('its manifest cannot be trusted, and nothing proves what it was (--include-damaged)')];
  }
  if (isYoung(backup, rules, moment)) return [say(`its manifest is damaged, less than ${rules.days} days ago`)];
  const missing = COMPONENTS.filter((name) => !hasNewerVerified(backup, newestFirst, name));
  return missing.map((name) => say(`its manifest is damaged, and no newer full backup of ${name} was verified`));
}

/** A component that no backup holds needs none. */
function hasNewerVerified(
  { id }: RetentionBackup,
  newestFirst: readonly RetentionBackup[],
  name: ComponentName,
): boolean {
  const holding = newestFirst.filter(({ status, components }) => status === 'complete' && components[name]);
  return holding.length === 0
    ? newestFirst.some((one) => one.id > id && isVerifiedFull(one))
    : holding.some((one) => one.id > id && isVerifiedFull(one));
}

function isVerifiedFull({ kind, status, verifiedAt }: RetentionBackup): boolean {
  return kind === 'full' && status === 'complete' && verifiedAt !== null;
}

function say(message: string): RetentionReason {
  return { code: 'damaged', message };
}
