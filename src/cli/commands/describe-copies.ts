import type { BackupRecord } from '../../domain/backup.ts';

type Copied = Pick<BackupRecord, 'copies'>;

/** Whether any target is configured: each backup then says something of each. */
export function hasTargets(backups: readonly Copied[]): boolean {
  return backups.some(({ copies }) => copies.length > 0);
}

/** `2 of 3`: targets that have it, of all. */
export function countCopies({ copies }: Copied): string {
  return `${copies.filter(({ state }) => state === 'present').length} of ${copies.length}`;
}

/** `  copy      vault: present, verified 2026-01-15T10:30:00.000Z`, a line for each target. */
export function describeCopies({ copies }: Copied): string[] {
  return copies.map(({ target, state, verifiedAt }) => {
    const verified =
      state === 'present' ? `, ${verifiedAt === null ? 'never verified' : `verified ${verifiedAt}`}` : '';
    return `  copy      ${target}: ${state}${verified}`;
  });
}
