import type { BackupRecord, Check, ComponentName, Problem, RecoveryPoint } from '../domain/backup.ts';
import type { JournalKind } from '../domain/journal.ts';
import type { NativeObstacle, NativeOutcome } from '../domain/native-incremental.ts';
import type { ReplayedPosition, ReplayPlan } from '../domain/replay.ts';
import type { AlertsControl } from './alerts.ts';
import type { CleanupControl, CleanupData } from './cleanup.ts';
import type { DrillControl, DrillData } from './drill.ts';
import type { FailoverControl } from './failover.ts';
import type { DirectoryControl, DirectoryData } from './directory.ts';
import type { KeyControl, KeyData } from './keys.ts';
import type { PlanControl } from './plan.ts';
import type { ScheduleControl } from './schedule.ts';
import type { SelectionControl, SelectionData } from './selection.ts';
import type { VerificationData } from './verification.ts';
import type { BackupInput, CatalogInput, CatalogResult, RestoreInput, RestorePlan, RestoreRecord } from './messages.ts';

/** How the objects of one backup are made. */
export interface CodecMessage {
  readonly compression: 'zstd' | 'none';
  readonly compressionLevel: number;
  readonly encryption: 'aes-256-gcm' | 'none';
}

/** What will be copied, found out before anything is written. */
export interface SourceSurvey {
  readonly postgres: {
    readonly database: string;
    readonly server: string;
    readonly bytes: number;
    readonly tables: number;
  } | null;
  readonly redis: {
    readonly server: string;
    readonly keys: number;
    readonly method: 'replication' | 'dump';
    readonly bytes: number;
  } | null;
  readonly warnings: readonly string[];
}

/** Reference to a component's index object in the store; the data itself never travels through a history. */
export interface ComponentMessage {
  readonly component: ComponentName;
  readonly key: string;
  readonly storedBytes: number;
  readonly sha256: string;
}

/** Where an activity reads backups and journals. */
export interface ReadFrom {
  /** A target, instead of the repository itself. */
  from?: string;
}

export interface CopyResult {
  readonly ref: ComponentMessage;
  /** Position of this component's snapshot. */
  readonly point: RecoveryPoint;
  readonly bytes: number;
  readonly warnings: readonly string[];
}

export interface PublishInput {
  readonly backupId: string;
  readonly codec: CodecMessage;
  readonly createdAt: string;
  readonly request: BackupInput;
  readonly copies: readonly CopyResult[];
  readonly warnings: readonly string[];
}

/**
 * Short decisions and changes; task queue `control`. Each is safe to run twice: it observes, acts and verifies.
 * None returns data or secrets, only references, sizes, digests and positions.
 */
