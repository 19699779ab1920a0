import type { BackupRecord } from '../backup.ts';

/** What a configuration asks to be kept. Counts of 0 ask for nothing. */
export interface RetentionRules {
  /** Backups younger than this many days stay, … */
  readonly days: number;
  /** … but no more than this many, the newest. */
  readonly maxBackups: number;
  /** This many newest verified full backups of each component stay whatever their age. */
  readonly minFull: number;
  readonly gfs: Readonly<Record<Period, number>>;
  /** How long the store forbids removal after an object was written (Object Lock), milliseconds; 0 without. */
  readonly lockedMs: number;
}

export const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Period = (typeof PERIODS)[number];

/** Why a backup stays, or goes. Codes are added, never renamed. */
export type RetentionCode =
  | 'young'
  | 'minimum'
  | 'newest'
  | Period
  | 'hold'
  | 'undo'
  | 'journal-start'
  | 'locked'
  | 'damaged'
  | 'only-copy'
  | 'only-verified'
  | 'from-the-future'
  | 'needed'
  | 'expired'
  | 'surplus'
  | 'undo-over'
  | 'journal-start-over'
  | 'damaged-over';

export interface RetentionReason {
  readonly code: RetentionCode;
  /** One sentence without a full stop. */
  readonly message: string;
}

/** What becomes of one backup; a kept one has every reason that keeps it. */
export interface RetentionDecision {
  readonly id: string;
  readonly keep: boolean;
  readonly reasons: readonly RetentionReason[];
}

/** What of a backup decides. */
export type RetentionBackup = Pick<
  BackupRecord,
  'id' | 'kind' | 'status' | 'parentId' | 'createdAt' | 'label' | 'holds' | 'verifiedAt' | 'components'
>;

export interface RetentionMoment {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Copies of the Redis keys that a restore replaced, by id: until when its undo can be asked for, milliseconds since 1970. */
  readonly undoUntilMs: ReadonlyMap<string, number>;
  /** Reasons to keep a backup that lie outside of the list, by id. */
  readonly alsoKept?: ReadonlyMap<string, readonly RetentionReason[]>;
  /** Damaged backups of which it is known what they were: only these can be removed, for a removal is proven by that. */
  readonly provenDamaged?: ReadonlySet<string>;
  /** Somebody asked for damaged backups to be removed whatever their age. */
  readonly includeDamaged?: boolean;
}
