import type { VerifyOldestInput, VerifyOldestResult } from '../contract/verification.ts';
import type { Problem } from '../domain/backup.ts';
import { fitsBudget } from '../domain/oldest-first.ts';
import { data } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Reads backups back within a budget, the one whose verification is longest ago first: run again and again, it comes to all of them.
 * Each that was read is in the ledger at once, so that a run that ends early has lost nothing. Runs beside the group's lock.
 */
export async function verifyOldestWorkflow(input: VerifyOldestInput): Promise<VerifyOldestResult> {
  const progress = trackProgress('verification of what was verified longest ago');
  return cancellable(progress, async () => {
    progress.enter('planning', 'reading the chain of manifests and when each was read back');
    const plan = await data('find what was verified longest ago').planOldestVerification({ group: input.group });
    const startedAt = Date.now();
    const verified: string[] = [];
    const problems: Problem[] = [...plan.problems];
    let storedBytes = 0;
    for (const next of plan.due) {
      const spent = { backups: verified.length, bytes: storedBytes, ms: Date.now() - startedAt };
      if (!fitsBudget(next, spent, input.budget)) break;
      progress.enter('verifying', `reading every object of ${next.backupId}`);
      const found = await data(`read back ${next.backupId}`).verifyBackup({ backupId: next.backupId });
      problems.push(...found.problems);
      verified.push(next.backupId);
      storedBytes += next.storedBytes;
    }
    const remaining = plan.total - verified.length;
    progress.enter('done', `${verified.length} verified, ${remaining} left for later, ${problems.length} problems`);
    const oldest = plan.due[verified.length]?.verifiedAt ?? null;
    return { verified, problems, storedBytes, remaining, oldest };
  });
}
