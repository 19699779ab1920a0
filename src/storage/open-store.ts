import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LifeboatError } from '../domain/errors.ts';
import { createLocalStore } from './local-store.ts';
import { createMemoryStore } from './memory-store.ts';
import type { ObjectStore } from './object-store.ts';
import { createS3Store } from './s3-store.ts';
import type { S3Options } from './s3/s3-location.ts';

/**
 * The store of a URL: `file:./backups`, `file:///var/backups`, `/var/backups`, `./backups`, `s3://bucket/prefix?region=…`,
 * `memory:`. Relative paths start at `base` (default: the working directory). STORE_URL_INVALID for everything else.
 */
export function openStore(url: string, base = '.', s3: S3Options = {}): ObjectStore {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
      return localStore(url, base);
    case 'file':
      return localStore(url.startsWith('file://') ? pathOfFileUrl(url) : url.slice('file:'.length), base);
    case 's3':
      return createS3Store(url, s3);
    case 'memory':
      return createMemoryStore();
    default:
      // The rest of the URL may hold credentials.
      throw new LifeboatError('STORE_URL_INVALID', `open store: scheme ${scheme}: unknown`, { details: { scheme } });
  }
}

function localStore(path: string, base: string): ObjectStore {
  if (path.trim() === '') throw new LifeboatError('STORE_URL_INVALID', 'open store: no path');
  return createLocalStore({ root: resolve(base, path) });
}

function pathOfFileUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new LifeboatError('STORE_URL_INVALID', 'open store: not a local file URL', { cause: error });
  }
}
