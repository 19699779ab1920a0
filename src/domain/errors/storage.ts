import type { ErrorTable } from './rule.ts';

/** Errors of the `storage` folder. */
export const STORAGE_ERRORS = {
  STORE_KEY_INVALID: {
    retry: 'never',
    exit: 1,
    when: 'A key is not made of `/`-separated segments of `[A-Za-z0-9._-]+`, or one object would lie inside another.',
    hint: 'keys are made by Lifeboat itself: was the store changed by hand, or is a name in the request odd?',
  },
  STORE_KEY_EXISTS: {
    retry: 'never',
    exit: 1,
    when: 'An object that may be written once only is there already.',
    hint: 'did another worker write it first? Nothing was changed',
  },
  STORE_KEY_MISSING: {
    retry: 'never',
    exit: 5,
    when: 'There is no object under the key.',
    hint: 'is this the right store, and was the object removed? `lifeboat backup verify` names what is missing',
  },
  STORE_FULL: {
    retry: 'after',
    exit: 1,
    when: 'The store has no space left, or a quota is used up.',
    hint: 'free space or raise the quota; `lifeboat backup cleanup --dry-run` shows what retention would remove',
  },
  STORE_READ_ONLY: {
    retry: 'after',
    exit: 8,
    when: 'The store may be read but not written by this process.',
    hint: 'does the worker own the directory, and is it mounted read-write?',
  },
  STORE_DENIED: {
    retry: 'after',
    exit: 8,
    when: 'The store does not let this process read.',
    hint: 'check owner and mode of the directory, or the rights of the credentials',
  },
  STORE_READ_SHORT: {
    retry: 'transient',
    exit: 4,
    when: 'A read ended before the size the store had announced.',
    hint: 'was the object replaced or cut while it was read?',
  },
  STORE_IO: {
    retry: 'transient',
    exit: 7,
    when: 'The store answered with an error that is not one of the others: a disk error, a stale mount.',
    hint: 'look at the kernel log and the mount; the cause names the system error',
  },
  STORE_UNSUPPORTED: {
    retry: 'never',
    exit: 2,
    when: 'The store cannot do what backups rely on: a file system without hard links, for an atomic first write.',
    hint: 'put the directory on a file system with hard links (ext4, xfs, btrfs, zfs, NFS)',
  },
  STORE_URL_INVALID: {
    retry: 'never',
    exit: 2,
    when: 'A store URL is not one that this version can open.',
    hint: 'use file:./backups, /absolute/path, ./relative/path or memory:',
  },
} as const satisfies ErrorTable;
