import type { ErrorTable } from './rule.ts';

/** Errors of `redis/values` and `redis/dump`. */
export const REDIS_VALUES_ERRORS = {
  REDIS_VALUE_CORRUPT: {
    retry: 'never',
    exit: 4,
    when: 'The serialized value of a key does not follow the encoding that its type byte announces.',
    hint: 'is another copy of this backup sound? `lifeboat backup verify` names what is damaged',
  },
  REDIS_VALUE_TYPE_UNKNOWN: {
    retry: 'never',
    exit: 1,
    when: 'A key has a type that this version of Lifeboat cannot read: a newer Redis, a release candidate, or Valkey.',
    hint: 'restore it with the native RDB file into a server of the same version',
  },
  REDIS_DUMP_FORMAT: {
    retry: 'never',
    exit: 4,
    when: 'A redis-dump stream does not begin or continue as docs/repository-format.md says.',
    hint: 'was it written by a newer Lifeboat?',
  },
  REDIS_DUMP_TRUNCATED: {
    retry: 'never',
    exit: 4,
    when: 'A redis-dump stream ends before its trailer.',
    hint: 'is another copy of this backup sound? `lifeboat backup verify` names what is damaged',
  },
  REDIS_DUMP_CHECKSUM: {
    retry: 'never',
    exit: 4,
    when: 'The counts or a checksum of a redis-dump stream do not match what was read.',
    hint: 'is another copy of this backup sound? `lifeboat backup verify` names what is damaged',
  },
  REDIS_KEY_CHANGING: {
    retry: 'transient',
    exit: 6,
    when: 'The expiry of one key changed each time its value was read.',
    hint: 'take the backup by replication, which reads one instant',
  },
  REDIS_KEY_EXISTS: {
    retry: 'never',
    exit: 6,
    when: 'A key to be restored exists on the target and replacing was not allowed.',
    hint: 'restore with --drop-existing, or into an empty Redis',
  },
  REDIS_PAYLOAD_REFUSED: {
    retry: 'never',
    exit: 1,
    when: 'The target refused the payload of a key: its version is older than the source, or a module is missing.',
    hint: 'is the target as new as the source, with the same modules?',
  },
} as const satisfies ErrorTable;
