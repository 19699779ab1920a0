import type { Readable } from 'node:stream';
import type {
  Artifact,
  ArtifactFormat,
  BackupKind,
  BackupRecord,
  ComponentName,
  Manifest,
  PostgresFacts,
  Problem,
  RecoveryPoint,
  RedisFacts,
} from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';
import type { Reports } from './reports/reports.ts';
import type { RepositoryCleanup } from './cleanup/repository-cleanup.ts';
import type { Codec } from './codec.ts';
import type { JournalReader, Journals } from './journals/journals.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { PlanRecords } from './plan-records.ts';
import type { JournalPass, JournalsCopied, Replicated, ReplicateRequest } from './replicate/replicated.ts';
import type { KeyReader, Keys } from './keys/keys.ts';

export type { Codec } from './codec.ts';

export interface BeginBackup {
  readonly kind: BackupKind;
  /** ISO 8601; gives the id. A taken id waits for the next free millisecond. */
  readonly createdAt: string;
  /** Who begins: the same owner gets its own id again when it asks twice (a retried activity). */
  readonly owner: string;
  readonly codec: Codec;
}

export interface WriteArtifact {
  readonly backupId: string;
  readonly component: ComponentName;
  /** Attempts never share keys: a lost attempt that still writes cannot touch a later one. */
  readonly attempt: number;
  /** `[a-z0-9-]+`, unique in the component. */
  readonly name: string;
  readonly format: ArtifactFormat;
  readonly codec: Codec;
  /** The producer compressed already (`zstd:3` by pg_dump): the repository does not compress again. */
  readonly producerCompression?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Reference to a component's index object; the only thing about a component that travels through a history. */
export interface ComponentRef {
  readonly component: ComponentName;
  readonly key: string;
  readonly storedBytes: number;
  readonly sha256: string;
}

export interface PublishBackup {
  readonly backupId: string;
  readonly kind: BackupKind;
  /** The backup that an incremental one builds on. */
  readonly parentId?: string;
  readonly codec: Codec;
  readonly label: Readonly<Record<string, string>>;
  readonly holds: readonly string[];
  readonly components: readonly ComponentRef[];
  readonly recoveryPoint: RecoveryPoint;
  readonly createdAt: string;
  readonly finishedAt: string;
  readonly warnings: readonly string[];
}

/**
 * What the bytes in a store mean. Order that is load-bearing: objects, then the component index, then the manifest with
 * if-none-match, last. A backup is listed only when its manifest is there.
 */
export interface Repository {
  /** `lifeboat.json`'s repository id, a UUID. */
  readonly id: string;
  readonly group: string;
  /** Store URL without secrets. */
  readonly location: string;
  /** Of the store; null where it cannot tell. */
  space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number } | null>;

  /** Takes an id (`backups/<id>/begin.json`, if-none-match) and, when encrypted, makes and wraps the data key. */
  beginBackup(request: BeginBackup): Promise<{ backupId: string }>;
  /**
   * Takes the next attempt number of a component (`…/attempt-<n>/begin.json`, if-none-match): a lost attempt that still
   * writes never shares keys with a later one, whatever numbers Temporal gives to attempts.
   */
  claimAttempt(backupId: string, component: ComponentName): Promise<number>;
  /** Streams one artifact through compression and encryption into objects; rejects if `source` throws. */
  writeArtifact(request: WriteArtifact, source: AsyncIterable<Uint8Array>, operation: Operation): Promise<Artifact>;
  /** Writes the component's index object: its facts and all its artifacts. */
  writeComponent(request: {
    readonly backupId: string;
    readonly component: ComponentName;
    readonly attempt: number;
    readonly facts: PostgresFacts | RedisFacts;
    readonly artifacts: readonly Artifact[];
    /** Artifacts of earlier attempts, which were finished, may be among them. */
    readonly takesOver?: boolean;
  }): Promise<ComponentRef>;
  /** What an index holds. @throws LifeboatError COMPONENT_INDEX_INVALID when it is not the one that the reference was made for */
  readComponent(
    backupId: string,
    ref: ComponentRef,
  ): Promise<{ readonly facts: PostgresFacts | RedisFacts; readonly artifacts: readonly Artifact[] }>;
  /** Reads the indexes back, checks that every object is there with its size, writes the signed manifest. Safe to repeat. */
  publish(request: PublishBackup): Promise<Manifest>;
  /** Removes what an unpublished backup left behind; refuses (BACKUP_PUBLISHED) when a manifest exists. Safe to repeat. */
  discard(backupId: string): Promise<void>;

  /** Newest first. A manifest that cannot be trusted is listed as `damaged`, never silently left out. */
  list(): Promise<BackupRecord[]>;
  /** `latest` or an id; signature, format and repository id checked. BACKUP_NOT_FOUND, MANIFEST_* errors. */
  load(idOrLatest: string): Promise<Manifest>;
  record(manifest: Manifest): Promise<BackupRecord>;
  /** Bytes as the producer gave them. Each object is checked (size, SHA-256, frame tags, zstd checksum) as it streams. */
  readArtifact(manifest: Manifest, component: ComponentName, name: string, operation: Operation): Readable;
  /** Keeps what a restore did (`restores/<restoreId>.json`); repeated with the same content it succeeds. */
  keepRestore(record: { readonly restoreId: string }): Promise<void>;
  /** What `keepRestore` kept, as it was. @throws LifeboatError RESTORE_NOT_FOUND */
  loadRestore(restoreId: string): Promise<unknown>;
  /**
   * Adds to the ledger of verifications that every stored object of this backup was read to its end and was sound. A store that may only be
   * read keeps no ledger.
   */
  recordRead(manifest: Manifest, startedAt: string): Promise<void>;
  /** Reads everything back and names every problem; empty when sound. */
  verify(idOrLatest: string, operation: Operation): Promise<Problem[]>;
  /** Problems of the group as a whole: a removed manifest in the chain, an unknown object under a published backup. */
  verifyChain(): Promise<Problem[]>;
  /** Brings backups and journals to a target, as they are stored. @throws LifeboatError TARGET_*, STORE_* */
  replicate(to: ObjectStore, request: ReplicateRequest, operation: Operation): Promise<Replicated>;
  /** One pass of a run that brings the journals to a target while they go on. @throws LifeboatError TARGET_*, STORE_* */
  replicateJournals(to: ObjectStore, pass: JournalPass): Promise<JournalsCopied>;
  /** Continuous archives beside the backups. */
  readonly journals: Journals;
  /** Holds, and removal of what retention does not keep. */
  readonly cleanup: RepositoryCleanup;
  /** Reports of runs of recovery plans, and verifications of plans. */
  readonly plans: PlanRecords;
  /** What drills have found. */
  readonly reports: Reports;
  /** What opens all of it. */
  readonly keys: Keys;
}

/** What reads and never writes: it works on a read-only store, without a signing key and without Temporal. */
export type RepositoryReader = Pick<
  Repository,
  'id' | 'group' | 'location' | 'list' | 'load' | 'record' | 'readArtifact' | 'loadRestore' | 'verify' | 'verifyChain'
> & { readonly journals: JournalReader; readonly keys: KeyReader };
