import type { Problem } from '../domain/backup.ts';
import type { JournalKind, JournalPosition } from '../domain/journal.ts';
import type { GapView } from '../domain/window-view.ts';

/** A position, and when its server was there; ISO 8601. */
export interface TimedPosition extends JournalPosition {
  readonly time: string;
}

/** What repository and server say about one journal. Null: not known, or not there. */
export interface JournalFacts {
  readonly kind: JournalKind;
  /** `journal.enabled` of the worker that looked. */
  readonly enabled: boolean;
  /** Why no journal is kept although journals are on; null where one is. Older workers do not say. */
  readonly notKept?: string | null;
  /** Why the server gives nothing that a journal could be made of; null where it does, or was not asked. */
  readonly refused?: string | null;
  /** System identifier, or replid, of the newest epoch. */
  readonly history: string | null;
  readonly epoch: number | null;
  readonly startedAt: string | null;
  /** All before it can be restored, whatever happens to the server. */
  readonly durable: TimedPosition | null;
  /** Where the server is now. */
  readonly position: (JournalPosition & { readonly history: string }) | null;
  /** Why the server did not say; null where it did. */
  readonly serverProblem: { readonly code: string; readonly message: string } | null;
  /** Null also where journal and server are not of one history. */
  readonly lagBytes: number | null;
  readonly slot: {
    readonly name: string;
    readonly exists: boolean;
    readonly active: boolean;
    readonly walStatus: string | null;
    readonly retainedBytes: number;
    /** Bytes that can still be written before the slot is lost; null when unlimited. */
    readonly safeWalBytes: number | null;
  } | null;
  /** The newest, as in the recovery window. */
  readonly gaps: readonly GapView[];
  /** Chapters that could not be trusted. */
  readonly problems: readonly Problem[];
  readonly flushSeconds: number;
}
