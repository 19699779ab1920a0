import type { Stats } from 'node:fs';
import { basename } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { withLock } from '../platform/lock.ts';
import { statOf } from './local-list.ts';

/** Every write makes a new file, so that number and times of an inode tell one from the next. */
export function versionOf({ ino, ctimeMs, size }: Stats): string {
  return `${ino}-${ctimeMs}-${size}`;
}

/**
 * Runs `write` while the file is of this version, and nobody else on this host replaces one. A file system knows no such condition by
 * itself: two hosts that share a directory are kept apart by Temporal, where one run at a time has the name.
 * @throws LifeboatError STORE_KEY_CHANGED
 */
export async function replaceVersion(path: string, version: string, write: () => Promise<number>): Promise<number> {
  return withLock(path, async () => {
    const found = await statOf(path);
    if (found !== undefined && versionOf(found) === version) return write();
    const what = found === undefined ? 'gone' : 'not the version that was read';
    throw new LifeboatError('STORE_KEY_CHANGED', `put ${basename(path)}: ${what}`);
  });
}
