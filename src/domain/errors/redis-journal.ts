import type { ErrorTable } from './rule.ts';

/** Errors of `redis/journal` and `redis/scratch`. */
export const REDIS_JOURNAL_ERRORS = {
  REDIS_SPILL_FULL: {
    retry: 'transient',
    exit: 1,
    when: 'The Redis stream came faster than it was stored until the local spill file was full, or its disk took no more.',
    hint: 'was the repository unreachable? the journal goes on where it was when it is back; give the spill file more room',
  },
  REDIS_STREAM_DAMAGED: {
    retry: 'never',
    exit: 4,
    when: 'Stored bytes of a Redis stream are not the commands that a server sent, or do not reach the wanted end.',
    hint: '`lifeboat backup verify` names what is damaged; an earlier target, or the next full backup, is not concerned',
  },
  REDIS_SCRATCH_NOT_STARTED: {
    retry: 'never',
    exit: 1,
    when: 'The redis-server that works on a copy on this machine ended, or was not ready in time.',
    hint: 'the details hold what it said last; is it at least of the version of the source?',
  },
} as const satisfies ErrorTable;
