import type { ErrorTable } from './rule.ts';

/** Errors of operations as a whole: locks, Temporal, cancellation, stalls. */
export const OPERATION_ERRORS = {
  GROUP_BUSY: {
    retry: 'never',
    exit: 6,
    when: 'Another backup, restore, cleanup or plan run holds the recovery group.',
    hint: 'wait for it with `lifeboat attach ID`, or stop it with `lifeboat cancel ID --reason …`',
  },
  WORKER_IN_USE: {
    retry: 'never',
    exit: 6,
    when: 'The local worker runs with another configuration or version, and an operation is under way on it.',
    hint: 'wait for the operation or cancel it; `lifeboat down` ends the worker, and the operation goes on with the next one',
  },
  OPERATION_CANCELLED: {
    retry: 'never',
    exit: 1,
    when: 'A person or a parent workflow cancelled the operation.',
    hint: 'nothing is listed that is not complete; start it again when you are ready',
  },
  OPERATION_STALLED: {
    retry: 'transient',
    exit: 1,
    when: 'No byte moved for the stall limit, so the attempt was ended.',
    hint: 'is the database locked, the network down or the disk hanging?',
  },
  OPERATION_TIMED_OUT: {
    retry: 'never',
    exit: 1,
    when: 'An operation used up the time it may take over all attempts.',
    hint: 'look at the pending activity in the Temporal Web UI: its last failure says why',
  },
  OPERATION_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'No operation with this workflow id is known to Temporal, or it runs no more.',
    hint: 'list what runs with `lifeboat status`',
  },
  BACKUP_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: 'A verification found something damaged, missing or not what was signed.',
    hint: 'restore from another backup, take a new full one now, and find out what changed the store',
  },
  TEMPORAL_UNREACHABLE: {
    retry: 'after',
    exit: 7,
    when: 'The Temporal server did not answer at the configured address.',
    hint: 'start the local one with `lifeboat up`, or set TEMPORAL_ADDRESS; `lifeboat rescue` works without it',
  },
  WORKER_MISSING: {
    retry: 'after',
    exit: 7,
    when: 'Temporal answers, but no worker polls the task queue of this group.',
    hint: 'start one with `lifeboat worker`, or the local stack with `lifeboat up`',
  },
  INTERNAL: {
    retry: 'transient',
    exit: 1,
    when: 'An error that no other code describes: a defect in Lifeboat.',
    hint: 'run the command again with LIFEBOAT_LOG_LEVEL=debug and report what it prints',
  },
} as const satisfies ErrorTable;
