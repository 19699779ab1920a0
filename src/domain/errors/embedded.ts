import type { ErrorTable } from './rule.ts';

/** Errors of the `embedded` folder. */
export const EMBEDDED_ERRORS = {} as const satisfies ErrorTable;
