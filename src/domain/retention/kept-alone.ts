import { EMERGENCY, isTakenAside, JOURNAL_START, SAVED_BEFORE_RESTORE } from '../backup.ts';
import type { RetentionBackup, RetentionMoment, RetentionReason, RetentionRules } from './retention-rules.ts';

const DAY_MS = 86_400_000;

/** Reasons that lie in a backup itself. */
export function keptAlone(backup: RetentionBackup, rules: RetentionRules, moment: RetentionMoment): RetentionReason[] {
  const { nowMs } = moment;
  const { lockedMs } = rules;
  const createdMs = Date.parse(backup.createdAt);
  const reasons: RetentionReason[] = backup.holds.map((reason) => ({ code: 'hold', message: `held: ${reason}` }));
  // Not `<=`: a clock that was set back must not remove what it calls the future.
  if (createdMs > nowMs) {
    const now = new Date(nowMs).toISOString();
    reasons.push({ code: 'from-the-future', message: `it was taken at ${backup.createdAt}, and now is ${now}` });
  }
  const savedUntilMs = savedUntil(backup, rules, moment);
  if (savedUntilMs > nowMs) {
    const until = new Date(savedUntilMs).toISOString();
    reasons.push({ code: 'undo', message: `it holds ${whatIsHeld(backup)}, and is kept until ${until}` });
  }
  if (lockedMs > 0 && createdMs + lockedMs > nowMs) {
    const until = new Date(createdMs + lockedMs).toISOString();
    reasons.push({ code: 'locked', message: `the store keeps its objects until ${until} (Object Lock)` });
  }
  return reasons;
}

/** The keys that a restore replaced. One that nobody recorded the end of may have failed half-way: then they are all there is. */
function savedUntil(backup: RetentionBackup, { days }: RetentionRules, { undoUntilMs }: RetentionMoment): number {
  if (![SAVED_BEFORE_RESTORE, EMERGENCY].includes(backup.label['reason'] ?? '')) return 0;
  return undoUntilMs.get(backup.id) ?? Date.parse(backup.createdAt) + days * DAY_MS;
}

function whatIsHeld({ label }: RetentionBackup): string {
  return label['reason'] === EMERGENCY
    ? 'the state that a recovery plan was about to replace'
    : 'the keys that a restore replaced';
}

export function isYoung({ createdAt }: RetentionBackup, { days }: RetentionRules, { nowMs }: RetentionMoment): boolean {
  return Date.parse(createdAt) > nowMs - days * DAY_MS;
}

/** Why a backup goes that nothing keeps. */
export function whyGone(backup: RetentionBackup, rules: RetentionRules, moment: RetentionMoment): RetentionReason {
  if (isTakenAside(backup)) {
    return backup.label['reason'] === JOURNAL_START
      ? { code: 'journal-start-over', message: 'the Redis journal stood on it, before the oldest backup that is kept' }
      : { code: 'undo-over', message: `it holds ${whatIsHeld(backup)}, which can no longer be undone` };
  }
  if (backup.status === 'damaged') {
    return { code: 'damaged-over', message: 'its manifest is damaged: nothing of it can be restored by Lifeboat' };
  }
  return isYoung(backup, rules, moment)
    ? { code: 'surplus', message: `${rules.maxBackups} newer backups are kept (maxBackups)` }
    : { code: 'expired', message: `it is older than ${rules.days} days` };
}
