import type { ErrorTable } from './rule.ts';

/** Errors of the `repository` folder. */
export const REPOSITORY_ERRORS = {} as const satisfies ErrorTable;
