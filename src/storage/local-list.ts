import type { Dirent, Stats } from 'node:fs';
import { opendir, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSystem, systemCode } from './file-system-errors.ts';
import { temporaryName } from './local-write.ts';
import { isKeySegment } from './object-key.ts';
import type { ObjectHead } from './object-store.ts';

interface Entry {
  /** Key of a file; of a folder the beginning of its keys, with its `/`. */
  readonly key: string;
  readonly folder: boolean;
}

/** Everything under a string prefix in key order, one folder in memory at a time. */
export async function* listFiles(root: string, prefix: string): AsyncGenerator<ObjectHead> {
  const folderPrefix = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  for (const entry of await entriesOf(root, folderPrefix)) {
    if (!entry.key.startsWith(prefix)) continue;
    if (entry.folder) yield* listFiles(root, entry.key);
    else yield* headOf(root, entry.key);
  }
}

export async function* listFolders(root: string, prefix: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(root, prefix)) {
    if (entry.folder && (await holdsFile(join(root, entry.key)))) yield entry.key.slice(prefix.length, -1);
  }
}

/** A writer that died may have left a folder without any object: nobody else's store would show it. Stops at the first file. */
async function holdsFile(folder: string): Promise<boolean> {
  try {
    for await (const entry of await opendir(folder)) {
      if (!isKeySegment(entry.name)) continue;
      if (!entry.isDirectory() || (await holdsFile(join(folder, entry.name)))) return true;
    }
    return false;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return false;
    return fileSystem('read', `list ${folder}`, () => Promise.reject(error));
  }
}

/** Removes temporary files under the prefix that nobody has written to for that long. */
export async function removeTemporaryFiles(root: string, prefix: string, olderThanMs: number): Promise<number> {
  let removed = 0;
  const folderPrefix = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  for (const entry of await readFolder(root, folderPrefix)) {
    const key = folderPrefix + entry.name;
    if (entry.isDirectory() && `${key}/`.startsWith(prefix)) {
      removed += await removeTemporaryFiles(root, `${key}/`, olderThanMs);
    } else if (temporaryName(entry.name) && key.startsWith(prefix)) {
      removed += await removeIfOlder(join(root, key), olderThanMs);
    }
  }
  return removed;
}

async function removeIfOlder(path: string, olderThanMs: number): Promise<number> {
  const found = await statOf(path);
  if (found === undefined || found.mtimeMs > Date.now() - olderThanMs) return 0;
  await fileSystem('write', `remove ${path}`, () => unlink(path));
  return 1;
}

/** A folder sorts as the keys in it do: with its `/`, which stands between `.` and `0`. */
async function entriesOf(root: string, folderPrefix: string): Promise<Entry[]> {
  const entries = await readFolder(root, folderPrefix);
  return entries
    .filter((entry) => isKeySegment(entry.name))
    .map((entry) => ({ folder: entry.isDirectory(), name: entry.name }))
    .map(({ folder, name }) => ({ folder, key: `${folderPrefix}${name}${folder ? '/' : ''}` }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

async function readFolder(root: string, folderPrefix: string): Promise<Dirent[]> {
  try {
    return await readdir(join(root, folderPrefix), { withFileTypes: true });
  } catch (error) {
    // No such folder is an empty one: nothing was ever written there, or it was removed while we listed.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    return fileSystem('read', `list ${folderPrefix}`, () => Promise.reject(error));
  }
}

async function* headOf(root: string, key: string): AsyncGenerator<ObjectHead> {
  const found = await statOf(join(root, key));
  if (found?.isFile() === true) yield { key, sizeBytes: found.size, modifiedAt: found.mtime };
}

/** Undefined where the file is not there, also when it went away a moment ago. */
export async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return undefined;
    return fileSystem('read', `head ${path}`, () => Promise.reject(error));
  }
}
