import { LifeboatError } from '../../domain/errors.ts';

/** What a client sees as the type of a key. */
export type LogicalType = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream' | 'module';

/**
 * Type bytes of RDB files and DUMP payloads up to RDB 12 (rdb.h of Redis 8.0). Left out on purpose, and so refused:
 * 6, 22 and 23 (release candidates only), 9 (zipmap, last written by Redis 2.4), 26 and up (Redis 8.6 and later),
 * and the numbers that Valkey 9 gives another meaning.
 */
const LOGICAL_TYPES: Readonly<Record<number, LogicalType>> = {
  0: 'string',
  1: 'list',
  2: 'set',
  3: 'zset',
  4: 'hash',
  5: 'zset',
  7: 'module',
  10: 'list',
  11: 'set',
  12: 'zset',
  13: 'hash',
  14: 'list',
  15: 'stream',
  16: 'hash',
  17: 'zset',
  18: 'list',
  19: 'stream',
  20: 'set',
  21: 'stream',
  24: 'hash',
  25: 'hash',
};

/** Throws REDIS_VALUE_TYPE_UNKNOWN for a type byte that is not read here. */
export function logicalType(type: number): LogicalType {
  return LOGICAL_TYPES[type] ?? refuseType(type);
}

/** The `default` of a decoder's switch: the type is none of its encodings. */
export function refuseType(type: number): never {
  throw new LifeboatError('REDIS_VALUE_TYPE_UNKNOWN', `read redis value: type ${type}: not known`, {
    details: { type },
  });
}
