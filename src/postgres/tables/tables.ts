import type { Check, PostgresFacts } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { IdentifiedTable, ReplacedTables } from '../../domain/selection-undo.ts';
import type { TableName } from '../../domain/table-name.ts';
import type { ArtifactSource, PostgresTarget } from '../target.ts';

/** What stands in the way of tables that come back; nothing is changed by looking. */
export interface TableSurvey {
  readonly serverVersion: number;
  readonly canCreateDatabase: boolean;
  /** The schema that would take them is there. */
  readonly schemaExists: boolean;
  /** Tables of the names asked for that are there: in that schema, or in place. */
  readonly present: readonly TableName[];
  /** In place: what depends on them, a sentence each. */
  readonly dependents: readonly string[];
}

/** A logical dump in the repository. */
export interface DumpedTables {
  readonly from: 'dump';
  readonly facts: PostgresFacts;
  readonly artifacts: readonly {
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  readonly source: ArtifactSource;
  /** Database for the definitions, on the live server, for as long as the load takes. */
  readonly asideDatabase: string;
}

/** A server of our own that was brought to an instant; its tables are moved about. */
export interface ServedTables {
  readonly from: 'server';
  readonly target: PostgresTarget;
}

export interface LoadTables {
  /** The live server and database. */
  readonly target: PostgresTarget;
  readonly tables: readonly TableName[];
  /** Schema of this restore alone; what an earlier attempt left in it is dropped first. */
  readonly stagingSchema: string;
  /** Their triggers, rules and foreign keys to other tables come along: they will be live. */
  readonly inPlace: boolean;
  readonly origin: DumpedTables | ServedTables;
}

/** A table that came back: partitions each for itself, partitioned tables with 0 rows. */
export interface LoadedTable extends TableName {
  readonly rows: number;
}

export interface LoadTablesResult {
  readonly tables: readonly LoadedTable[];
  readonly checks: readonly Check[];
  /** Bytes of rows. */
  readonly bytes: number;
}

export interface MoveTables {
  readonly target: PostgresTarget;
  readonly stagingSchema: string;
  /** The ones that were asked for. */
  readonly tables: readonly TableName[];
  /** Where each that was loaded comes from: parts of a table may lie in other schemas than the table. */
  readonly homes: readonly TableName[];
  /** Schema that takes them all, made where it is not there; null: each goes into its own, in place of what is there. */
  readonly intoSchema: string | null;
  /** Schema that the replaced ones are kept in. */
  readonly keptSchema: string;
}

export interface MovedTables {
  /** Where the tables are now. */
  readonly tables: readonly TableName[];
  /** Tables that were replaced, under their names in `keptSchema`. */
  readonly replaced: readonly TableName[];
  /** The same with the schemas that they came from; empty where the schema does not tell (it was made by an earlier version). */
  readonly kept: readonly IdentifiedTable[];
  /** Tables that are where these were asked for, with all below them. */
  readonly placed: readonly IdentifiedTable[];
}

/** The way back from `move`, as it was recorded. */
export interface UndoMove extends ReplacedTables {
  readonly target: PostgresTarget;
  /** Only refuse what has to be refused. */
  readonly dryRun: boolean;
}

/** Tables that a restore replaced, as it recorded them. */
export type KeptTables = Pick<ReplacedTables, 'keptSchema' | 'kept'>;

export interface DroppedTables {
  /** Names in the schema that kept them, quoted where SQL needs it. */
  readonly dropped: readonly string[];
  /** Why nothing was dropped, a sentence each. */
  readonly inTheWay: readonly string[];
}

/** Single tables of a backup, brought into a live database. */
export interface PostgresTables {
  survey(request: Pick<MoveTables, 'target' | 'tables' | 'intoSchema'>): Promise<TableSurvey>;
  /** Names of all tables of a dump, from its facts. */
  list(source: ArtifactSource): Promise<readonly TableName[]>;
  /**
   * Loads them into the staging schema and reads them back: one transaction, committed only after every byte of the origin
   * was read, its rows counted and the digest of what the live server gives back is that of what was stored.
   * @throws LifeboatError RESTORE_TABLE_NOT_FOUND, RESTORE_TABLES_REFUSED, RESTORE_TABLES_MISMATCH
   */
  load(request: LoadTables, operation: Operation): Promise<LoadTablesResult>;
  /** Moves them to where they belong, in one transaction with a bounded wait for locks. Safe to repeat. @throws RESTORE_TABLE_IN_USE */
  move(request: MoveTables): Promise<MovedTables>;
  /**
   * Drops what `move` has put in place and moves what it replaced back, in one transaction with a bounded wait for locks. Safe to repeat.
   * @throws LifeboatError RESTORE_UNDO_EXPIRED where a replaced table is gone, RESTORE_TABLE_IN_USE, RESTORE_TARGET_NOT_EMPTY where another took its name
   */
  undoMove(request: UndoMove): Promise<void>;
  /** Those of which a table is still kept: the same by its oid, its name and its schema. */
  findKept(target: PostgresTarget, wanted: readonly KeptTables[]): Promise<KeptTables[]>;
  /**
   * Drops those tables in one transaction with a bounded wait for locks, and their schema where nothing else is in it. All of them stay
   * where something depends on one, or somebody has made a table of their own a part of it. Safe to repeat.
   */
  dropKept(target: PostgresTarget, wanted: KeptTables): Promise<DroppedTables>;
  /** Drops the staging schema with what is in it; a missing one is fine. */
  drop(target: PostgresTarget, stagingSchema: string): Promise<void>;
}
