import type { ErrorTable } from './rule.ts';

/** What is asked for and what the configuration or the server allows do not fit. */
export const SOURCE_ERRORS = {
  SOURCE_NOT_CONFIGURED: {
    retry: 'never',
    exit: 2,
    when: 'A component is asked for, but the configuration of the worker names no server for it.',
    hint: 'set DATABASE_URL or REDIS_URL (or postgres.url, redis.url) and look at `lifeboat config show`',
  },
  SOURCE_METHOD_UNAVAILABLE: {
    retry: 'never',
    exit: 2,
    when: 'redis.method asks for a way of copying that the server or its user does not allow.',
    hint: 'give the user +psync +replconf, or set redis.method to auto',
  },
} as const satisfies ErrorTable;
