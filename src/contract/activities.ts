import type { BackupRecord, Check, ComponentName, Problem, RecoveryPoint } from '../domain/backup.ts';
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
export interface ControlActivities {
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
}

/** Long streams; task queue `data`. Each heartbeats from its data path and stops on cancellation. */
export interface DataActivities {
  copyPostgres(input: { backupId: string; codec: CodecMessage }): Promise<CopyResult>;
  copyRedis(input: { backupId: string; codec: CodecMessage; method: 'replication' | 'dump' }): Promise<CopyResult>;
  /** Reads every object back; problems are the result, not an error. */
  verifyBackup(input: { backupId: string }): Promise<{ problems: readonly Problem[] }>;
  /** Ids to verify for `latest`, `all` or an id, and the problems of the chain of manifests. */
  planVerification(input: { backup: string }): Promise<{ backupIds: readonly string[]; problems: readonly Problem[] }>;
  /** Loads the database beside the live one and proves it; refuses damaged objects. */
  restorePostgresAside(input: {
    backupId: string;
    database: string;
    asideDatabase: string;
  }): Promise<{ checks: readonly Check[]; rolesCreated: readonly string[]; bytes: number; databaseOid?: number }>;
  /** Reads a stored Redis snapshot to its end without a server: damage is found before live keys are touched. */
  checkRedisSnapshot(input: { backupId: string }): Promise<{ keys: number; check: Check }>;
  restoreRedis(input: {
    backupId: string;
    dropExisting: boolean;
  }): Promise<{ keys: number; method: string; checks: readonly Check[] }>;
}
