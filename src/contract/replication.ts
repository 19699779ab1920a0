import type { TargetCleanup } from './cleanup.ts';
import type { Problem } from '../domain/backup.ts';
import type { Requested } from './messages.ts';

export interface ReplicateInput extends Requested {
  /** Name of a target. */
  readonly target: string;
  /** A backup id, which brings all that came before it, or `all`. */
  readonly backup: string;
  /** How long to wait before, milliseconds. */
  readonly delayMs: number;
  /** Read back also what the target has already. */
  readonly verify: boolean;
  /** Days of trying, for copies that nobody waits for; otherwise minutes. */
  readonly patient: boolean;
}

export interface CopiedToTarget {
  /** Backups that the target did not have, oldest first; cut at a stated number. */
  readonly backups: readonly string[];
  readonly backupsTotal: number;
  /** Backups that it had. */
  readonly present: number;
  readonly objects: number;
  readonly bytes: number;
  /** What cannot be copied because it is damaged where it is copied from. */
  readonly problems: readonly Problem[];
}

export interface ReplicateResult extends CopiedToTarget {
  readonly target: string;
}

export interface CopyJournalsInput extends Requested {
  readonly target: string;
}

/** Why an activity that copies journals ended without an error. */
export interface CopyJournalsEnd {
  /** `not-configured`: there is no such target any more. */
  readonly end: 'handed-over' | 'not-configured';
  /** What is damaged in the repository itself; cut at a stated number. */
  readonly problems: readonly Problem[];
}

/** Copies to targets; task queue `copy`, so that no slow or dead target takes the place of a backup. */
export interface CopyActivities extends TargetCleanup {
  /** Brings what is missing to a target and reads it back there. A second run copies only what is missing then. */
  copyToTarget(input: {
    target: string;
    backup: string;
    verify: boolean;
    /** Wait while another copy to the target goes on, instead of coming again later. */
    wait: boolean;
  }): Promise<CopiedToTarget>;
  /** Brings the journals to a target while they go on, for hours; another attempt goes on from what the target has. */
  copyJournals(input: { target: string }): Promise<CopyJournalsEnd>;
}
