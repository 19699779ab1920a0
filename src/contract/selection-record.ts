import type { ReplayPlan } from '../domain/replay.ts';
import type { ReplacedTables } from '../domain/selection-undo.ts';

/** Where the stream behind a snapshot is cut. */
export interface KeyCut {
  readonly offset: number;
  readonly timeMs: number;
}

export interface KeySelectionMessage {
  /** The backup whose snapshot is read. */
  readonly backupId: string;
  readonly patterns: readonly string[];
  readonly replay: ReplayPlan['redis'];
  /** Of a replay, once it is known. */
  readonly cut: KeyCut | null;
  /** Target that is read instead of the repository. */
  readonly from?: string;
}

/** What an undo acts on; kept with the record of the restore. */
export interface SelectionRecord {
  /** Null where no table was replaced. */
  readonly tables: ReplacedTables | null;
  /** Null where no key was written. */
  readonly keys: (KeySelectionMessage & { readonly savedAs: string | null }) | null;
  /** What an undo leaves, a statement each that takes it away. */
  readonly left: readonly string[];
}

export interface SelectionUndone {
  /** Tables that are what they were, quoted where SQL needs it. */
  readonly tables: { readonly database: string; readonly back: readonly string[] } | null;
  /** Keys that are there again, and the backup they came from; null where there were none before. */
  readonly keys: { readonly patterns: readonly string[]; readonly keys: number; readonly from: string | null } | null;
  readonly left: readonly string[];
}
