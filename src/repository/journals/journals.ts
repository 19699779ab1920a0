import type { Readable } from 'node:stream';
import type { Problem } from '../../domain/backup.ts';
import type {
  JournalBegin,
  JournalDurable,
  JournalEntry,
  JournalEpoch,
  JournalGap,
  JournalKind,
  RedisStreamState,
} from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Codec } from '../codec.ts';

export interface OpenJournal {
  readonly kind: JournalKind;
  /** System identifier (decimal) or replid (40 hex characters). */
  readonly history: string;
  readonly from: JournalDurable;
  /** The epoch that this one continues; it may be of another history (a promoted Redis replica has a new replid). */
  readonly continues: { readonly history: string; readonly epoch: number } | null;
  readonly gap: JournalGap | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly codec: Codec;
  readonly startedAt: string;
}

/** What of an entry its writer knows; key, sizes and digest come from the repository. */
export type EntryFacts = Pick<JournalEntry, 'kind' | 'timeline' | 'from' | 'to' | 'fromMs' | 'toMs' | 'marks'>;

/**
 * The only writer of one epoch. Order that is load-bearing: objects (each durable when `put` resolves), then the chapter
 * that names them (`commit`). Only after `commit` may a server be told that the bytes are safe.
 */
export interface JournalWriter {
  readonly epoch: number;
  readonly begin: JournalBegin;
  /** Stores one object; several calls may run at once, they are listed in the order of the calls. */
  put(facts: EntryFacts, bytes: Uint8Array, signal: AbortSignal): Promise<JournalEntry>;
  /** Names all entries whose `put` has resolved, and what is durable with them. JOURNAL_FENCED when a newer epoch was begun. */
  commit(durable: JournalDurable, stream?: RedisStreamState): Promise<void>;
  /** The last chapter: why it ends (`promoted: timeline 2`, `handed over`). Nothing can be written after it. */
  close(reason: string): Promise<void>;
}

/** A WAL file that a server wants to be kept. */
export interface ArchivedFile {
  /** System identifier. */
  readonly history: string;
  readonly segmentBytes: number;
  /** `segment` or `history`; a history file has empty positions. */
  readonly facts: EntryFacts;
  /** First byte of the segment; of a history file, of the segment in which its timeline begins. */
  readonly at: string;
  readonly bytes: Uint8Array;
}

export interface JournalCatalog {
  /** Oldest first, by start; of all histories. Only what could be trusted. */
  readonly epochs: readonly JournalEpoch[];
  /** Chapters that are missing, damaged, unsigned; named, never left out silently. */
  readonly problems: readonly Problem[];
}

/** Continuous archives in a repository. Objects are never changed; `open.json` of an epoch is, with each commit. */
export interface JournalReader {
  catalog(kind: JournalKind): Promise<JournalCatalog>;
  /** Bytes `[from, to)` as the server sent them; checked like any object while it streams. */
  read(epoch: JournalEpoch, entry: JournalEntry, operation: Operation): Readable;
  /** Reads every object of every epoch back; names what is damaged, missing, unknown, or not contiguous. */
  verify(kind: JournalKind, operation: Operation): Promise<Problem[]>;
}

export interface Journals extends JournalReader {
  /** Takes the next epoch of this kind (if-none-match): an older writer finds itself fenced at its next commit. */
  open(request: OpenJournal): Promise<JournalWriter>;
  /**
   * Keeps one file that a server archives. When it resolves the file is durable and named by a signed chapter, of an epoch with
   * the attribute `mode: archive`. Safe to repeat and by several processes at once; JOURNAL_SEGMENT_EXISTS for other bytes under
   * the same name.
   */
  archive(
    file: ArchivedFile,
    how: { readonly codec: Codec; readonly signal: AbortSignal },
  ): Promise<'kept' | 'kept-before'>;
}
