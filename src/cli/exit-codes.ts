/** Every exit code of the command line; programs rely on them. Errors carry theirs in domain/errors.ts. */
export const EXIT_CODES = {
  0: 'done',
  1: 'failed',
  2: 'usage or configuration',
  3: 'partly done: some target, component or step failed; each is named',
  4: 'integrity: something is damaged, missing or not what was signed',
  5: 'not found',
  6: 'busy: another operation holds the group',
  7: 'unreachable: Temporal, a database or a store',
  8: 'denied: role or approval',
  126: 'trouble of `wal fetch`, which a server must not take for the end of the journal',
  130: 'interrupted; the workflow goes on',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

/** Codes that any command can end with; a command's own list adds to them. */
export const COMMON_EXITS: readonly ExitCode[] = [0, 1, 2];
