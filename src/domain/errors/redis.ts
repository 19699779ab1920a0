import type { ErrorTable } from './rule.ts';

/** Errors of the `redis` folder. */
export const REDIS_ERRORS = {} as const satisfies ErrorTable;
