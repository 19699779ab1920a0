import type { BackupKind } from './backup.ts';

export interface KindDecision {
  readonly kind: BackupKind;
  /** Why it is not what was asked for; null when it is. */
  readonly warning: string | null;
}

/** An incremental backup stands on a journal that runs; without one a full is taken, and the result says so. */
export function decideKind(requested: BackupKind, journal: { readonly runs: boolean }): KindDecision {
  if (requested === 'incremental' && !journal.runs) {
    return { kind: 'full', warning: 'no journal runs, so a full backup was taken instead of an incremental one' };
  }
  return { kind: requested, warning: null };
}
