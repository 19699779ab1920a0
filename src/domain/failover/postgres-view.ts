import type { TimelineHistory } from '../timeline.ts';

/** A server that did not answer: dead, cut off, or still starting; from here that looks the same. */
export interface SilentNode {
  readonly node: string;
  readonly answers: false;
  readonly reason: string;
}

export interface PostgresSender {
  readonly name: string;
  readonly state: string;
  /** `async`, `potential`, `sync`, `quorum`. */
  readonly syncState: string;
  readonly replayedLsn: string | null;
  readonly lagSeconds: number | null;
}

export interface PostgresReceiver {
  readonly status: string;
  /** Since the last message of the sender: the status says `streaming` long after a line was cut. */
  readonly silentSeconds: number | null;
  /** `host:port` that it follows. */
  readonly follows: string;
}

export interface PostgresSlot {
  readonly name: string;
  readonly kind: 'physical' | 'logical';
  readonly active: boolean;
  /** Why it can no longer be used; null where it can. */
  readonly invalid: string | null;
}

/** One server of a pair, as it describes itself. LSNs as text. */
export interface PostgresView {
  readonly node: string;
  readonly answers: true;
  readonly inRecovery: boolean;
  readonly serverVersion: number;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** How the timeline came about; null for timeline 1. */
  readonly history: TimelineHistory | null;
  /** A primary: end of what it has written. A standby: end of what it has received. */
  readonly lsn: string;
  /** Of a standby; null of a primary, and before anything was replayed. */
  readonly replayedLsn: string | null;
  readonly replayPaused: boolean;
  /** Of a standby: age of the last commit that it has replayed; null where there is none. */
  readonly replayedAgeSeconds: number | null;
  readonly receiver: PostgresReceiver | null;
  readonly senders: readonly PostgresSender[];
  readonly slots: readonly PostgresSlot[];
  /** The last attempt to archive went wrong: a fast stop then takes seconds longer, and lasts while it does. */
  readonly archiverFailing: boolean;
  readonly baseBackupsRunning: number;
  /** Checksums or wal_log_hints, and full_page_writes: pg_rewind can work. */
  readonly rewindable: boolean;
}

export type NodeView = PostgresView | SilentNode;
