import type { ErrorTable } from './rule.ts';

/** Errors of the `redis` folder. */
export const REDIS_ERRORS = {
  REDIS_UNREACHABLE: {
    retry: 'after',
    exit: 7,
    when: 'No connection to the Redis server could be opened: wrong address, server down, network or too many clients.',
    hint: 'is the server up and does REDIS_URL name its host and port? try `redis-cli -u $REDIS_URL ping`',
  },
  REDIS_TLS_FAILED: {
    retry: 'never',
    exit: 7,
    when: 'The TLS handshake with Redis did not succeed: unknown certificate, wrong name, or a server without TLS.',
    hint: 'does `caPath` hold the authority that signed the server certificate, and is the host name in it?',
  },
  REDIS_AUTH_FAILED: {
    retry: 'never',
    exit: 8,
    when: 'Redis did not accept the user or the password, or wants one and none is configured.',
    hint: 'check user and password of REDIS_URL; an ACL user needs both',
  },
  REDIS_PERMISSION_DENIED: {
    retry: 'never',
    exit: 8,
    when: 'The ACL of the Redis user lacks a command or a key pattern that the operation needs.',
    hint: 'grant it: docs/reference/permissions.md lists the smallest ACL for backup and for restore',
  },
  REDIS_CONNECTION_LOST: {
    retry: 'transient',
    exit: 1,
    when: 'The connection to Redis ended before the answer or the snapshot was complete.',
    hint: 'did the server restart, or drop us by client-output-buffer-limit? its log says why',
  },
  REDIS_TIMEOUT: {
    retry: 'transient',
    exit: 1,
    when: 'Redis kept the connection open but sent nothing for the allowed time.',
    hint: 'is a slow command or a script blocking it? see `redis-cli slowlog get` and `redis-cli info commandstats`',
  },
  REDIS_NOT_READY: {
    retry: 'transient',
    exit: 1,
    when: 'Redis answers but cannot serve now: it is loading, busy with a script, or a replica without its master.',
    hint: 'wait until `redis-cli info persistence` says loading:0 and `info replication` says master_link_status:up',
  },
  REDIS_REPLY_ERROR: {
    retry: 'never',
    exit: 1,
    when: 'Redis refused a command with an error that no other code describes.',
    hint: 'the details name the command and the error as the server gave it',
  },
  REDIS_PROTOCOL_ERROR: {
    retry: 'transient',
    exit: 1,
    when: 'The server sent bytes that are not the Redis protocol.',
    hint: 'is the port really Redis, without TLS when the URL says redis://, and is no proxy between that alters it?',
  },
  REDIS_OUT_OF_MEMORY: {
    retry: 'after',
    exit: 1,
    when: 'Redis reached maxmemory, so a write was refused.',
    hint: 'raise maxmemory of the target above the used_memory of the source, then start again',
  },
  REDIS_READ_ONLY: {
    retry: 'never',
    exit: 1,
    when: 'The target does not take writes: it is a replica or has too few replicas.',
    hint: 'name the master as target',
  },
  REDIS_REPLICATION_REFUSED: {
    retry: 'never',
    exit: 1,
    when: 'The server does not let us read a snapshot by replication (PSYNC unknown, renamed or forbidden).',
    hint: 'set redis.method to `dump`, or grant +psync +replconf +ping',
  },
  REDIS_NOT_EMPTY: {
    retry: 'never',
    exit: 1,
    when: 'The target of a restore holds keys or functions and replacing them was not asked for.',
    hint: 'restore with --drop-existing, or name an empty server by --target-redis',
  },
  REDIS_TARGET_IS_REPLICA: {
    retry: 'never',
    exit: 1,
    when: 'The target of a restore replicates from another server, so what we load would be thrown away.',
    hint: 'name its master as target, or detach it first with REPLICAOF NO ONE',
  },
  REDIS_TARGET_CHANGED: {
    retry: 'never',
    exit: 1,
    when: 'Something else wrote to the target or changed its replication while the restore was loading it.',
    hint: 'stop the clients of the target and whatever manages its replication (Sentinel, an operator), then restore again',
  },
  REDIS_IMPORT_IMPOSSIBLE: {
    retry: 'never',
    exit: 1,
    when: 'The chosen way of loading cannot work with this target and this snapshot.',
    hint: 'restore with redis.restoreMethod `auto`, or name a target of at least the version of the source',
  },
  RDB_TRUNCATED: {
    retry: 'never',
    exit: 4,
    when: 'An RDB snapshot ends before its end mark.',
    hint: 'take another backup; `lifeboat verify` tells which stored ones are whole',
  },
  RDB_MALFORMED: {
    retry: 'never',
    exit: 4,
    when: 'The bytes of an RDB snapshot do not follow the format.',
    hint: 'is it an RDB file? `redis-check-rdb FILE` gives a second opinion',
  },
  RDB_CHECKSUM_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'The CRC64 at the end of an RDB snapshot is not that of its bytes.',
    hint: 'the bytes changed after Redis wrote them: check memory, disk and network, and take another backup',
  },
  RDB_TYPE_UNKNOWN: {
    retry: 'never',
    exit: 1,
    when: 'An RDB snapshot holds a record type this version of Lifeboat does not know, from a newer server or a module.',
    hint: 'set redis.method to `dump`, which copies values as they are, or use a newer Lifeboat',
  },
} as const satisfies ErrorTable;
