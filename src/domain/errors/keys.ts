import type { ErrorTable } from './rule.ts';

/** Errors of changing keys: rotation, wrapping again, retirement. */
export const KEYS_ERRORS = {
  KEY_ONLY_OPENS: {
    retry: 'never',
    exit: 2,
    when: 'An escrow key is configured as the keyring: it opens what was wrapped for it and cannot wrap.',
    hint: 'use it with `lifeboat rescue` and `lifeboat key verify --key`; make a new keyring with `lifeboat key generate` for new backups',
  },
  KEY_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'The keyring holds no key with this id.',
    hint: 'see its ids with `lifeboat key list`',
  },
  KEY_IN_USE: {
    retry: 'never',
    exit: 2,
    when: 'A key that is active, or that some data key still needs, would be retired.',
    hint: 'make another one active with `lifeboat key rotate`, then wrap everything for it with `lifeboat key rewrap`',
  },
  KEY_NOT_ACTIVE: {
    retry: 'never',
    exit: 1,
    when: 'While data keys were wrapped again, another key became active, or workers have different keyrings.',
    hint: 'give every worker the same keyring, then run `lifeboat key rewrap` again',
  },
  KEY_FILE_READ_ONLY: {
    retry: 'never',
    exit: 2,
    when: 'The keyring file, or its folder, cannot be written.',
    hint: 'run this as the user that owns the keyring, where it may be written; nothing was changed',
  },
  KEYS_NOT_OPENED: {
    retry: 'never',
    exit: 4,
    when: 'Some data keys were not opened by the keyring: missing, damaged, or wrapped by a key that is not there.',
    hint: 'is a key of earlier days in another copy of the keyring? Each problem names the key that wrapped it',
  },
} as const satisfies ErrorTable;
