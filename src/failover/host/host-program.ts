/**
 * How the worker runs `lifeboat-postgres-host` (in `bin/`) for one data directory: program and first arguments, to which a verb and its
 * words are added. Usually `ssh`, the host, the program and the data directory. No shell is in between here, but one may be at the other
 * end: added words are of `[A-Za-z0-9._:/-]`, and no options.
 */
export interface HostProgram {
  readonly command: readonly string[];
  /** How long each verb may take. */
  readonly timeoutMs: number;
}

export type HostVerb =
  | 'inspect'
  | 'stop'
  | 'start'
  | 'fence'
  | 'read-wal'
  | 'save-wal'
  | 'rewind'
  | 'rebuild'
  | 'follow';
