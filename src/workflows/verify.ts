import type { Problem } from '../domain/backup.ts';
import type { VerifyInput, VerifyResult } from '../contract/messages.ts';
import { data } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';

/** Reads backups and journals back, one after the other, and names every problem; runs beside the group's lock. */
export async function verifyWorkflow(input: VerifyInput): Promise<VerifyResult> {
  const progress = trackProgress(`verification of ${input.backup}`);
  return cancellable(progress, async () => {
    progress.enter('planning', 'reading the chain of manifests');
    const plan = await data('read the chain of manifests').planVerification({
      backup: input.backup,
      ...(input.target === undefined ? {} : { target: input.target }),
    });
    const { from, notice = null } = plan;
    const source = from === undefined ? {} : { from };
    if (notice !== null) progress.note(notice);

    const problems: Problem[] = [...plan.problems];
    for (const backupId of plan.backupIds) {
      progress.enter('verifying', `reading every object of ${backupId}`);
      const found = await data(`read back ${backupId}`).verifyBackup({ backupId, ...source });
      problems.push(...found.problems);
    }
    const whole: string[] = [];
    for (const journal of plan.journals ?? []) {
      const { kind, backupId } = journal;
      const what =
        backupId === undefined ? `the journal of ${kind}` : `what ${backupId} needs of the journal of ${kind}`;
      progress.enter('verifying', `reading ${what}`);
      const found = await data(`read back ${what}`).verifyJournal({ ...journal, ...source });
      problems.push(...found.problems);
      if (backupId === undefined) whole.push(`journals/${kind}`);
    }
    const verified = [...plan.backupIds, ...whole];
    progress.enter('done', `${verified.length} verified, ${problems.length} problems`);
    return { verified, problems, ...(from === undefined ? {} : { from, notice }) };
  });
}
