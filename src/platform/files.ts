import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rename, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Writes a file so that a crash leaves the old one or the new one, whole and on the disk: a temporary neighbour is
 * written and synced, renamed over, and the rename itself is synced. `mode` defaults to 0600.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o600);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes renames, links and new names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  await syncFile(folder);
}

/** fsync of what was written to a file before, by whomever. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a new folder that only this user can enter (0700), below `parent` or the system's place for temporary files. */
export async function createPrivateFolder(name: string, parent = tmpdir()): Promise<string> {
  return mkdtemp(join(parent, `${name}-`));
}

/** Gives `work` a private folder and removes it with everything in it afterwards, whatever happens. */
export async function withPrivateFolder<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await createPrivateFolder(name);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes that this user may still write on the file system that holds `path`. */
export async function freeSpaceBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
