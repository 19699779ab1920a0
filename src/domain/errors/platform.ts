import type { ErrorTable } from './rule.ts';

/** Errors of the `platform` folder. */
export const PLATFORM_ERRORS = {} as const satisfies ErrorTable;
