import type { PostgresServerTools } from '../physical/physical.ts';
import type { PostgresTarget } from '../postgres.ts';

/** How far a data directory is replayed, and what happens there. */
export interface Recovery {
  /** As in postgresql.conf; undefined where all WAL is in pg_wal. It runs as the server's account, in the data directory. */
  readonly restoreCommand?: string;
  /**
   * `end`: all WAL there is, then promotion; with the base's own WAL alone that is its `endLsn`, the first moment at which it is
   * consistent. An LSN is compared with the start of each record: `inclusive` stops behind the first record that starts at
   * or after it, otherwise before, and WAL without such a record is an error. It must be at or after the base's `endLsn`.
   * https://www.postgresql.org/docs/current/runtime-config-wal.html#RUNTIME-CONFIG-WAL-RECOVERY-TARGET
   */
  readonly target: 'end' | { readonly lsn: string; readonly inclusive: boolean };
  /** The newest that can be found where undefined. */
  readonly timeline?: number;
  /** At the target; `end` always promotes. */
  readonly action: 'pause' | 'promote';
}

export interface StartScratch {
  /** A data directory as it was unpacked. It is changed, and of no use afterwards but for this instance. */
  readonly directory: string;
  readonly tools: PostgresServerTools;
  /** A role that was in the cluster, as the configuration names it; the superuser is found through it. */
  readonly user: string;
  /** For `target`. */
  readonly database: string;
  readonly recovery: Recovery;
  /** A private folder of the server's account for the socket; it is removed in the end. One is made where undefined. */
  readonly socketFolder?: string;
}

export interface Recovered {
  /** End of the last record that was replayed. */
  readonly lsn: string;
  /** ISO 8601 time of the last commit or abort that was replayed, clock of the source; null where there was none. */
  readonly lastCommitAt: string | null;
  readonly timeline: number;
  /** Still read-only, at the target. */
  readonly paused: boolean;
}

/** A server on a restored data directory, on a socket that only this user and the server's account can reach. */
export interface Scratch {
  /** The superuser, without a password. Read-only while recovery is paused. */
  readonly target: PostgresTarget;
  /** Resolves at the target; progress is the replayed position. POSTGRES_SCRATCH_FAILED with the end of the log. */
  waitForRecovery(): Promise<Recovered>;
  /** Ends recovery on a new timeline. */
  promote(): Promise<Recovered>;
  /** Ends the server in order, and removes its socket. The directory stays. */
  stop(): Promise<void>;
  /**
   * As `stop`, but however long the last checkpoint takes, and proven: the directory is that of a server that was shut down.
   * @throws LifeboatError POSTGRES_SCRATCH_FAILED
   */
  shutDown(): Promise<void>;
  /** As `stop`, without waiting for order. */
  kill(): Promise<void>;
}
