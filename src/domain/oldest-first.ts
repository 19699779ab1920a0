import type { BackupRecord } from './backup.ts';

/** One backup that is to be read back. */
export interface DueVerification {
  readonly backupId: string;
  /** Bytes that reading it back takes from the store. */
  readonly storedBytes: number;
  /** ISO 8601; null where it was never read back. */
  readonly verifiedAt: string | null;
}

/** How much may be read back, and for how long; null is without limit. */
export interface VerificationBudget {
  readonly bytes: number | null;
  readonly ms: number | null;
}

/** Those never read back first, the oldest of them before the others; then those whose verification is longest ago. */
export function oldestFirst(backups: readonly BackupRecord[]): readonly DueVerification[] {
  return backups
    .toSorted((a, b) => compare(a.verifiedAt ?? '', b.verifiedAt ?? '') || compare(a.id, b.id))
    .map(({ id, storedBytes, verifiedAt }) => ({ backupId: id, storedBytes, verifiedAt }));
}

/**
 * Whether the next one is begun. The first always is: one that is bigger than the budget would otherwise never be read. One that was
 * begun is read to its end, so that the time may be passed by what one backup takes.
 */
export function fitsBudget(
  next: DueVerification,
  spent: { readonly backups: number; readonly bytes: number; readonly ms: number },
  budget: VerificationBudget,
): boolean {
  if (spent.backups === 0) return true;
  if (budget.ms !== null && spent.ms >= budget.ms) return false;
  return budget.bytes === null || spent.bytes + next.storedBytes <= budget.bytes;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
