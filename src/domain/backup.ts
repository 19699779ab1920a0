/** Nouns of a backup, as they stand in manifests, histories and JSON output. Fields are added, never renamed. */

export type BackupKind = 'full' | 'incremental';
export type ComponentName = 'postgres' | 'redis';

/** A stored object: what the store holds (ciphertext where encrypted) and what went in. */
export interface StoredObject {
  /** Key in the store, relative to its root. */
  readonly key: string;
  /** Bytes in the store. */
  readonly storedBytes: number;
  /** SHA-256 of the stored bytes, hex. */
  readonly sha256: string;
  /** Bytes that went into the pipeline for this object, before compression and encryption. */
  readonly plainBytes: number;
}

export type ArtifactFormat =
  /** pg_dump -Fc; sections as in `section`. */
  | 'pg-dump-custom'
  /** pg_dumpall --globals-only, SQL text. */
  | 'pg-globals-sql'
  /** An RDB file as the server sent it. */
  | 'redis-rdb'
  /** SCAN + DUMP records; docs/repository-format.md. */
  | 'redis-dump'
  /** Digest and place of each key, sorted; docs/repository-format.md. */
  | 'redis-digest-index'
  /** Keys that the backup before held and this one does not; docs/repository-format.md. */
  | 'redis-deletions'
  /** Whole tar members of a data directory; an archive of its own. */
  | 'postgres-base-tar'
  /** WAL bytes as the server sent them, from the start of a segment. */
  | 'postgres-wal'
  /** The server's own backup_manifest. */
  | 'postgres-backup-manifest'
  /** JSON document, docs/repository-format.md. */
  | 'json';

