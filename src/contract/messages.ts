import type { BackupKind, BackupRecord, Check, ComponentName, Problem, RecoveryPoint } from '../domain/backup.ts';
import type { Needed } from '../domain/lineage.ts';
import type { NativeOutcome } from '../domain/native-incremental.ts';
import type { ReplayedPosition, ReplayPlan } from '../domain/replay.ts';
import type { RetentionDecision } from '../domain/retention/retention-rules.ts';
import type { RestorePlan } from '../domain/restore-plan.ts';
import type { WindowView } from '../domain/window-view.ts';
import type { TargetFacts } from '../domain/target-facts.ts';
import type { DrillsKnown } from '../domain/drill/drill.ts';
import type { JournalFacts } from './journal-facts.ts';
import type { SelectionRecord, SelectionUndone } from './selection-record.ts';

export type { RestorePlan } from '../domain/restore-plan.ts';

/** What every operation is told about who asked; shown in the Temporal Web UI and in audit entries. */
export interface Requested {
  readonly group: string;
  /** `user@host` of the person or program that asked; self-declared. */
  readonly requestedBy: string;
}

export interface BackupInput extends Requested {
  readonly kind: BackupKind;
  /** Components asked for; those that are not configured are refused. */
  readonly components: readonly ComponentName[] | 'configured';
  readonly label: Readonly<Record<string, string>>;
  /** Pins the backup against cleanup, with this reason. */
  readonly hold: string | null;
}

export interface BackupResult {
  readonly backup: BackupRecord;
  readonly warnings: readonly string[];
  /** Of an incremental backup where `postgres.incremental` is `native`. */
  readonly native?: NativeOutcome;
}

export interface RestoreInput extends Requested {
  /** A backup id or `latest`. */
  readonly backup: string;
  /** Components asked for; `stored` takes all that the backup has. */
  readonly components: readonly ComponentName[] | 'stored';
  readonly dropExisting: boolean;
  /** Database that takes the data; null for the one that was backed up. */
  readonly targetDatabase: string | null;
  readonly stopServices: boolean;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  /** An instant (ISO 8601) or a WAL position to restore to; `backup` then is `latest`, or the backup to stand on. */
  readonly to?: { readonly time: string } | { readonly lsn: string } | null;
  /** URL of the Redis that takes the keys, without a password; null for the configured one. */
  readonly targetRedis?: string | null;
  /** Target that the backup is read from, instead of the repository. */
  readonly fromTarget?: string;
}

export interface RestoreUndo {
  readonly command: string;
  readonly expiresAt: string;
}

export interface RestoreResult {
  readonly restoreId: string;
  readonly dryRun: boolean;
  readonly plan: RestorePlan;
  readonly restored: {
    readonly postgres: {
      readonly database: string;
      readonly replaced: string | null;
      readonly rolesCreated: readonly string[];
    } | null;
    readonly redis: {
      readonly keys: number;
      readonly method: string;
      readonly savedAs: string | null;
      /** URL of the server, where it is another one than the configured. */
      readonly target?: string;
    } | null;
  };
  readonly recoveryPoint: RecoveryPoint;
  /** Where a restore to an instant ended in each component, and how far apart their last transactions are. */
  readonly positions?: {
    readonly postgres: ReplayedPosition | null;
    readonly redis: ReplayedPosition | null;
    readonly distanceMs: number | null;
  } | null;
  readonly checks: readonly Check[];
  /** From the start of the run until everything asked for was back and verified, milliseconds. */
  readonly rtoMs: number;
  /** From the recovery point to the start of the run: the age of what came back, milliseconds. */
  readonly rpoMs: number;
  readonly undo: RestoreUndo | null;
}

