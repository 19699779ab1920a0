import { rmdir, statfs, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LifeboatError } from '../domain/errors.ts';
import { fileSystem, systemCode } from './file-system-errors.ts';
import { listFiles, listFolders, removeTemporaryFiles, statOf } from './local-list.ts';
import { readFileStream } from './local-read.ts';
import { replaceVersion, versionOf } from './local-replace.ts';
import { isThere, makeFolder, pathOf, syncFolder, writeFileDurably } from './local-write.ts';
import { requireKey, requirePrefix } from './object-key.ts';
import type { ObjectHead, ObjectStore, PutOptions } from './object-store.ts';

/**
 * A directory as a store; made when the first object is written, and not again after that: one that disappears is a volume
 * that was unmounted, and what is written in its place would be lost. Several processes may use it at once.
 */
export function createLocalStore(options: { readonly root: string }): ObjectStore {
  const root = resolve(options.root);
  let seen = false;
  return {
    url: pathToFileURL(root).href,

    async put(key, body, putOptions: PutOptions = {}) {
      const path = pathOf(root, requireKey(key));
      const chunks = body instanceof Uint8Array ? once(body) : body;
      seen ||= await isThere(root);
      const write = async (): Promise<number> =>
        writeFileDurably(path, chunks, { ...putOptions, floor: seen ? root : undefined });
      const sizeBytes =
        putOptions.ifMatch === undefined ? await write() : await replaceVersion(path, putOptions.ifMatch, write);
      seen = true;
      return { sizeBytes };
    },

    async get(key, getOptions = {}) {
      return readFileStream(pathOf(root, requireKey(key)), key, getOptions);
    },

    head: async (key) => headOf(root, requireKey(key)),
    list: (prefix) => listFiles(root, requirePrefix(prefix)),
    folders: (prefix) => listFolders(root, requirePrefix(prefix)),
    removeLeftovers: async (prefix, olderThanMs) => removeTemporaryFiles(root, requirePrefix(prefix), olderThanMs),
    remove: async (key) => removeFile(root, requireKey(key)),

    async space() {
      await makeFolder(root);
      const found = await fileSystem('read', `space of ${root}`, () => statfs(root));
      return { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize };
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function headOf(root: string, key: string): Promise<ObjectHead | undefined> {
  const path = pathOf(root, key);
  const found = await statOf(path);
  if (found?.isFile() !== true) return undefined;
  return { key, sizeBytes: found.size, modifiedAt: found.mtime, version: versionOf(found) };
}

async function removeFile(root: string, key: string): Promise<void> {
  const path = pathOf(root, key);
  try {
    await unlink(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCode(error))) return;
    await fileSystem('write', `remove ${key}`, () => Promise.reject(error));
  }
  await syncNearestFolder(root, dirname(path));
  await removeEmptyFolders(root, dirname(path));
}

/**
 * Makes a removal durable. Another removal may have taken the folder away as empty meanwhile; then the folder above it, which has
 * lost that one, is what must be on the disk.
 */
async function syncNearestFolder(root: string, folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    const isGone = error instanceof LifeboatError && error.details['systemCode'] === 'ENOENT';
    if (!isGone || folder === root) throw error;
    await syncNearestFolder(root, dirname(folder));
  }
}

async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  if (folder === root || !folder.startsWith(root)) return;
  try {
    await rmdir(folder);
  } catch {
    // Not empty, or gone already: an empty folder is no object, so that nobody sees the difference.
    return;
  }
  await removeEmptyFolders(root, dirname(folder));
}