export interface ControlActivities
  extends
    AlertsControl,
    CleanupControl,
    DirectoryControl,
    SelectionControl,
    KeyControl,
    PlanControl,
    DrillControl,
    FailoverControl,
    ScheduleControl {
  /** Connects to what is asked for; refuses (CONFIG_*, POSTGRES_*, REDIS_*) before anything is written. */
  surveySources(input: BackupInput): Promise<SourceSurvey>;
  /** Takes the backup's id; the same owner (run) gets the same id again. */
  beginBackup(input: {
    request: BackupInput;
    createdAt: string;
    owner: string;
  }): Promise<{ backupId: string; codec: CodecMessage }>;
  /** Writes the signed manifest, last. Repeated with the same content it succeeds. */
  publishBackup(input: PublishInput): Promise<BackupRecord>;
  /** Removes what an unpublished backup left; never touches a published one. */
  discardBackup(input: { backupId: string }): Promise<void>;

  /** Loads and checks the manifest, surveys the targets, refuses what must be refused; changes nothing. */
  planRestore(input: { request: RestoreInput; startedAt: string; runId: string }): Promise<RestorePlan>;
  stopServices(input: { services: readonly string[] }): Promise<void>;
  startServices(input: { services: readonly string[] }): Promise<void>;
  /** Renames the live database away and the restored one in, in one transaction. */
  swapDatabase(input: {
    database: string;
    asideDatabase: string;
    replacedDatabase: string;
    /** Identity of the database loaded aside: tells a repeated swap for sure what is live. */
    asideOid?: number;
  }): Promise<{
    replaced: string | null;
    /** Identity of the replaced database, for an undo. */
    replacedOid?: number | null;
    /** Properties that the role may not carry over, a sentence each. */
    skipped?: readonly string[];
  }>;
  dropAside(input: { asideDatabase: string }): Promise<void>;
  /** Keeps what a restore did, for `restore undo`; gives it back with its expiry. */
  recordRestore(input: Omit<RestoreRecord, 'expiresAt' | 'finishedAt'>): Promise<RestoreRecord>;
  loadRestore(input: { restoreId: string }): Promise<RestoreRecord>;
  undoSwap(input: { database: string; replacedDatabase: string; replacedOid?: number }): Promise<void>;

  readCatalog(input: CatalogInput): Promise<CatalogResult>;

  /** Whether an incremental backup can stand on what is there; `full` says why not. */
  planIncremental(input: {
    request: BackupInput;
    /** The caller can copy a Redis without a replication stream by `copyRedisChanges`. */
    redisByDigests?: boolean;
  }): Promise<IncrementalPlan>;
  /** Positions of both servers, asked for at the same moment. */
  markRecoveryPoint(input: {
    request: BackupInput;
    /** Redis has no position: it is copied by its digests. */
    redisByDigests?: boolean;
  }): Promise<MarkedPoint>;
  /** Writes the signed manifest of an incremental backup. Repeated it gives the same backup. */
  publishIncremental(input: {
    request: BackupInput;
    backupId: string;
    codec: CodecMessage;
    createdAt: string;
    parentId: string;
    point: MarkedPoint;
    warnings: readonly string[];
    /** The changed blocks, where they were taken. */
    base?: ComponentMessage;
    /** Redis where it was copied by its digests. */
    redis?: CopyResult;
  }): Promise<BackupRecord>;
}

export interface IncrementalPlan {
  /** Why a full backup must be taken instead; null when an incremental one can be. */
  readonly full: string | null;
  /** The full backup it stands on; empty with `full`. */
  readonly parentId: string;
  /** Where `postgres.incremental` is `native`: the backup whose base the changed blocks are taken on, or why there are none. */
  readonly native?: NativeOutcome | null;
  /** Where Redis is copied by digests: the backup that its keys are compared with. */
  readonly redisParentId?: string;
}

/** One instant in both servers. */
export interface MarkedPoint {
  readonly time: string;
  readonly postgres: {
    readonly systemIdentifier: string;
    readonly timeline: number;
    readonly lsn: string;
  } | null;
  readonly redis: { readonly replid: string; readonly offset: number; readonly keys: number } | null;
}

