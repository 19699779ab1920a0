import type { ErrorTable } from './rule.ts';

/** Errors of the `services` folder: the programs that are stopped around a restore. */
export const SERVICE_ERRORS = {
  SERVICE_COMMAND_FAILED: {
    retry: 'transient',
    exit: 1,
    when: 'A configured stop or start command exited with a code other than 0.',
    hint: 'what does the command say when you run it by hand, as the same user?',
  },
  SERVICE_COMMAND_TIMED_OUT: {
    retry: 'transient',
    exit: 1,
    when: 'A configured stop or start command did not end within its timeout and was ended.',
    hint: 'does the service hang while stopping? raise services[].timeout if it only needs longer',
  },
  SERVICE_UNKNOWN: {
    retry: 'never',
    exit: 2,
    when: 'A service is named that the configuration does not have.',
    hint: 'the names are those of services[] in the configuration: `lifeboat config show`',
  },
  ENDPOINT_UNKNOWN: {
    retry: 'never',
    exit: 2,
    when: 'An endpoint is named that the configuration does not have.',
    hint: 'the names are those of endpoints[] in the configuration: `lifeboat config show`',
  },
  ENDPOINT_NOT_REPOINTED: {
    retry: 'after',
    exit: 1,
    when: 'An endpoint was not led to another region: its command failed, or what answers through it is still another server.',
    hint: 'what do `apply` and `verify` of that endpoint say when you run them by hand, as the same user?',
  },
} as const satisfies ErrorTable;
