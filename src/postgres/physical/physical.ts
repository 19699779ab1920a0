import type { BaseBackupFacts, Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PostgresTarget } from '../postgres.ts';

/** Server programs of one major version; `libDir` where they need it (wheel builds). POSTGRES_SERVER_MISSING names what to do. */
export interface PostgresServerTools {
  readonly major: number;
  readonly postgres: string;
  readonly pgCtl: string;
  readonly pgBasebackup: string;
  readonly pgVerifybackup: string;
  readonly pgCombinebackup: string | undefined;
  readonly pgWaldump: string;
  readonly pgAmcheck: string;
  readonly pgControldata: string;
  readonly libDir: string | undefined;
}

/** Can a physical base be taken here, and if not, why. Nothing is read but catalogs. */
export interface PhysicalSurvey {
  readonly possible: boolean;
  /** For people: `wal_level is minimal`, `role app has not the attribute REPLICATION`, `tablespace "fast" …`. Empty where possible. */
  readonly reason: string;
  readonly code: string;
  readonly walSegmentBytes: number;
  readonly inRecovery: boolean;
  readonly clusterBytes: number;
  readonly summarizesWal: boolean;
  readonly dataChecksums: boolean;
}

/**
 * Takes one artifact; its bytes are read one artifact after the other: the pieces of the base (`base-0001`, …, whole tar members
 * each, an archive of its own), then `wal` (raw WAL bytes in whole segments, from the one of the start LSN to the one of the
 * stop LSN; attributes `timeline`, `from`, `walSegmentBytes`), then `manifest`. A call may still finish its artifact while
 * the next one is given to another call. A chunk is good until the next one is asked for, then its memory is freed: what is
 * kept longer must be copied.
 */
export type BaseSink = (
  artifact: {
    readonly name: string;
    readonly format: 'postgres-base-tar' | 'postgres-wal' | 'postgres-backup-manifest';
    readonly attributes: Readonly<Record<string, string>>;
  },
  source: AsyncIterable<Uint8Array>,
) => Promise<void>;

export interface TakeBase {
  readonly target: PostgresTarget;
  /** Incremental: the server's backup manifest of the parent; PostgreSQL 17+ with `summarize_wal`. */
  readonly parentManifest?: () => AsyncIterable<Uint8Array>;
  /** Input bytes after which a piece ends at the next member border; a member is never cut. */
  readonly pieceBytes?: number;
}

export interface UnpackBase {
  /** Made with mode 0700, must be missing or empty. */
  readonly directory: string;
  readonly artifacts: readonly {
    readonly name: string;
    readonly format: string;
    readonly attributes: Readonly<Record<string, string>>;
    /** Where known: the biggest piece is begun first. */
    readonly plainBytes?: number;
  }[];
  /** Pieces unpacked at once. */
  readonly jobs: number;
}

export interface PhysicalBackup {
  survey(target: PostgresTarget): Promise<PhysicalSurvey>;
  /**
   * pg_basebackup under a temporary slot that keeps the WAL; every byte of it from start to stop is in `wal`. Surveys first.
   * POSTGRES_TABLESPACES, POSTGRES_BASE_IMPOSSIBLE, POSTGRES_BASE_BUSY before anything is read; POSTGRES_BASE_FAILED (transient),
   * POSTGRES_BASE_TIMELINE_CHANGED.
   */
  takeBase(
    request: TakeBase,
    context: { readonly sink: BaseSink; readonly operation: Operation },
  ): Promise<BaseBackupFacts>;
  /**
   * Data directory, fsynced, with its own WAL in pg_wal and every file checked against the backup manifest; pg_control comes
   * last, so that half a directory cannot be started. It is as the source was: `src/postgres/scratch` makes it startable.
   * POSTGRES_BASE_DAMAGED naming the file, POSTGRES_DIRECTORY_IN_USE, POSTGRES_DIRECTORY_UNWRITABLE.
   */
  unpackBase(
    request: UnpackBase,
    /** Chunks of the source belong to the reader, which frees them. */
    context: { readonly source: (name: string) => AsyncIterable<Uint8Array>; readonly operation: Operation },
  ): Promise<{ readonly bytes: number; readonly checks: readonly Check[] }>;
  /** Why the server cannot say what changed since a base that began at `from`; null where it can, or does not let us look. PostgreSQL 17+. */
  missingSummaries(
    target: PostgresTarget,
    since: { readonly timeline: number; readonly from: string },
  ): Promise<string | null>;
  /**
   * pg_combinebackup of unpacked directories, oldest first, into `directory`, which must not be there; then every file is compared with
   * the backup manifest that came out. POSTGRES_SERVER_MISSING, POSTGRES_COMBINE_FAILED, POSTGRES_BASE_DAMAGED.
   */
  combine(
    request: { readonly chain: readonly string[]; readonly directory: string },
    operation: Operation,
  ): Promise<Check>;
}
