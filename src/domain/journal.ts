/** Nouns of a journal, as they stand in a repository; docs/repository-format.md is the authority. Fields are added, never renamed. */
import type { StoredObject } from './backup.ts';

export type JournalKind = 'postgres' | 'redis';

/**
 * A place in a history. PostgreSQL: timeline and LSN (`0/16B3748`), `timeline` from 1. Redis: decimal offset in a replid,
 * `timeline` 0. Positions of one history and timeline are ordered by `at`.
 */
export interface JournalPosition {
  readonly timeline: number;
  readonly at: string;
}

/** One stored object of a journal: bytes `[from, to)` of the history, exactly as the server sent them. */
export interface JournalEntry extends StoredObject {
  /**
   * `segment`: a whole WAL segment; it replaces the pieces of it. `piece`: part of a segment, never across its border.
   * `history`: a timeline history file (`from` and `to` are empty; `timeline` is the one that it leads to).
   * `chunk`: part of a Redis replication stream, cut anywhere.
   */
  readonly kind: 'segment' | 'piece' | 'history' | 'chunk';
  readonly compression: 'zstd' | 'none';
  readonly timeline: number;
  readonly from: string;
  readonly to: string;
  /** When the first and the last of these bytes were received: milliseconds since 1970, clock of `JournalChapter.clock`. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * Redis: when which byte came. Pairs of bytes since the mark before (or `from`) and milliseconds since the mark before
   * (or `fromMs`): all bytes before the sum were received by then. The last one is `to` at `toMs`.
   */
  readonly marks?: readonly (readonly [bytes: number, milliseconds: number])[];
}

/** What is missing between two positions; said once, kept for ever. */
export interface JournalGap {
  readonly kind: JournalKind;
  /** Last durable position before it; null where nothing was before. */
  readonly from: (JournalPosition & { readonly history: string; readonly timeMs: number }) | null;
  readonly to: JournalPosition & { readonly history: string; readonly timeMs: number };
  /** JOURNAL_SLOT_LOST, JOURNAL_WAL_REMOVED, JOURNAL_RESYNC, … */
  readonly code: string;
  readonly message: string;
}

/** All before `position` is durable in the repository; all that the source had done by `timeMs` is before it. */
export interface JournalDurable extends JournalPosition {
  readonly timeMs: number;
}

/** What a Redis journal needs to go on in the stream: the server does not repeat it. */
export interface RedisStreamState {
  readonly database: number;
  readonly insideMulti: boolean;
  /** Bytes of an unfinished command at the end of what is durable, which the next chunk completes. */
  readonly unfinishedBytes: number;
}

/** A consecutive part of an epoch's list of objects: sealed, or the open one that is written again with each commit. */
export interface JournalChapter {
  readonly version: 1;
  readonly repositoryId: string;
  readonly group: string;
  readonly kind: JournalKind;
  /** System identifier, or replid. */
  readonly history: string;
  readonly epoch: number;
  /** From 1, without holes. */
  readonly sequence: number;
  /** SHA-256 of the chapter before it, of `begin.json` for the first; hex. */
  readonly previousSha256: string;
  readonly sealed: boolean;
  readonly entries: readonly JournalEntry[];
  readonly durable: JournalDurable;
  readonly stream?: RedisStreamState;
  /** Set in the last chapter of an epoch that ended in order: why. */
  readonly closed?: string;
}

/** `begin.json` of an epoch: who writes, and what it goes on from. */
export interface JournalBegin {
  readonly version: 1;
  readonly repositoryId: string;
  readonly group: string;
  readonly kind: JournalKind;
  readonly history: string;
  readonly epoch: number;
  readonly startedAt: string;
  /** First position of this epoch, and when the source was there. */
  readonly from: JournalDurable;
  /** The epoch that this one continues without a hole; null where it starts anew. */
  readonly continues: { readonly history: string; readonly epoch: number } | null;
  readonly gap: JournalGap | null;
  /** Facts for readers: `{walSegmentBytes: '16777216', serverVersion: '180006', database: 'auth'}`. Strings, no secrets. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly codec: {
    readonly compression: 'zstd' | 'none';
    readonly compressionLevel: number;
    readonly encryption: 'aes-256-gcm' | 'none';
  };
  readonly keyCheckValue: string | null;
}

/** An epoch as a reader sees it. */
export interface JournalEpoch {
  readonly begin: JournalBegin;
  /** In the order they were written; what a `segment` replaces is still among them. */
  readonly entries: readonly JournalEntry[];
  readonly durable: JournalDurable;
  readonly stream: RedisStreamState | null;
  readonly closed: string | null;
}
