import type { ErrorTable } from './rule.ts';

/** Errors of copies at targets. */
export const TARGETS_ERRORS = {
  TARGET_UNKNOWN: {
    retry: 'never',
    exit: 2,
    when: 'A name is not that of a configured target.',
    hint: '`lifeboat replication status` names the targets; they come from storage.remoteStorage and crossRegion.regions',
  },
  TARGET_BUSY: {
    retry: 'after',
    exit: 6,
    when: 'Another copy to the same target goes on; the run tries again by itself.',
    hint: 'nothing is to be done: the copy that goes on brings what is missing, too',
  },
  TARGET_TURN_LOST: {
    retry: 'transient',
    exit: 6,
    when: 'A copy to a target, or a cleanup there, could not say in time that it goes on, or another process has taken its turn.',
    hint: 'does the target answer slowly, or did this machine sleep? The run is tried again by itself and goes on from what is there',
  },
  TARGET_FOREIGN: {
    retry: 'never',
    exit: 2,
    when: 'The place of a target holds another repository than the one that is to be copied.',
    hint: 'was the repository begun anew? Give the target an empty bucket, folder or prefix; nothing there was changed',
  },
  TARGET_ONLY_COPY: {
    retry: 'transient',
    exit: 4,
    when: 'The repository itself cannot be read, so that a target may hold the only copies: nothing is removed there.',
    hint: 'is the volume mounted, the bucket the right one? Targets are cleaned up again once the repository can be read',
  },
  REPOSITORY_LOST: {
    retry: 'after',
    exit: 4,
    when: 'The store holds no repository any more, and a target has copies of one: no journal, cleanup or copy begins anew in its place by itself.',
    hint: 'is the volume mounted, the bucket the right one? Else restore first, which reads the target: docs/guides/copies.md says how to go on',
  },
  TARGET_COPY_WRONG: {
    retry: 'transient',
    exit: 4,
    when: 'An object that was just copied reads back from the target with another size or digest.',
    hint: 'does the store keep what it accepts? `lifeboat store doctor` asks it; the copy is tried again',
  },
  TARGET_FAILED: {
    retry: 'never',
    exit: 3,
    when: 'Some target did not get its copies, or a backup could not be copied.',
    hint: 'each failure is named; run `lifeboat replication sync` again once the target is back',
  },
} as const satisfies ErrorTable;
