import type { ErrorTable } from './rule.ts';

/** Errors of the `platform` folder. */
export const PLATFORM_ERRORS = {
  TOOL_MISSING: {
    retry: 'after',
    exit: 2,
    when: 'A program that is needed was not found, or may not be executed.',
    hint: 'is it installed, and is its folder on PATH or named in the configuration?',
  },
  PROCESS_NOT_STARTED: {
    retry: 'transient',
    exit: 1,
    when: 'The operating system refused to start a process.',
    hint: 'does the working folder exist, and is a limit on processes or open files reached (ulimit -u, ulimit -n)?',
  },
  PROCESS_OUTPUT_TOO_LARGE: {
    retry: 'never',
    exit: 1,
    when: 'A helper program printed more than it may; it was ended instead of filling the memory.',
    hint: 'run the program by hand and look at what it prints',
  },
  LOCK_HELD: {
    retry: 'after',
    exit: 6,
    when: 'Another Lifeboat process on this host did the same work and did not finish in time.',
    hint: 'is another `lifeboat up`, `npm run demo` or `npm test` still running?',
  },
} as const satisfies ErrorTable;
