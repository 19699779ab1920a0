import type { ErrorTable } from './rule.ts';

/** Errors of `redis/digests`: incremental copies of a Redis that does not let us replicate. */
export const REDIS_DIGESTS_ERRORS = {
  REDIS_INDEX_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: 'A digest index or a list of deleted keys does not follow its format, or its counts and checksum do not match.',
    hint: '`lifeboat backup verify` names what is damaged; the full backup before it is not concerned',
  },
  REDIS_CHAIN_BROKEN: {
    retry: 'never',
    exit: 4,
    when: 'A backup that an incremental copy of Redis takes values from is missing, or does not hold what the index says.',
    hint: 'bring the missing backup back from a copy of the repository, or restore the full backup or an earlier incremental one',
  },
  REDIS_SCRATCH_FAILED: {
    retry: 'transient',
    exit: 1,
    when: 'The file in which digests of keys are sorted could not be written or read back.',
    hint: 'is there room below LIFEBOAT_HOME? it takes about 100 bytes and twice the name of each key',
  },
} as const satisfies ErrorTable;
