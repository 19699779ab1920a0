import type { Operation } from '../../domain/operation.ts';
import type { PostgresTarget } from '../postgres.ts';

/** What a server says about its history. `lsn` is the flushed (primary) or replayed (standby) position. */
export interface WalIdentity {
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly lsn: string;
  readonly walSegmentBytes: number;
  readonly serverVersion: number;
  readonly inRecovery: boolean;
}

export interface SlotState {
  readonly exists: boolean;
  readonly active: boolean;
  readonly activePid: number | null;
  readonly restartLsn: string | null;
  /** `reserved`, `extended`, `unreserved`, `lost`; null where there is no slot. */
  readonly walStatus: string | null;
  /** Bytes that can still be written before the slot is lost; null when unlimited. */
  readonly safeWalBytes: number | null;
  readonly retainedBytes: number;
}

/** WAL bytes `[from, to)` of one segment; `bytes` belong to the receiver of the event until it asks for the next one. */
export interface WalPiece {
  readonly event: 'piece';
  readonly timeline: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** The whole segment, in `bytes`, from its first byte: it replaces the pieces before it. */
  readonly segment: boolean;
  readonly fromMs: number;
  readonly toMs: number;
}
export type WalEvent =
  | WalPiece
  /** Nothing new, but the server's clock went on: all that it had flushed by `timeMs` was given before. */
  | { readonly event: 'time'; readonly timeline: number; readonly lsn: string; readonly timeMs: number }
  /** A timeline history file, given before the first piece of the timeline it leads to. */
  | { readonly event: 'history'; readonly timeline: number; readonly content: Uint8Array; readonly timeMs: number }
  /** The server went on to a newer timeline at this position (a promotion); pieces of it follow. */
  | { readonly event: 'timeline'; readonly from: number; readonly to: number; readonly lsn: string };

export interface ReceiveWal {
  readonly target: PostgresTarget;
  /** Physical slot; null for a receiver that only catches up. */
  readonly slot: string | null;
  /**
   * Where to begin: the first piece starts there, and its segment is read from the segment's start, so that it can be given
   * whole. A journal that continues nothing begins at the start of a segment. `timeMs`: all that the server had flushed by
   * then is before it; without it pieces say 0 until the receiver has caught up once.
   */
  readonly from: { readonly timeline: number; readonly lsn: string; readonly timeMs?: number };
  /** Ends clean once all before this position was given; undefined for ever. */
  readonly until?: string;
  /** A piece of an unfinished segment, or a `time`, is given at least this often. */
  readonly flushMs: number;
  /** What shows that the server is the journal's: another one is JOURNAL_HISTORY_MISMATCH before anything is given. */
  readonly expect: {
    readonly systemIdentifier: string;
    readonly past?: KnownPast;
    /** SHA-256 (hex) of the history file of `from.timeline`, as it was received. */
    readonly historyFile?: string;
  };
}

/** Bytes that were received before, in the segment of `ReceiveWal.from` and up to there; SHA-256 in hex. */
export interface KnownPast {
  readonly from: string;
  readonly to: string;
  readonly sha256: string;
}

export interface WalReception extends AsyncIterable<WalEvent> {
  /** Tells the server that all before this position is durable: call it after the repository's commit, never before. */
  confirm(lsn: string): void;
}

/**
 * The streaming replication protocol, physical. Errors end the iteration: POSTGRES_CONNECTION_LOST (transient),
 * JOURNAL_SLOT_LOST, JOURNAL_WAL_REMOVED, JOURNAL_SLOT_BUSY (another receiver holds it), JOURNAL_HISTORY_MISMATCH.
 */
export interface Wal {
  identify(target: PostgresTarget): Promise<WalIdentity>;
  slot(target: PostgresTarget, name: string): Promise<SlotState>;
  /** Physical, WAL reserved at once. Safe to repeat. */
  createSlot(target: PostgresTarget, name: string): Promise<SlotState>;
  dropSlot(target: PostgresTarget, name: string): Promise<void>;
  receive(request: ReceiveWal, operation: Operation): WalReception;
}