/** What a restore did, kept in the repository so that it can be undone without its history. */
export interface RestoreRecord {
  readonly restoreId: string;
  readonly backupId: string;
  readonly finishedAt: string;
  readonly expiresAt: string;
  readonly postgres: {
    readonly database: string;
    readonly replaced: string | null;
    /** Identity of the replaced database: an undo after it was dropped is an error. */
    readonly replacedOid?: number | null;
  } | null;
  readonly redis: {
    /** The backup of the keys that were replaced; null where there were none. */
    readonly savedAs: string | null;
    /** Where an empty Redis got more than the snapshot of `backupId`: an undo takes away what was loaded, and nothing else. */
    readonly replayed?: {
      /** The backup of the snapshot. */
      readonly backupId: string;
      readonly replay: NonNullable<ReplayPlan['redis']>;
      readonly cut: { readonly offset: number; readonly timeMs: number };
    };
  } | null;
  /** Services that were stopped for the restore; an undo stops and starts the same. */
  readonly services: readonly string[];
  /** Of a restore of single tables and keys; the two above are null then. */
  readonly selection?: SelectionRecord;
}

export interface UndoRestoreInput extends Requested {
  readonly restoreId: string;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
}

export interface UndoRestoreResult {
  readonly restoreId: string;
  readonly restored: {
    readonly postgres: { readonly database: string } | null;
    readonly redis: { readonly keys: number; readonly from: string } | null;
    /** Of a restore of single tables and keys. */
    readonly selection?: SelectionUndone;
  };
  readonly checks: readonly Check[];
  readonly dryRun?: boolean;
  /** The steps in order, as sentences. */
  readonly steps?: readonly string[];
}

export interface VerifyInput extends Requested {
  /** A backup id, `latest` or `all`. */
  readonly backup: string;
  /** Target whose copies are verified, instead of the repository. */
  readonly target?: string;
}

export interface VerifyResult {
  /** Ids of backups, and `journals/<kind>` of journals that were read as a whole. */
  readonly verified: readonly string[];
  readonly problems: readonly Problem[];
  /** The target that was read instead of the repository, and why where nobody asked for it. */
  readonly from?: string;
  readonly notice?: string | null;
}

export type CatalogInput = Requested &
  (
    | { readonly ask: 'list' }
    | { readonly ask: 'journals' }
    | { readonly ask: 'targets' }
    /** With `drill` (an id or `latest`) the whole report of that one. */
    | { readonly ask: 'drills'; readonly drill?: string }
    | { readonly ask: 'show'; readonly backup: string }
  ) & {
    /** Target that is read instead of the repository; without it, and where the repository is gone, one that has its backups. */
    readonly target?: string;
  };

/** One object of a backup, for `backup show`. */
export interface ObjectRow {
  readonly component: ComponentName;
  readonly artifact: string;
  readonly key: string;
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly sha256: string;
}

export interface CatalogResult {
  readonly backups: readonly BackupRecord[];
  /** Objects of the backup asked for; cut at a stated number so that the answer stays below Temporal's payload limit. */
  readonly objects: readonly ObjectRow[];
  readonly objectsTotal: number;
  /** Of `show`: what a restore needs, oldest first, the backup itself the last; and what of it is not there or damaged. */
  readonly lineage?: Needed;
  /** Of `show`: whether the next cleanup would keep it, and why. */
  readonly retention?: Pick<RetentionDecision, 'keep' | 'reasons'>;
  readonly location: string;
  /** Of `list`: what can be restored. */
  readonly window?: WindowView;
  /** Of `journals`: one for each component that is configured. */
  readonly journals?: readonly JournalFacts[];
  /** Of `targets`: every one that is configured. */
  readonly targets?: readonly TargetFacts[];
  /** Of `drills`. */
  readonly drills?: DrillsKnown;
  /** The target that was read instead of the repository. */
  readonly from?: string;
  /** What could not be looked at, a sentence each. */
  readonly warnings?: readonly string[];
}

/** Sent by `lifeboat cancel ID --reason …`. */
export interface CancelRequest {
  readonly reason: string;
  readonly by: string;
}
