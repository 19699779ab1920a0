import { randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { syncFolder as syncFolderOnDisk } from '../platform/files.ts';
import { abortable } from './abortable.ts';
import { fileSystem, systemCode } from './file-system-errors.ts';
import type { PutOptions } from './object-store.ts';

/** Stands in no key, so that a file being written can never be taken for an object. */
export const TEMPORARY_MARK = '~';

/** A folder can be removed as empty between making it and writing into it; more often than this it is a defect. */
const FOLDER_TRIES = 5;

/**
 * Writes a file so that it is there whole and durable, or not at all: temporary file in the same folder, fsync, rename
 * (link where the name must be free, for link refuses a taken one atomically), fsync of the folder.
 */
export async function writeFileDurably(
  path: string,
  body: AsyncIterable<Uint8Array>,
  options: PutOptions & { readonly floor?: string | undefined },
): Promise<number> {
  const temporary = `${path}${TEMPORARY_MARK}${randomUUID()}`;
  const handle = await openInFolder(temporary, options.floor);
  try {
    const sizeBytes = await writeBody(handle, body, options.signal);
    options.signal?.throwIfAborted();
    await fileSystem('write', `put ${basename(path)}`, () => giveName(temporary, path, options.ifNoneMatch === true));
    await syncFolder(dirname(path));
    return sizeBytes;
  } catch (error) {
    // Best effort: `list` never shows a temporary file, and removeLeftovers takes away what stays here.
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function openInFolder(temporary: string, floor: string | undefined): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    await makeFolder(dirname(temporary), floor);
    try {
      return await open(temporary, 'wx', 0o600);
    } catch (error) {
      if (systemCode(error) === 'ENOENT' && attempt < FOLDER_TRIES) continue;
      return fileSystem('write', `create ${basename(temporary)}`, () => Promise.reject(error));
    }
  }
}

async function writeBody(
  handle: FileHandle,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let sizeBytes = 0;
  try {
    for await (const chunk of abortable(body, signal)) {
      await fileSystem('write', 'write', () => writeFully(handle, chunk));
      sizeBytes += chunk.byteLength;
    }
    await fileSystem('write', 'fsync', () => handle.sync());
  } finally {
    await handle.close();
  }
  return sizeBytes;
}

/** write(2) may take less than it was given. */
async function writeFully(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength;) {
    const { bytesWritten } = await handle.write(chunk, offset, chunk.byteLength - offset);
    offset += bytesWritten;
  }
}

async function giveName(temporary: string, path: string, mustBeFree: boolean): Promise<void> {
  if (!mustBeFree) return rename(temporary, path);
  await link(temporary, path).catch((error: unknown) => {
    // Only these say that the file system has no hard links; a plain EPERM can also be one that refuses the right.
    if (!['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error))) throw error;
    throw new LifeboatError('STORE_UNSUPPORTED', `put ${basename(path)}: no hard links`, { cause: error });
  });
  await unlink(temporary);
}

/**
 * Makes a folder and its parents, each durable in its own parent before anything is written into it. `floor` is never made: where
 * a store was and is not now, nothing may be written that would not be in it when it is back.
 */
export async function makeFolder(folder: string, floor?: string, tries = FOLDER_TRIES): Promise<void> {
  if (folder === floor) return requireThere(folder);
  try {
    await mkdir(folder);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return;
    // A parent may be removed again at once by somebody who clears up; but some (/proc) are there and take no folder, ever.
    if (systemCode(error) !== 'ENOENT' || dirname(folder) === folder || tries === 0) {
      return fileSystem('write', `create folder ${folder}`, () => Promise.reject(error));
    }
    await makeFolder(dirname(folder), floor);
    return makeFolder(folder, floor, tries - 1);
  }
  await syncFolder(dirname(folder));
}

async function requireThere(folder: string): Promise<void> {
  if (await isThere(folder)) return;
  throw new LifeboatError('STORE_IO', `write into ${folder}: the folder is gone`, {
    details: { systemCode: 'ENOENT' },
    hint: 'was it unmounted, or moved away? nothing is written until it is back',
  });
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    return fileSystem('write', `look at ${path}`, () => Promise.reject(error));
  }
}

export async function syncFolder(folder: string): Promise<void> {
  await fileSystem('write', `fsync ${folder}`, () => syncFolderOnDisk(folder));
}

export function temporaryName(name: string): boolean {
  return name.includes(TEMPORARY_MARK);
}

export function pathOf(root: string, key: string): string {
  return join(root, ...key.split('/'));
}
