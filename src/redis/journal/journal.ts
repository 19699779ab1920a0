import type { RedisFacts } from '../../domain/backup.ts';
import type { RedisStreamState } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { RedisTarget, SnapshotSink } from '../redis.ts';

/** Where the stream is to go on: `offset` is the first byte that is wanted. */
export interface StreamPosition {
  readonly replid: string;
  readonly offset: number;
  readonly state: RedisStreamState;
}

export type StreamEvent =
  /** The server goes on where asked; `replid` may be a new one (a promoted replica). */
  | { readonly event: 'continued'; readonly replid: string; readonly offset: number }
  /** The server gave a snapshot instead, already taken by the sink: a new history, with a hole before it. */
  | { readonly event: 'resynced'; readonly facts: RedisFacts; readonly reason: string }
  /** Stream bytes `[from, to)`, cut anywhere; they belong to the receiver of the event until it asks for the next one. */
  | {
      readonly event: 'chunk';
      readonly from: number;
      readonly to: number;
      readonly bytes: Uint8Array;
      readonly fromMs: number;
      readonly toMs: number;
      readonly marks: readonly (readonly [bytes: number, milliseconds: number])[];
      readonly state: RedisStreamState;
    }
  /** Nothing new, but the link was alive at `timeMs`: all that the server had sent by then was given before. */
  | { readonly event: 'time'; readonly offset: number; readonly timeMs: number; readonly state: RedisStreamState };

export interface FollowStream {
  readonly target: RedisTarget;
  readonly resume: StreamPosition | null;
  readonly flushMs: number;
  /** Ends clean once all before this offset was given; undefined for ever. */
  readonly until?: number;
  /** With `until`: and not before all that the server had done by this time was given. An idle server is at the offset before. */
  readonly untilMs?: number;
  /** Bounded file for what comes faster than it is stored. */
  readonly spill: { readonly directory: string; readonly maxBytes: number };
}

export interface StreamReception extends AsyncIterable<StreamEvent> {
  /** Tells the server that all before this offset is durable: call it after the repository's commit, never before. */
  confirm(offset: number): void;
}

/** One position to cut a stream at: the last end of a transaction (or command) at or before a time or an offset. */
export interface StreamCut {
  readonly offset: number;
  readonly timeMs: number;
}

export interface StreamChunk {
  readonly from: number;
  readonly bytes: Uint8Array;
  readonly fromMs: number;
  readonly marks: readonly (readonly [bytes: number, milliseconds: number])[];
}

/** Chunks of a stream in order, without a hole, from the snapshot's offset on. */
export type StreamSource = () => AsyncIterable<StreamChunk>;

export interface RedisJournal {
  follow(
    request: FollowStream,
    context: { readonly sink: SnapshotSink; readonly operation: Operation },
  ): StreamReception;
  /** Reads the stream from the snapshot on (commands, MULTI/EXEC) and finds where to cut. JOURNAL_TARGET_OUTSIDE when there is none. */
  findCut(
    stream: StreamSource,
    wanted: { readonly atMs: number } | { readonly offset: number },
    operation: Operation,
  ): Promise<StreamCut>;
  /** An append-only directory (base.rdb, incr.aof, manifest) that redis-server ≥ 7 starts from; fsynced. */
  writeAppendOnlyDirectory(
    request: { readonly directory: string; readonly cut: StreamCut },
    context: {
      readonly snapshot: () => AsyncIterable<Uint8Array>;
      readonly stream: StreamSource;
      readonly operation: Operation;
    },
  ): Promise<{ readonly bytes: number; readonly keys: number }>;
}
