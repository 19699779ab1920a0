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
  STORE_KEY_CHANGED: {
    retry: 'transient',
    exit: 1,
    when: 'An object that was to be replaced is gone, or was replaced meanwhile by somebody else.',
    hint: 'another run changed it first; nothing was lost: run the command again',
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
    hint: 'does the worker own the directory, and is it mounted read-write? of an S3 store: may its credentials put and delete?',
  },
  STORE_LOCKED: {
    retry: 'after',
    exit: 8,
    when: 'The store keeps an object until its Object Lock, or a legal hold, is over.',
    hint: 'a cleanup after that time removes it; the facts say when. Nothing was lost',
  },
  STORE_DENIED: {
    retry: 'after',
    exit: 8,
    when: 'The store does not let this process read; of an S3 store: do what was asked.',
    hint: 'check owner and mode of the directory, or the rights of the credentials (docs/guides/s3.md lists them)',
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
    hint: 'put the directory on a file system with hard links (ext4, xfs, btrfs, zfs, NFS); an S3 store: see `lifeboat store doctor`',
  },
  STORE_URL_INVALID: {
    retry: 'never',
    exit: 2,
    when: 'A store URL is not one that this version can open.',
    hint: 'use file:./backups, /absolute/path, ./relative/path, s3://bucket/prefix?region=… or memory:',
  },
  STORE_UNKNOWN: {
    retry: 'never',
    exit: 2,
    when: 'A store is named that the configuration does not have.',
    hint: 'name one of `stores` in config/backup.json, or give a URL',
  },
  STORE_BUCKET_MISSING: {
    retry: 'after',
    exit: 5,
    when: 'The bucket of an S3 store does not exist. Buckets are not made by Lifeboat: Object Lock and versions are decided when one is made.',
    hint: 'is the name right, and the endpoint? make the bucket first: docs/guides/s3.md',
  },
  STORE_CREDENTIALS_REFUSED: {
    retry: 'after',
    exit: 8,
    when: 'An S3 store knows no such access key, or the secret is another one; or no credentials were found.',
    hint: 'are `credentials` of the store, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the worker, those of this server?',
  },
  STORE_CREDENTIALS_EXPIRED: {
    retry: 'after',
    exit: 8,
    when: 'The session of temporary credentials is over.',
    hint: 'get new ones (`aws sso login`, or a new session token) where the worker runs; then start again',
  },
  STORE_CLOCK_SKEWED: {
    retry: 'after',
    exit: 7,
    when: 'The clocks of this host and of an S3 server are too far apart for signatures.',
    hint: 'is the time of this host right? `timedatectl` shows whether it follows a time server',
  },
  STORE_REGION_WRONG: {
    retry: 'never',
    exit: 2,
    when: 'The bucket lies in another region than the one in the URL of the store.',
    hint: 'set ?region=… of the store to the region of the bucket',
  },
  STORE_UNREACHABLE: {
    retry: 'transient',
    exit: 7,
    when: 'An S3 server does not answer: no connection, no name, no valid certificate, or nothing moves any more. It was tried several times.',
    hint: 'is the endpoint right and reachable from the worker? the cause names what the network said',
  },
  STORE_BUSY: {
    retry: 'transient',
    exit: 7,
    when: 'An S3 server answered that it is overloaded or broken (503 SlowDown, 500), also after several tries, or another write was in the way.',
    hint: 'the operation tries again by itself; if it stays, lower `rateLimit` of the store or `worker.dataSlots`',
  },
  STORE_DATA_DAMAGED: {
    retry: 'transient',
    exit: 4,
    when: 'Bytes arrived with another checksum than they were sent with.',
    hint: 'if it happens again, look at proxies between the worker and the store, and at memory',
  },
  STORE_REQUEST_REFUSED: {
    retry: 'never',
    exit: 1,
    when: 'An S3 server refused a request for a reason of its own; the facts hold its code.',
    hint: '`lifeboat store doctor` shows what the store can do',
  },
  STORE_NOT_CONDITIONAL: {
    retry: 'never',
    exit: 2,
    when: 'A store overwrites where it was told to write only what is not there. Two writers could then both believe that they were first.',
    hint: 'it can hold copies, but not be the primary: use a store with conditional writes (docs/guides/s3.md)',
  },
} as const satisfies ErrorTable;
