import type { ErrorTable } from './rule.ts';

/** Errors of the `postgres` folder. */
export const POSTGRES_ERRORS = {} as const satisfies ErrorTable;
