import type { ErrorTable } from './rule.ts';

/** Refusals of a restore: found before anything is changed. */
export const RESTORE_ERRORS = {
  RESTORE_TARGET_NOT_EMPTY: {
    retry: 'never',
    exit: 2,
    when: 'The database or Redis that would take the data is not empty and --drop-existing was not given.',
    hint: 'add --drop-existing to replace it (what is there is kept for an undo), or restore beside it with --target-database',
  },
  RESTORE_DIRECTORY_NOT_EMPTY: {
    retry: 'never',
    exit: 2,
    when: 'The directory that would take the data holds something already.',
    hint: 'name a directory that is new or empty: nothing is ever replaced in one',
  },
  RESTORE_DIRECTORY_UNUSABLE: {
    retry: 'never',
    exit: 2,
    when: 'The directory that would take the data cannot be made: its parent is not writable, it is a mount point, or the account that PostgreSQL runs under may not enter it.',
    hint: 'name a directory on the host of the worker, below one that the worker may write and that everybody may enter',
  },
  RESTORE_COMPONENT_MISSING: {
    retry: 'never',
    exit: 2,
    when: 'The backup does not hold the component that was asked for.',
    hint: 'see what it holds with `lifeboat backup show ID`',
  },
  RESTORE_TARGET_UNCONFIGURED: {
    retry: 'never',
    exit: 2,
    when: 'The configuration names no server for a component that is to be restored.',
    hint: 'set DATABASE_URL or REDIS_URL, or restore one component with --postgres or --redis',
  },
  RESTORE_TARGET_UNFIT: {
    retry: 'never',
    exit: 2,
    when: 'The server that would take the data cannot: it is older than the one backed up, a replica, or the role may not create databases.',
    hint: 'restore into a server of the same or a newer version with a role that may create databases',
  },
  RESTORE_CONTENT_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'A stored artifact reads back clean but does not hold what its manifest says.',
    hint: 'restore another backup, and keep this one for an investigation',
  },
  RESTORE_UNPROVED: {
    retry: 'never',
    exit: 3,
    when: 'The data was restored and is live, but a check against the backup failed afterwards; each is named.',
    hint: 'did clients write to the target meanwhile? stop them with --stop-services and restore again, or undo the restore',
  },
  RESTORE_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'No restore with this id is recorded in the repository.',
    hint: 'the id is in the answer of the restore, beside `undo`',
  },
  RESTORE_UNDO_EXPIRED: {
    retry: 'never',
    exit: 5,
    when: 'What the restore replaced was kept for restore.keepReplaced and is gone.',
    hint: 'restore from a backup instead: `lifeboat backup list`',
  },
  RESTORE_NOTHING_REPLACED: {
    retry: 'never',
    exit: 2,
    when: 'The restore brought tables beside the live ones, or where none was before: there is nothing that an undo could bring back.',
    hint: 'drop what it brought by hand, as its answer says under `goBack`',
  },
  RESTORE_TABLE_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'The backup, or the database at the instant that was asked for, has no table of that name; nothing was changed.',
    hint: 'is it written as in SQL? mixed case needs quotes: --table \'public."User Data"\'',
  },
  RESTORE_TABLE_IN_USE: {
    retry: 'never',
    exit: 2,
    when: 'A table cannot be replaced in place: a foreign key, a view or a parent table depends on it. Nothing was changed.',
    hint: 'restore it into a schema of its own (leave --drop-existing out) and merge by hand',
  },
  RESTORE_TABLES_REFUSED: {
    retry: 'never',
    exit: 1,
    when: 'The live database refused the definitions or rows of the tables: a type, a function, a role or a referenced row is missing. Nothing was changed.',
    hint: 'make what is named in the message first, or restore the whole database beside with --target-database',
  },
  RESTORE_TABLES_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'Tables that were loaded and read back do not hold what the backup holds; they were removed again, and nothing else was changed.',
    hint: 'verify the backup with `lifeboat backup verify ID`, and restore an older one',
  },
  RESTORE_KEYS_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'No key of the backup, or of the instant that was asked for, matches the patterns of --keys; nothing was changed.',
    hint: 'patterns are those of KEYS: session:*, user:[12]*; quote them, or the shell expands them',
  },
} as const satisfies ErrorTable;
