import type { BackupRecord } from '../domain/backup.ts';
import type { RetentionDecision } from '../domain/retention/retention-rules.ts';
import type { JournalKind } from '../domain/journal.ts';
import type { ReplacedTables } from '../domain/selection-undo.ts';
import type { WindowView } from '../domain/window-view.ts';
import type { Requested } from './messages.ts';

export interface CleanupInput extends Requested {
  /** Only say what would be removed. */
  readonly dryRun: boolean;
  /** Damaged backups go whatever their age. */
  readonly includeDamaged?: boolean;
}

/** One epoch of a journal. */
export interface EpochMessage {
  readonly kind: JournalKind;
  readonly history: string;
  readonly epoch: number;
}

/** A database that a restore replaced, and that can no longer be brought back by an undo. */
export interface ReplacedMessage {
  readonly database: string;
  /** Identity: another one of that name is left alone. */
  readonly oid: number;
}

/** Tables that a restore replaced in place, and that can no longer be brought back by an undo. */
export type ReplacedTablesMessage = Omit<ReplacedTables, 'placed'>;

/** What one run removes, found out before anything is changed. Lists are cut at stated numbers; the next run takes the rest. */
export interface CleanupPlan {
  /** Clock of the worker at which it was decided, ISO 8601. */
  readonly at: string;
  /** First half: no longer listed from now on. Newest first, so that nothing is listed without what it stands on. */
  readonly hide: { readonly backups: readonly RetentionDecision[]; readonly epochs: readonly EpochMessage[] };
  /** Second half: removed by an earlier run, and their grace period is over. */
  readonly purge: { readonly backupIds: readonly string[]; readonly epochs: readonly EpochMessage[] };
  /** Removed by an earlier run; their objects go at `dueAt`, ISO 8601. */
  readonly waiting: readonly { readonly id: string; readonly dueAt: string }[];
  readonly kept: readonly RetentionDecision[];
  /** Decisions that the lists above leave out. */
  readonly omitted: number;
  readonly abandoned: readonly string[];
  readonly leftovers: number;
  readonly replaced: readonly ReplacedMessage[];
  /** Undefined in plans of older workers. */
  readonly replacedTables?: readonly ReplacedTablesMessage[];
  /** What goes in this run, bytes in the store. */
  readonly freedBytes: number;
  /** What goes when the grace period of what is hidden now is over, bytes in the store. */
  readonly freedLaterBytes: number;
  readonly graceMs: number;
  readonly windowBefore: WindowView;
  readonly windowAfter: WindowView;
  /** What could not be looked at, a sentence each. */
  readonly warnings: readonly string[];
  /** Names of targets, each of which is cleaned up by a run of its own. */
  readonly targets?: readonly string[];
}

/** What the store keeps until a lock is over; `until` is ISO 8601, null where it does not say. */
export interface LockedMessage {
  /** Id of a backup, name of an epoch, or key of an object. */
  readonly what: string;
  readonly until: string | null;
}

export interface CleanupResult {
  readonly dryRun: boolean;
  readonly plan: CleanupPlan;
  /** The runs that do the same at the targets; they go on when this one has ended. */
  readonly targets?: readonly { readonly target: string; readonly workflowId: string }[];
  /** What should have gone and did not; a later run removes it. Undefined in answers of version 1.0.0, and of a dry run. */
  readonly locked?: readonly LockedMessage[];
  /** Replaced tables that stay, and why, a sentence each. */
  readonly staying?: readonly string[];
}

export interface CleanupTargetInput extends CleanupInput {
  readonly target: string;
}

export interface CleanupTargetResult {
  readonly dryRun: boolean;
  readonly target: string;
  /** Null where nothing was copied yet. */
  readonly plan: CleanupPlan | null;
  /** As in CleanupResult. */
  readonly locked?: readonly LockedMessage[];
}

/** Cleanup at targets; task queue `copy`, so that no slow or dead target takes the place of anything else. */
export interface TargetCleanup {
  /** Reads target and repository, decides by the target's rules, and changes nothing. Refuses (TARGET_ONLY_COPY) without the repository. */
  planTargetCleanup(input: { target: string; includeDamaged: boolean }): Promise<{ plan: CleanupPlan | null }>;
  /** Carries a plan out, looking again at what matters most. Each repeated call goes on from what it finds. */
  cleanTarget(input: {
    target: string;
    at: string;
    hide: CleanupPlan['hide'];
    purge: CleanupPlan['purge'];
    includeDamaged: boolean;
  }): Promise<{ bytes: number; unfinishedWrites: number; locked?: readonly LockedMessage[] }>;
}

export interface HoldInput extends Requested {
  readonly backup: string;
  /** Why it is held; null releases it. */
  readonly reason: string | null;
}

export interface HoldResult {
  readonly backup: BackupRecord;
  /** Backups that a cleanup had removed and that are listed again, because this one stands on them. */
  readonly recalled: readonly string[];
}

/** Short steps; task queue `control`. */
export interface CleanupControl {
  /** Drops databases that are still the ones that were replaced; those that are gone are none. */
  dropReplaced(input: { replaced: readonly ReplacedMessage[] }): Promise<{ dropped: readonly string[] }>;
  /** Drops tables that are still the ones that were replaced; `staying`: those that are in use, and why, a sentence each. */
  dropReplacedTables(input: { tables: readonly ReplacedTablesMessage[] }): Promise<{ staying: readonly string[] }>;
  /** Adds a reason, or takes all away; brings a backup back that a cleanup has hidden. Safe to repeat. */
  changeHold(input: { request: HoldInput }): Promise<HoldResult>;
}

/** Long ones; task queue `data`. Each repeated call goes on from what it finds. */
export interface CleanupData {
  /** Reads everything, decides, and changes nothing. */
  planCleanup(input: { request: CleanupInput }): Promise<CleanupPlan>;
  /** Writes the records of removal. Refuses (BACKUP_STILL_NEEDED) what is held, or what another backup that stays stands on. */
  hideRemoved(input: {
    at: string;
    backups: readonly RetentionDecision[];
    epochs: readonly EpochMessage[];
    includeDamaged?: boolean;
  }): Promise<void>;
  /** Removes the objects of what is hidden and due; `locked`: what the store did not let go (undefined from older workers). */
  purgeHidden(input: {
    backupIds: readonly string[];
    epochs: readonly EpochMessage[];
  }): Promise<{ bytes: number; locked?: readonly LockedMessage[] }>;
  /** Removes what interrupted runs left; `locked` as above. */
  removeUnreferenced(input: {
    at: string;
  }): Promise<{ bytes: number; unfinishedWrites: number; locked?: readonly LockedMessage[] }>;
}
