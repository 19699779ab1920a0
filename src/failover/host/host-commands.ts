/**
 * Program and arguments, run by the worker; usually `ssh` to the host of a server. No shell is in between. Words of the form `{name}`
 * stand for facts of the moment: ssh hands no environment on.
 */
export type HostCommand = readonly string[];

/** What is done on the host of a PostgreSQL server, as the account that owns its data directory. docs/guides/failover.md has examples. */
export interface HostCommands {
  /** Fast shutdown, kept down: a service manager must not start it again. Returns when the server has ended. */
  readonly stop: HostCommand;
  /** Starts the server, as a primary or as a standby as its data directory says. */
  readonly start: HostCommand;
  /**
   * Prints what `pg_ctl status` and `pg_controldata` print, in English, and the line `standby.signal: present` or
   * `standby.signal: absent`. Exits with 0 also while the server is down.
   */
  readonly inspect: HostCommand;
  /** Makes standby.signal in the data directory: whoever starts the server, it takes no writes. */
  readonly fence: HostCommand;
  /** `pg_waldump --path=…/pg_wal --timeline={timeline} --start={start}` with TZ=UTC; its exit code is not asked. */
  readonly readWal: HostCommand;
  /** How long each may take. */
  readonly timeoutMs: number;
}
