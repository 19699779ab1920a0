import type { Problem } from '../domain/backup.ts';
import type { DueVerification, VerificationBudget } from '../domain/oldest-first.ts';
import type { Requested, VerifyResult } from './messages.ts';

export interface VerifyOldestInput extends Requested {
  readonly budget: VerificationBudget;
}

export interface VerifyOldestResult extends VerifyResult {
  /** Stored bytes of what was read back. */
  readonly storedBytes: number;
  /** Backups that the budget did not reach. */
  readonly remaining: number;
  /** Of those the one that was read back longest ago, ISO 8601; null where one never was, or none is left. */
  readonly oldest: string | null;
}

/** Long reads; task queue `data`. */
export interface VerificationData {
  /** All backups, the one that was read back longest ago first, and the problems of the chain of manifests; changes nothing. */
  planOldestVerification(input: { readonly group: string }): Promise<{
    readonly due: readonly DueVerification[];
    /** `due` is cut at a stated number; this is not. */
    readonly total: number;
    readonly problems: readonly Problem[];
  }>;
}
