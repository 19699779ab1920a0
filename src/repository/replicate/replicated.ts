import type { Problem } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { CopyMemory } from './copy-memory.ts';
import type { CopyCheck } from './copying.ts';

export interface ReplicateRequest {
  /** A backup, which brings all that came before it; or all there are. Journals always come along. */
  readonly backup: string;
  readonly check: CopyCheck;
}

export interface Replicated {
  /** Backups that the target had not, or not whole; oldest first. */
  readonly backups: readonly string[];
  /** Backups that were asked for and that it had. */
  readonly present: number;
  readonly objects: number;
  readonly bytes: number;
  /** What cannot be copied, because it is damaged or gone in the repository itself. */
  readonly problems: readonly Problem[];
}

export interface JournalPass {
  /** Of the run that this is a pass of; new for its first one. */
  readonly memory: CopyMemory;
  readonly operation: Operation;
}

/** What one pass did. */
export interface JournalsCopied {
  readonly objects: number;
  readonly bytes: number;
  /** What cannot be copied, because it is damaged in the repository itself. */
  readonly problems: readonly Problem[];
}