/** One dump or snapshot inside a component, cut into objects that are read in order. */
export interface Artifact {
  /** Unique in its component, `[a-z0-9-]+`: `schema`, `data`, `data-0007`, `globals`, `facts`, `snapshot`. */
  readonly name: string;
  readonly format: ArtifactFormat;
  /** Compression added by the repository; `none` also when the producer compressed by itself (`producerCompression`). */
  readonly compression: 'zstd' | 'none';
  /** What the producer did itself, for people: `zstd:3` by pg_dump. */
  readonly producerCompression?: string;
  /** Free facts for the reader of the artifact: `{table: '"public"."audit"'}`. Strings only, no secrets. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly plainBytes: number;
  readonly storedBytes: number;
  readonly objects: readonly StoredObject[];
}

/** A physical base: a copy of the data directory and the WAL that makes it consistent. */
export interface BaseBackupFacts {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Where replay begins, and where the copy is consistent: nothing before `endLsn` can be restored from it. */
  readonly startLsn: string;
  readonly endLsn: string;
  /** ISO 8601, clock of the server: at `endAt` the copy was consistent. */
  readonly startAt: string;
  readonly endAt: string;
  readonly walSegmentBytes: number;
  readonly fromStandby: boolean;
  /** LSN at which the parent of an incremental base began; null for a full one. */
  readonly parentStartLsn: string | null;
  /**
   * Of an incremental base: ids of the backups whose bases are under it, oldest first. The first is a full base, the last is
   * the parent; a restore needs all of them.
   */
  readonly chain?: readonly string[];
  /** Did the cluster have data checksums? Absent in manifests from before incremental bases. */
  readonly dataChecksums?: boolean;
  readonly bytes: number;
}

/** What an incremental backup needs of a journal: all from its parent's position `from` to its own, `to`. */
export interface JournalRange {
  /** System identifier, or replid at `to`. */
  readonly history: string;
  /** Epoch that holds `to`. */
  readonly epoch: number;
  readonly timeline: number;
  readonly from: string;
  readonly to: string;
}

export interface PostgresFacts {
  /** `18.6`, `15.20 (Debian 15.20-0+deb12u1)`. */
  readonly server: string;
  /** server_version_num, 180006. */
  readonly serverVersion: number;
  readonly method: readonly ('logical' | 'physical' | 'wal')[];
  readonly database: string;
  readonly encoding: string;
  /** Of the control file, as a decimal string (64 bit); empty where the role may not read it. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** WAL position at the snapshot, `0/16B3748`. */
  readonly lsn: string;
  /** ISO 8601 instant of the snapshot. */
  readonly snapshotAt: string;
  readonly extensions: readonly { readonly name: string; readonly version: string; readonly schema: string }[];
  readonly tables: number;
  /** Database size on the server at the snapshot, bytes. */
  readonly databaseBytes: number;
  /** Where `method` has `physical`. */
  readonly base?: BaseBackupFacts;
  /** Where `method` has `wal`. */
  readonly journal?: JournalRange;
}

export interface RedisFacts {
  /** `7.0.15`. */
  readonly server: string;
  /** Of incremental backups: `stream` is a position in the journal, `dump-incremental` holds what changed in a dump. */
  readonly method: 'replication' | 'dump' | 'rdb-file' | 'stream' | 'dump-incremental';
  /** One instant for all keys? True for replication and rdb-file, false for dump and dump-incremental. */
  readonly consistent: boolean;
  readonly keys: number;
  /** Keys per database number. */
  readonly databases: Readonly<Record<string, number>>;
  readonly functions: number;
  /** 40 hex characters; empty where the server does not tell. */
  readonly replid: string;
  readonly offset: number;
  readonly rdbVersion: number;
  /** Order-free digest over database, key, type, absolute expiry and canonical value; hex. Empty where not computed. */
  readonly digest: string;
  /** ISO 8601 instant at which the snapshot was taken. */
  readonly snapshotAt: string;
  /** Where `method` is `stream`. */
  readonly journal?: JournalRange;
  /** Where a digest index was stored: an incremental backup by digests can stand on it. */
  readonly digests?: DigestChain;
}

/** What a dump holds of a Redis, and where the rest of it is. */
export interface DigestChain {
  /** Backups before this one whose dumps hold values of it, oldest first: a full one, then incremental ones. Empty for a full one. */
  readonly layers: readonly string[];
  /** Keys whose values are in this backup: new ones and such that changed. */
  readonly changed: number;
  /** Keys that the backup before held and this one does not. */
  readonly deleted: number;
}

export interface PostgresComponent extends PostgresFacts {
  readonly bytes: number;
  readonly storedBytes: number;
  readonly artifacts: readonly Artifact[];
}

export interface RedisComponent extends RedisFacts {
  readonly bytes: number;
  readonly storedBytes: number;
  readonly artifacts: readonly Artifact[];
}

/** One instant in both databases. */
export interface RecoveryPoint {
  readonly time: string;
  readonly postgres?: { readonly timeline: number; readonly lsn: string };
  readonly redis?: { readonly replid: string; readonly offset: number };
}

/** What `manifest.json` holds; docs/repository-format.md is the authority. */
export interface Manifest {
  readonly formatVersion: 1;
  readonly id: string;
  readonly kind: BackupKind;
  readonly group: string;
  readonly repositoryId: string;
  readonly parentId: string | null;
  /** SHA-256 of the group's previous manifest, so that a removed one is noticed; null for the first. */
  readonly previousManifest: { readonly id: string; readonly sha256: string } | null;
  readonly createdAt: string;
  readonly finishedAt: string;
  readonly label: Readonly<Record<string, string>>;
  readonly holds: readonly string[];
  readonly tool: string;
  readonly codec: {
    readonly compression: 'zstd' | 'none';
    readonly compressionLevel: number;
    readonly encryption: 'aes-256-gcm' | 'none';
    /** HMAC-SHA256(data key, "lifeboat-kcv")[0..8), hex; null when not encrypted. */
    readonly keyCheckValue: string | null;
  };
  readonly components: { readonly postgres?: PostgresComponent; readonly redis?: RedisComponent };
  readonly recoveryPoint: RecoveryPoint;
  /** Components that were configured but not taken, with the reason. */
  readonly warnings: readonly string[];
}

/** A backup at one target. */
export interface BackupCopy {
  readonly target: string;
  /** `removed`: by the rules of the target; `unknown`: it did not answer, or holds another repository. */
  readonly state: 'present' | 'missing' | 'damaged' | 'removed' | 'unknown';
  /** When all of it was last read back there and found sound, ISO 8601; null where it never was. */
  readonly verifiedAt: string | null;
}

/** The `backup` object of cli.md: a manifest without its objects, and what is known beside it. */
export interface BackupRecord {
  readonly id: string;
  readonly kind: BackupKind;
  readonly group: string;
  readonly parentId: string | null;
  readonly createdAt: string;
  readonly finishedAt: string;
  readonly durationMs: number;
  readonly status: 'complete' | 'damaged';
  readonly label: Readonly<Record<string, string>>;
  readonly holds: readonly string[];
  readonly encrypted: boolean;
  readonly signed: boolean;
  readonly verifiedAt: string | null;
  readonly components: {
    readonly postgres?: Omit<PostgresComponent, 'artifacts'>;
    readonly redis?: Omit<RedisComponent, 'artifacts'>;
  };
  readonly recoveryPoint: RecoveryPoint;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly location: string;
  /** At each configured target; empty where nobody looked. */
  readonly copies: readonly BackupCopy[];
  /** Of a backup that was just taken: the targets that it is copied to, and when that begins. */
  readonly copiesTo?: readonly { readonly target: string; readonly delayMs: number }[];
}

/** One line of what a restore or a drill found. A skip says why and never counts as a pass. */
export interface Check {
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'skip';
  readonly expected: string;
  readonly actual: string;
  readonly message: string;
}

/** Something damaged, missing or not what was signed. */
export interface Problem {
  readonly backupId: string;
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

/** Label of the copy that a restore takes of the Redis keys it is about to replace. */
export const SAVED_BEFORE_RESTORE = 'before-restore';

/** Label of the snapshot that a Redis journal stands on. */
export const JOURNAL_START = 'journal-start';

/** Label of the copy that a recovery plan takes of a state that it is about to replace. */
export const EMERGENCY = 'emergency';

/** Taken for a purpose of its own, by no one's order: `latest` never means it. */
export function isTakenAside({ label }: Pick<Manifest, 'label'>): boolean {
  return [SAVED_BEFORE_RESTORE, JOURNAL_START, EMERGENCY].includes(label['reason'] ?? '');
}
