import type { ErrorTable } from './rule.ts';

/** Errors of continuous journals: their sources, their objects, and what is asked of them. */
export const JOURNAL_ERRORS = {
  JOURNAL_FENCED: {
    retry: 'transient',
    exit: 6,
    when: 'Another worker has taken the journal over: this one may write no more.',
    hint: 'nothing is lost; is one worker slow to notice that it was replaced?',
  },
  JOURNAL_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: 'A file of a journal is missing, altered, or not signed by a trusted key.',
    hint: '`lifeboat backup verify all` names every such file; what lies before it can still be restored',
  },
  JOURNAL_SLOT_LOST: {
    retry: 'never',
    exit: 1,
    when: 'The replication slot of the journal was dropped, or the server gave up the WAL that it held back for it.',
    hint: 'the journal begins anew with a gap, and a full backup is due; is max_slot_wal_keep_size large enough?',
  },
  JOURNAL_WAL_REMOVED: {
    retry: 'never',
    exit: 1,
    when: 'The server has removed WAL that the journal had not received yet.',
    hint: 'the journal begins anew with a gap, and a full backup is due; only a replication slot makes a server keep WAL',
  },
  JOURNAL_SLOT_BUSY: {
    retry: 'transient',
    exit: 6,
    when: 'Another receiver holds the replication slot of the journal.',
    hint: 'is another worker at work on this journal? a dead one is let go after wal_sender_timeout',
  },
  JOURNAL_SLOT_TAKEN: {
    retry: 'never',
    exit: 1,
    when: 'A replication slot with the name of the journal exists and is not a physical one.',
    hint: 'name another slot in the configuration, or drop the one that is in the way',
  },
  JOURNAL_HISTORY_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'The server is not the one of this journal, or its history does not contain the position to go on from.',
    hint: 'was the server restored, replaced or promoted from an older state? then a new journal begins with a full backup',
  },
  JOURNAL_STREAM_DAMAGED: {
    retry: 'transient',
    exit: 4,
    when: 'WAL came that is not what PostgreSQL writes at that position: wrong page header, or bytes out of order.',
    hint: 'nothing of it was kept; if it comes again, check the server and the network in between',
  },
  JOURNAL_GAP: {
    retry: 'never',
    exit: 4,
    when: 'Something between two positions of a journal is missing.',
    hint: 'choose a target before the gap, or one after the first full backup behind it',
  },
  JOURNAL_TARGET_OUTSIDE: {
    retry: 'never',
    exit: 5,
    when: 'The target is before the first or after the last moment that can be restored.',
    hint: '`lifeboat status` shows the moments that can be restored, and every gap between them',
  },
  JOURNAL_SEGMENT_INVALID: {
    retry: 'never',
    exit: 4,
    when: 'A file is not a WAL segment, or not the one that its name says.',
    hint: 'is archive_command given %p of the server of this journal?',
  },
  JOURNAL_SEGMENT_EXISTS: {
    retry: 'never',
    exit: 4,
    when: 'A file of that name with other content is archived already.',
    hint: 'do two servers archive into the same journal?',
  },
  JOURNAL_WAL_UNREADABLE: {
    retry: 'never',
    exit: 4,
    when: 'pg_waldump could not read WAL that should be whole.',
    hint: 'verify the journal with `lifeboat backup verify`; is pg_waldump of the major version of the server?',
  },
  JOURNAL_FILE_MISSING: {
    retry: 'never',
    exit: 1,
    when: '`wal fetch` was asked for a file that no journal has.',
    hint: 'a server that recovers asks beyond the end as well, and takes this answer for it',
  },
  JOURNAL_SERVER_SILENT: {
    retry: 'transient',
    exit: 7,
    when: 'The server of a journal gave no answer in time when it was asked where it is.',
    hint: 'is the server up, and reachable from the worker?',
  },
  JOURNAL_ALARM: {
    retry: 'never',
    exit: 3,
    when: 'A journal that is switched on does not keep up, or nobody keeps it.',
    hint: 'each journal says its reason; `lifeboat config validate` tries what a journal needs',
  },
} as const satisfies ErrorTable;
