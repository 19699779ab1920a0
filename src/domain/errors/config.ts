import type { ErrorTable } from './rule.ts';

/** Errors of the `config` folder. */
export const CONFIG_ERRORS = {} as const satisfies ErrorTable;
