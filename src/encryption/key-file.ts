import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, realpath, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNativeError } from 'node:util/types';
import { LifeboatError } from '../domain/errors.ts';
import { syncFolder, writeFileAtomic } from '../platform/files.ts';

/** Far above any keyring; a path to a device or a dump is refused before it fills the memory. */
const KEY_FILE_MAX_BYTES = 1024 * 1024;
const GROUP_AND_OTHERS = 0o077;

/**
 * Text of a file that holds a secret. KEY_FILE_UNSAFE unless it is ours and closed to group and others; the checks look
 * at the opened file, so that it cannot be exchanged between the look and the read.
 */
export async function readSecretFile(path: string): Promise<string> {
  const handle = await openKeyFile(path);
  try {
    await requireSafe(handle, path);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Creates a file with a secret, mode 0600; KEY_FILE_EXISTS where something is there. Durable when it resolves. */
export async function createSecretFile(path: string, text: string): Promise<void> {
  await createFile(path, text, 0o600);
}

/** Creates a file that anybody may read, such as a public key. */
export async function createPublicFile(path: string, text: string): Promise<void> {
  await createFile(path, text, 0o644);
}

/**
 * Puts a new text in the place of a secret file, mode 0600: a reader sees the old text or the new one, whole, and so does whoever
 * comes after a crash. @throws LifeboatError KEY_FILE_READ_ONLY, and nothing is changed
 */
export async function replaceSecretFile(path: string, text: string): Promise<void> {
  try {
    // A link is followed: the file it names is the one that is copied to other places.
    await writeFileAtomic(await realpath(path), text);
  } catch (error) {
    throw new LifeboatError('KEY_FILE_READ_ONLY', `write key file ${path}: ${codeOf(error)}`, { cause: error });
  }
}

async function openKeyFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY);
  } catch (error) {
    throw new LifeboatError('KEY_FILE_MISSING', `open key file ${path}: ${codeOf(error)}`, { cause: error });
  }
}

async function requireSafe(handle: FileHandle, path: string): Promise<void> {
  const found = await handle.stat();
  if (!found.isFile() || found.size > KEY_FILE_MAX_BYTES) {
    throw new LifeboatError('KEY_FILE_INVALID', `key file ${path}: not a small file`);
  }
  const mode = found.mode & 0o777;
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    throw new LifeboatError('KEY_FILE_UNSAFE', `key file ${path}: mode ${mode.toString(8)}, not 600 or 400`);
  }
  // Windows has no user ids; there the access list of the folder is all there is.
  const user = process.geteuid?.() ?? found.uid;
  if (found.uid !== user) {
    throw new LifeboatError('KEY_FILE_UNSAFE', `key file ${path}: owned by uid ${found.uid}, not ${user}`);
  }
}

/** The name appears with the whole content or not at all, so that no process ever reads half a key. */
async function createFile(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
      throw new LifeboatError('KEY_FILE_EXISTS', `create key file ${path}: there already`, { cause: error });
    });
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

function codeOf(error: unknown): string {
  return isNativeError(error) && 'code' in error ? String(error.code) : String(error);
}
