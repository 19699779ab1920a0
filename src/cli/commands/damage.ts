import type { Problem } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';

export function describeProblem({ key, code, message }: Problem): string {
  return `  ${code}  ${key}: ${message}`;
}

/** Is it a problem of what was verified under this name: a backup, or `journals/<kind>` with all its epochs? */
export function isOf(verified: string, { backupId }: Problem): boolean {
  return backupId === verified || backupId.startsWith(`${verified}/`);
}

/** The verdict over what was found, with exit code 4. */
export function damaged(problems: readonly Problem[]): LifeboatError {
  const ids = [...new Set(problems.map(({ backupId }) => backupId))];
  return new LifeboatError('BACKUP_DAMAGED', `${problems.length} problems in ${ids.join(', ')}`, {
    details: { problems: problems.slice(0, 20).map(({ key, code }) => `${code} ${key}`) },
  });
}
