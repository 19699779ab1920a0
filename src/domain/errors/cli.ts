import type { ErrorTable } from './rule.ts';

/** Errors of the command line itself. */
export const CLI_ERRORS = {
  USAGE_INVALID: {
    retry: 'never',
    exit: 2,
    when: 'A command, an option or an argument is unknown, missing, or has a value that cannot be used.',
    hint: 'see the command with --help',
  },
  USAGE_AMBIGUOUS: {
    retry: 'never',
    exit: 2,
    when: 'npm took the options for itself and left values whose option cannot be told; acting on a guess could hit the wrong database.',
    hint: 'put -- in front of the command, as in `npm run backup:cli -- restore latest --drop-existing`',
  },
  TIME_INVALID: {
    retry: 'never',
    exit: 2,
    when: 'A time is neither ISO 8601 with an offset nor of the form now-15m.',
    hint: 'write it like 2024-01-15T10:30:00Z, 2024-01-15T10:30:00+01:00 or now-15m',
  },
  TIME_WITHOUT_OFFSET: {
    retry: 'never',
    exit: 2,
    when: 'A time has no offset, so it could mean two instants; both readings are named.',
    hint: 'add Z for UTC, or an offset such as +01:00',
  },
  CONFIRMATION_MISSING: {
    retry: 'never',
    exit: 2,
    when: 'A destructive command needs a yes, and there is no terminal to ask on.',
    hint: 'look at the plan with --dry-run, then add --yes',
  },
  DEMO_DIFFERS: {
    retry: 'never',
    exit: 1,
    when: 'The demo read its databases after the restore, and something is not as it was before the disaster; or the disaster was not seen.',
    hint: 'this is a defect: run it again with --keep to look at both databases, and report it',
  },
  DEMO_JOURNAL_LATE: {
    retry: 'transient',
    exit: 1,
    when: 'A minute after a write the demo did not see it confirmed by the journals.',
    hint: 'does the worker run? `npm run demo -- --keep` leaves all of it up, with its log, to be looked at',
  },
  INTERRUPTED: {
    retry: 'after',
    exit: 130,
    when: 'The command line was interrupted while it waited; the operation itself goes on.',
    hint: 'follow it with `lifeboat attach ID`, or stop it with `lifeboat cancel ID --reason …`',
  },
} as const satisfies ErrorTable;
