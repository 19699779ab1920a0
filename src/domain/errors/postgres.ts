import type { ErrorTable } from './rule.ts';

/** Errors of the `postgres` folder. */
export const POSTGRES_ERRORS = {
  POSTGRES_UNREACHABLE: {
    retry: 'after',
    exit: 7,
    when: 'No PostgreSQL server answered at the configured address, or the TLS handshake with it did not succeed.',
    hint: 'is the server up, and do host, port, sslmode and the firewall allow this machine in?',
  },
  POSTGRES_STARTING: {
    retry: 'transient',
    exit: 7,
    when: 'The server is starting up, shutting down or recovering from a crash.',
    hint: 'wait until the server accepts connections; its log says how far recovery is',
  },
  POSTGRES_CONNECTION_LOST: {
    retry: 'transient',
    exit: 7,
    when: 'The connection ended in the middle of the work: a restart, a failover, an administrator or the network.',
    hint: 'did the server restart or fail over at that time?',
  },
  POSTGRES_AUTH_FAILED: {
    retry: 'never',
    exit: 7,
    when: 'The server refused the role or its password, or pg_hba.conf has no line for it.',
    hint: 'are user and password those of the server, and does pg_hba.conf allow this role from this machine?',
  },
  POSTGRES_RIGHTS_MISSING: {
    retry: 'never',
    exit: 1,
    when: 'The role lacks a right that the work needs.',
    hint: 'grant the right that is named, or use a role that has it; `GRANT pg_read_all_data` is enough to read tables',
  },
  POSTGRES_DATABASE_MISSING: {
    retry: 'never',
    exit: 5,
    when: 'The database does not exist on the server.',
    hint: 'list the databases of the server with `psql -l`',
  },
  POSTGRES_TOO_MANY_CONNECTIONS: {
    retry: 'transient',
    exit: 7,
    when: 'The server has no free connection for the role.',
    hint: 'raise max_connections or the limit of the role or database, or lower postgres.jobs',
  },
  POSTGRES_DISK_FULL: {
    retry: 'after',
    exit: 1,
    when: 'The server ran out of disk space.',
    hint: 'a restore needs room for a second copy of the database beside the live one',
  },
  POSTGRES_LOCKS_EXHAUSTED: {
    retry: 'after',
    exit: 1,
    when: 'The server ran out of shared memory for locks: a dump locks every table.',
    hint: 'raise max_locks_per_transaction and restart the server, or lower postgres.jobs',
  },
  POSTGRES_LOCK_TIMEOUT: {
    retry: 'transient',
    exit: 1,
    when: 'A lock was not granted in time, or two sessions waited for each other.',
    hint: 'which statement holds the lock? look at pg_locks and pg_stat_activity',
  },
  POSTGRES_DATABASE_BUSY: {
    retry: 'transient',
    exit: 1,
    when: 'Sessions or prepared transactions that could not be ended keep a database from being renamed or dropped.',
    hint: 'end the sessions that are named, or use a role that may end them (pg_signal_backend, superuser)',
  },
  POSTGRES_NAME_TAKEN: {
    retry: 'never',
    exit: 1,
    when: 'A database with the name that is needed exists and is not ours to replace.',
    hint: 'look at both databases, then rename or drop the one that is in the way',
  },
  POSTGRES_NOT_SWAPPABLE: {
    retry: 'never',
    exit: 2,
    when: 'The database cannot be replaced by a rename: a template, or the one that administrative connections need.',
    hint: 'restore into another database with --target-database',
  },
  POSTGRES_QUERY_FAILED: {
    retry: 'never',
    exit: 1,
    when: 'The server refused a statement for a reason without a code of its own; `sqlstate` has it.',
    hint: 'look the SQLSTATE up in the PostgreSQL manual, appendix A',
  },
  POSTGRES_TOOL_MISSING: {
    retry: 'never',
    exit: 2,
    when: 'A PostgreSQL client tool is not installed, or does not say its version.',
    hint: 'install the PostgreSQL client tools, or name their folder in postgres.binDir',
  },
  POSTGRES_TOOL_TOO_OLD: {
    retry: 'never',
    exit: 2,
    when: 'pg_dump or pg_restore is of an older major version than the server.',
    hint: 'install client tools of at least the major version of the server, or name their folder in postgres.binDir',
  },
  POSTGRES_TARGET_TOO_OLD: {
    retry: 'never',
    exit: 2,
    when: 'The server to restore into is of an older major version than the one the backup is of.',
    hint: 'restore into a server of the same or a newer major version',
  },
  POSTGRES_DUMP_FAILED: {
    retry: 'transient',
    exit: 1,
    when: 'pg_dump or pg_dumpall ended with an error or was killed; nothing of this attempt counts.',
    hint: 'its last words are in the message; a table that was changed or locked meanwhile is a common cause',
  },
  POSTGRES_RESTORE_FAILED: {
    retry: 'transient',
    exit: 1,
    when: 'pg_restore or psql ended with an error or was killed; the live database was not touched.',
    hint: 'its last words are in the message; a missing extension or too little disk space are common causes',
  },
  POSTGRES_RESTORE_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'The restored database differs from what was recorded at the backup; it was dropped, the live one was not touched.',
    hint: 'look at the failed checks; restore an older backup, or verify this one with `lifeboat backup verify`',
  },
  POSTGRES_FACTS_INVALID: {
    retry: 'never',
    exit: 4,
    when: 'The record of what a backup holds is missing or is not what this version of Lifeboat wrote.',
    hint: 'verify the backup with `lifeboat backup verify ID`; is it written by a newer version?',
  },
} as const satisfies ErrorTable;
