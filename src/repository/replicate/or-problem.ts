import type { Problem } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';

/** Damage of the source, or a backup that was removed meanwhile, is named and passed over; everything else rejects. */
export async function orProblem(problems: Problem[], backupId: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const own = error instanceof LifeboatError && /^(OBJECT|MANIFEST|JOURNAL|KEY)_|^BACKUP_NOT_FOUND$/.test(error.code);
    if (!own) throw error;
    const { code, message, details } = error;
    problems.push({ backupId, key: String(details['key'] ?? backupId), code, message });
  }
}
