import type { Check, RecoveryPoint } from '../domain/backup.ts';
import type { ReplayedPosition, ReplayPlan } from '../domain/replay.ts';
import type { SelectionPlan, SelectionRequest } from '../domain/selection-plan.ts';
import type { IdentifiedTable, ReplacedTables } from '../domain/selection-undo.ts';
import type { TableName } from '../domain/table-name.ts';
import type { Requested, RestoreInput } from './messages.ts';
import type { KeyCut, KeySelectionMessage } from './selection-record.ts';

/** Single tables and keys of a backup, or of an instant. At least one of the two is asked for. */
export interface RestoreSelectionInput extends Requested, SelectionRequest {
  /** A backup id or `latest`. */
  readonly backup: string;
  readonly to: NonNullable<RestoreInput['to']> | null;
  /** Target that the backup is read from, instead of the repository. */
  readonly fromTarget?: string;
  /** Only say what would be done. */
  readonly dryRun: boolean;
}

export interface RestoredTable {
  /** As in the backup, quoted where SQL needs it. */
  readonly table: string;
  /** Where it is now. */
  readonly as: string;
  /** Rows of the table itself: those of partitions are with the partitions. */
  readonly rows: number;
}

export interface RestoreSelectionResult {
  readonly restoreId: string;
  readonly dryRun: boolean;
  readonly plan: SelectionPlan;
  readonly restored: {
    readonly postgres: {
      readonly database: string;
      /** Schema that took them; null: they are in place. */
      readonly schema: string | null;
      /** Tables asked for and what is below them; cut at a stated number. */
      readonly tables: readonly RestoredTable[];
      readonly tablesTotal: number;
      readonly rows: number;
      /** Names under which replaced tables are kept. */
      readonly replaced: readonly string[];
    } | null;
    readonly redis: {
      /** Keys of the backup that are in the server now. */
      readonly restored: number;
      /** Those of them that were there before. */
      readonly replaced: number;
      /** Keys of the server that were left as they were. */
      readonly untouched: number;
      /** Backup with the keys as they were before; null when none was replaced. */
      readonly savedAs: string | null;
    } | null;
  };
  readonly recoveryPoint: RecoveryPoint;
  readonly positions: { readonly postgres: ReplayedPosition | null; readonly redis: ReplayedPosition | null } | null;
  readonly checks: readonly Check[];
  readonly rtoMs: number;
  readonly rpoMs: number;
  /** Null where it replaced nothing; absent in answers of earlier versions. */
  readonly undo?: { readonly command: string; readonly expiresAt: string } | null;
  /** How it can be taken back, a command or statement each. */
  readonly goBack: readonly string[];
}

/** Of restores of single tables and keys; see PostgresTables and RedisSelection for what they promise. */
export interface SelectionControl {
  /** Loads and checks the manifest, looks at the targets, refuses what must be refused; changes nothing. */
  planSelection(input: { request: RestoreSelectionInput; startedAt: string }): Promise<SelectionPlan>;
  /** Moves loaded tables to where they belong, in one transaction. Repeated it finds that it is done. */
  moveTables(input: { tables: NonNullable<SelectionPlan['tables']>; homes: readonly TableName[] }): Promise<{
    replaced: readonly TableName[];
    /** What an undo needs to know of them; absent in answers of earlier versions. */
    kept?: readonly IdentifiedTable[];
    placed?: readonly IdentifiedTable[];
  }>;
  /** Drops what a restore has put in place and brings back what it replaced; a dry run only refuses. Repeated it finds that it is done. */
  undoTables(input: { tables: ReplacedTables; dryRun: boolean }): Promise<void>;
  /** The way back from `loadTables`. */
  dropLoadedTables(input: { database: string; stagingSchema: string; asideDatabase: string }): Promise<void>;
}

export interface SelectionData {
  /** Loads tables beside the live ones and proves them; refuses damaged objects. Repeated it begins anew. */
  loadTables(input: {
    backupId: string;
    restoreId: string;
    tables: NonNullable<SelectionPlan['tables']>;
    replay: ReplayPlan['postgres'];
    /** Target that is read instead of the repository. */
    from?: string;
  }): Promise<{
    tables: readonly (TableName & { readonly rows: number })[];
    checks: readonly Check[];
    bytes: number;
    position: ReplayedPosition | null;
  }>;
  /** Reads the snapshot to its end and counts; RESTORE_KEYS_NOT_FOUND when nothing matches. */
  surveyKeys(input: KeySelectionMessage): Promise<{
    matching: number;
    replaced: number;
    present: number;
    check: Check;
    cut: KeyCut | null;
  }>;
  /** Writes the keys. Repeated it writes them again. */
  loadKeys(input: KeySelectionMessage & { replace: boolean }): Promise<{
    keys: number;
    expired: number;
    checks: readonly Check[];
  }>;
  /** The way back from `loadKeys`: removes the keys, and brings those back that the saved backup holds. */
  revertKeys(input: KeySelectionMessage & { savedAs: string | null }): Promise<{ keys: number }>;
}