/** Long streams; task queue `data`. Each heartbeats from its data path and stops on cancellation. */
export interface DataActivities
  extends CleanupData, DirectoryData, SelectionData, KeyData, VerificationData, DrillData {
  copyPostgres(input: { backupId: string; codec: CodecMessage }): Promise<CopyResult>;
  /**
   * Copies the blocks that changed since another backup's base. Where the server or that base does not allow it, the answer says why,
   * and nothing of it counts. A second run takes another attempt number and copies again.
   */
  copyIncrementalBase(input: {
    backupId: string;
    codec: CodecMessage;
    parentId: string;
  }): Promise<CopiedIncrementalBase>;
  /** Waits until a journal is durable through a position; catches up by itself where nothing else follows the server. */
  awaitJournal(input: {
    kind: JournalKind;
    through: string;
    /** When the server was there, ISO 8601: a journal that began anew since then cannot bring it back. */
    at?: string;
  }): Promise<AwaitedJournal>;
  copyRedis(input: { backupId: string; codec: CodecMessage; method: 'replication' | 'dump' }): Promise<CopyResult>;
  /** Copies the keys that differ from those of another backup; a second run copies anew, under an attempt of its own. */
  copyRedisChanges(input: { backupId: string; codec: CodecMessage; redisParentId: string }): Promise<CopyResult>;
  /** Reads every object back; problems are the result, not an error. */
  verifyBackup(input: { backupId: string } & ReadFrom): Promise<{ problems: readonly Problem[] }>;
  /** What to verify for `latest`, `all` or an id, and the problems of the chain of manifests. */
  planVerification(input: {
    backup: string;
    /** Target whose copies are verified. */
    target?: string;
  }): Promise<VerificationPlan>;
  /** Reads a journal back: all of it, or what an incremental backup needs of it. */
  verifyJournal(input: { kind: JournalKind; backupId?: string } & ReadFrom): Promise<{ problems: readonly Problem[] }>;
  /** Loads the database beside the live one and proves it; refuses damaged objects. */
  restorePostgresAside(
    input: {
      backupId: string;
      database: string;
      asideDatabase: string;
      /** Restore to an instant: replay on a physical base instead of loading the logical dump. */
      replay?: NonNullable<ReplayPlan['postgres']>;
      /** With `replay`: names the folder in which it happens. */
      restoreId?: string;
    } & ReadFrom,
  ): Promise<{
    checks: readonly Check[];
    rolesCreated: readonly string[];
    bytes: number;
    databaseOid?: number;
    /** Where the replay ended. */
    position?: ReplayedPosition;
  }>;
  /** Reads a stored Redis snapshot to its end without a server: damage is found before live keys are touched. */
  checkRedisSnapshot(
    input: {
      backupId: string;
      /** Restore to an instant: also read the stream behind the snapshot, and find where to cut it. */
      replay?: NonNullable<ReplayPlan['redis']>;
    } & ReadFrom,
  ): Promise<{ keys: number; check: Check; cut?: StreamCutMessage }>;
  restoreRedis(
    input: {
      backupId: string;
      dropExisting: boolean;
      replay?: NonNullable<ReplayPlan['redis']>;
      cut?: StreamCutMessage;
      /** Another server than the configured one: its URL without a password. */
      target?: string;
    } & ReadFrom,
  ): Promise<{ keys: number; method: string; checks: readonly Check[] }>;
  /**
   * The way back to a Redis that was empty: removes what `restoreRedis` loaded from this backup, or by this replay up to its cut.
   * REDIS_TARGET_CHANGED, and nothing removed, when it holds anything else by now.
   */
  emptyRedis(
    input: {
      backupId: string;
      replay?: NonNullable<ReplayPlan['redis']>;
      cut?: StreamCutMessage;
      target?: string;
    } & ReadFrom,
  ): Promise<{ keys: number; checks: readonly Check[] }>;
}

export type CopiedIncrementalBase =
  | { readonly ref: ComponentMessage; readonly bytes: number }
  | { readonly ref: null; readonly obstacle: NativeObstacle };

export interface VerificationPlan {
  readonly backupIds: readonly string[];
  /** `backupId`: only what that incremental backup needs. */
  readonly journals?: readonly { readonly kind: JournalKind; readonly backupId?: string }[];
  readonly problems: readonly Problem[];
  /** Target that is read instead of the repository, and why where nobody asked for it. */
  readonly from?: string;
  readonly notice?: string | null;
}

export type AwaitedJournal =
  | { readonly end: 'durable' }
  /** What is there cannot be joined to what was: a full backup must be taken. */
  | { readonly end: 'new-base-needed'; readonly message: string };

/** Where a Redis stream is cut: the end of the last transaction at or before the target. */
export interface StreamCutMessage {
  readonly offset: number;
  readonly timeMs: number;
}
