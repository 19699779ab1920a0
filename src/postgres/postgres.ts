import type { Check, PostgresFacts } from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';
import type { PostgresTables } from './tables/tables.ts';
import type { ArtifactSource, PostgresTarget } from './target.ts';

export type { ArtifactSource, PostgresTarget } from './target.ts';

/** Client tools; resolved and version-checked once (POSTGRES_TOOL_MISSING, POSTGRES_TOOL_TOO_OLD). */
export interface PostgresTools {
  readonly pgDump: string;
  readonly pgRestore: string;
  readonly pgDumpall: string;
  readonly psql: string;
  /** Tools of exactly this major version, where this machine has them; absent where the configuration names its tools. */
  readonly ofMajor?: (major: number) => PostgresTools | undefined;
}

/** What the source looks like before anything is read; small enough for a history. */
export interface PostgresSource {
  readonly server: string;
  readonly serverVersion: number;
  readonly database: string;
  readonly databaseBytes: number;
  readonly tables: number;
  readonly systemIdentifier: string;
  readonly superuser: boolean;
  readonly canReplicate: boolean;
  readonly walLevel: string;
  /** Ordinary tables of at least `bigTableBytes`, biggest first: dumped as parts of their own. */
  readonly bigTables: readonly { readonly oid: number; readonly name: string; readonly bytes: number }[];
  readonly warnings: readonly string[];
}

/** Takes one artifact as it streams; resolves when it is durable. Called for several artifacts at once. */
export type ArtifactSink = (
  artifact: {
    readonly name: string;
    readonly format: 'pg-dump-custom' | 'pg-globals-sql' | 'json';
    readonly producerCompression?: string;
    readonly attributes: Readonly<Record<string, string>>;
  },
  source: AsyncIterable<Uint8Array>,
) => Promise<void>;

export interface DumpOptions {
  readonly jobs: number;
  readonly bigTableBytes: number;
  /** zstd level for pg_dump's own compression; 0 = do not compress. */
  readonly zstdLevel: number;
  /** How long a table that somebody else has locked is waited for (POSTGRES_LOCK_TIMEOUT); undefined for a minute. */
  readonly lockTimeoutMs?: number;
}

export interface RestoreAside {
  readonly target: PostgresTarget;
  /** Database that takes the data; dropped first if it is left over from an earlier attempt of the same restore. */
  readonly asideDatabase: string;
  /** Database whose owner, encoding and settings the new one takes over, where it exists. */
  readonly likeDatabase: string;
  readonly facts: PostgresFacts;
  readonly artifacts: readonly {
    readonly name: string;
    readonly format: string;
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  readonly jobs: number;
}

export interface AsideResult {
  /** Passed ones and skipped ones; a failed one rejects. */
  readonly checks: readonly Check[];
  readonly rolesCreated: readonly string[];
  /** Bytes read from the artifacts. */
  readonly bytes: number;
  /** Identity of the aside database, for `Swap.asideOid`: it stays the same under every name. */
  readonly databaseOid: number;
}

/** A database by name and identity (oid): one that got the name later is another. */
export interface DatabaseIdentity {
  readonly database: string;
  readonly oid: number;
}

export interface Swap {
  readonly target: PostgresTarget;
  /** Live name, e.g. `auth`. May not exist yet. */
  readonly database: string;
  readonly asideDatabase: string;
  /** Name the replaced database is kept under. */
  readonly replacedDatabase: string;
  /** `AsideResult.databaseOid`. With it a repeated swap knows for sure whether the live database is the restored one. */
  readonly asideOid?: number;
}

export interface SwapResult {
  /** Name the replaced database is kept under; null where there was none. */
  readonly replaced: string | null;
  /** For `UndoSwap.replacedOid`. */
  readonly replacedOid: number | null;
  /** Properties of the replaced database that the role may not give to the new one, a sentence each. */
  readonly skipped: readonly string[];
}

export interface UndoSwap {
  readonly target: PostgresTarget;
  readonly database: string;
  readonly replacedDatabase: string;
  /** `SwapResult.replacedOid`. With it an undo after the replaced database was dropped is an error, not taken for a repeated one. */
  readonly replacedOid?: number;
}

/**
 * The PostgreSQL data plane of the logical method.
 * Every function ends its child processes (as a group) and its sessions before it settles, also on abort.
 */
export interface Postgres {
  inspect(target: PostgresTarget, options: { readonly bigTableBytes: number }): Promise<PostgresSource>;
  /** One exported snapshot; pieces in parallel through `sink`; rejects when any child exits other than 0. */
  dump(
    target: PostgresTarget,
    options: DumpOptions,
    context: { readonly sink: ArtifactSink; readonly operation: Operation },
  ): Promise<PostgresFacts>;
  /** What stands in a restore's way; nothing is changed. `exists` and `userObjects` of the database, free name check. */
  surveyTarget(
    target: PostgresTarget,
    database: string,
  ): Promise<{
    readonly exists: boolean;
    readonly userObjects: number;
    readonly serverVersion: number;
    readonly canCreateDatabase: boolean;
  }>;
  restoreAside(
    request: RestoreAside,
    context: { readonly source: ArtifactSource; readonly operation: Operation },
  ): Promise<AsideResult>;
  /** Renames live → replaced and aside → live in one transaction, with owner, ACL, settings, comment carried over. Safe to repeat. */
  swap(request: Swap): Promise<SwapResult>;
  /** The way back: live → dropped only after replaced → live has worked. Safe to repeat. */
  undoSwap(request: UndoSwap): Promise<void>;
  /** Drops databases with this exact name, ending their sessions; a missing one is fine. */
  dropDatabase(target: PostgresTarget, database: string): Promise<void>;
  /** Those of the databases that are there, and are the same ones still. */
  findDatabases(target: PostgresTarget, wanted: readonly DatabaseIdentity[]): Promise<DatabaseIdentity[]>;
  /** Drops a database if it is still this one, ending its sessions; false where it is not there or another. */
  dropIdentical(target: PostgresTarget, database: DatabaseIdentity): Promise<boolean>;
  /** Single tables of a backup. */
  readonly tables: PostgresTables;
}
