import type { ErrorTable } from './rule.ts';

/** Errors of the `storage` folder. */
export const STORAGE_ERRORS = {} as const satisfies ErrorTable;
