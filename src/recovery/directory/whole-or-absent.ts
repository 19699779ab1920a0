import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LifeboatError, messageOf } from '../../domain/errors.ts';
import { syncFolder } from '../../platform/files.ts';
import { systemErrorCode } from '../../platform/system-error.ts';

/** For others to enter: servers run under accounts of their own, which own what is in it. */
const OPEN_MODE = 0o755;

/**
 * Where a directory is to be. Looks only; a link is followed to where it leads.
 * @throws LifeboatError RESTORE_DIRECTORY_NOT_EMPTY, RESTORE_DIRECTORY_UNUSABLE
 */
export async function requireFreeDirectory(path: string): Promise<string> {
  const directory = await realpath(path).catch(orMissing(path));
  const entries = await readdir(directory).catch(orMissing([]));
  if (entries.length > 0) throw notEmpty(path, entries);
  const parent = await nearestFolder(dirname(directory));
  await access(parent, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw unusable(path, `${parent} is not writable`, cause);
  });
  await refuseMountPoint(directory);
  return directory;
}

/** Reading a path of a name that is a file ends with ENOTDIR, which is no missing folder. */
function orMissing<T>(instead: T): (cause: unknown) => T {
  return (cause) => {
    if (systemErrorCode(cause) === 'ENOENT') return instead;
    throw new LifeboatError('RESTORE_DIRECTORY_UNUSABLE', `use a directory: ${messageOf(cause)}`, { cause });
  };
}

async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch(orMissing(undefined));
  if (found === undefined) return nearestFolder(dirname(path));
  if (found.isDirectory()) return path;
  throw unusable(path, 'it is a file');
}

/** Nothing can be renamed over the root of a file system. */
async function refuseMountPoint(directory: string): Promise<void> {
  const [own, parent] = await Promise.all(
    [directory, dirname(directory)].map((path) => stat(path).catch(orMissing(undefined))),
  );
  if (own === undefined || parent === undefined || own.dev === parent.dev) return;
  throw unusable(directory, 'it is a mount point; a new folder in it can be used');
}

/**
 * Fills a new folder beside `directory` and renames it there when `fill` has ended well: the directory is whole or absent. Whatever
 * earlier attempts have left beside it is removed first, so one restore at a time may write to a directory.
 * @throws LifeboatError RESTORE_DIRECTORY_NOT_EMPTY where somebody else was faster
 */
export async function wholeOrAbsent<T>(directory: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true, mode: OPEN_MODE });
  await clearBeside(directory);
  const folder = await mkdtemp(join(parent, prefixOf(directory)));
  try {
    await chmod(folder, OPEN_MODE);
    const filled = await fill(folder);
    await syncFolder(folder);
    await rename(folder, directory).catch(async (cause: unknown) => {
      const taken = ['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(cause) ?? '');
      throw taken ? notEmpty(directory, await readdir(directory)) : unusable(directory, messageOf(cause), cause);
    });
    await syncFolder(parent);
    return filled;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what attempts that died have left beside a directory; never the directory itself. */
export async function clearBeside(directory: string): Promise<void> {
  const parent = dirname(directory);
  const entries = await readdir(parent).catch(orMissing([]));
  for (const entry of entries.filter((name) => name.startsWith(prefixOf(directory)))) {
    await rm(join(parent, entry), { recursive: true, force: true });
  }
}

const prefixOf = (directory: string): string => `.${basename(directory)}.restoring-`;

const NAMED_AT_MOST = 3;

function notEmpty(path: string, entries: readonly string[]): LifeboatError {
  const named = entries.slice(0, NAMED_AT_MOST).join(', ');
  const more = entries.length > NAMED_AT_MOST ? ` and ${entries.length - NAMED_AT_MOST} more` : '';
  return new LifeboatError('RESTORE_DIRECTORY_NOT_EMPTY', `write into ${path}: it holds ${named}${more}`, {
    details: { directory: path, entries: entries.length },
  });
}

function unusable(path: string, why: string, cause?: unknown): LifeboatError {
  const what = `write into ${path}: ${why}`;
  return new LifeboatError('RESTORE_DIRECTORY_UNUSABLE', what, {
    details: { directory: path },
    ...(cause === undefined ? {} : { cause }),
  });
}
