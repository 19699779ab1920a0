import type { ErrorTable } from './rule.ts';

/** Errors of the `embedded` folder. */
export const EMBEDDED_ERRORS = {
  SERVER_NOT_STARTED: {
    retry: 'transient',
    exit: 1,
    when: 'A local server (PostgreSQL, Redis, Temporal or the worker) ended or did not answer after it was started.',
    hint: 'its last lines are in the message; the whole log is under .lifeboat/logs',
  },
  NO_UNPRIVILEGED_USER: {
    retry: 'never',
    exit: 2,
    when: 'PostgreSQL needs an account with a name: as root `postgres` or `nobody` in /etc/passwd, else the one that runs Lifeboat.',
    hint: 'add one with `useradd --system postgres`, or run as an ordinary user',
  },
  PROVISION_UNSUPPORTED: {
    retry: 'never',
    exit: 2,
    when: 'No ready-made build of a needed program exists for this machine.',
    hint: 'install the program yourself and put it on PATH',
  },
  PROVISION_FAILED: {
    retry: 'after',
    exit: 1,
    when: 'A needed program could not be downloaded or unpacked into .lifeboat.',
    hint: 'is the package index reachable (proxy, PIP_INDEX_URL), and is there space on the disk?',
  },
  PLACE_UNTRUSTED: {
    retry: 'never',
    exit: 2,
    when: 'The folder for server programs and data exists already, and another user owns it or may write to it.',
    hint: 'look at what is in it, and remove it if it is not needed',
  },
  STACK_STATE_INVALID: {
    retry: 'never',
    exit: 1,
    when: 'The file that remembers the processes of the local stack cannot be understood.',
    hint: 'end the processes it names by hand, then remove the file',
  },
  STACK_NOT_STOPPED: {
    retry: 'transient',
    exit: 1,
    when: 'A process of the local stack still runs after SIGKILL.',
    hint: 'does it hang in the kernel (state D in `ps`)? Is a disk or network mount dead?',
  },
} as const satisfies ErrorTable;
