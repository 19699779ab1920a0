import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LifeboatError, messageOf } from '../../domain/errors.ts';
import { syncFile, syncFolder } from '../../platform/files.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import { runAll } from '../run-all.ts';
import { createAlignedMemory, openDirect, writeDirect, type AlignedMemory } from './direct-file.ts';
import { createFileChecksum, type ChecksumKind } from './file-checksum.ts';

/** What a file is written with, and checked against. */
export interface FileContent {
  readonly name: string;
  readonly mode: number;
  readonly content: AsyncIterable<Uint8Array>;
  /** Undefined where nothing is to be checked. */
  readonly checksumKind?: ChecksumKind;
  /** Exact length, where it is known: long files then go to the disk directly. */
  readonly sizeBytes?: number;
}

export interface FileFacts {
  readonly sizeBytes: number;
  /** As the manifest writes it; empty where nothing is to be checked. */
  readonly checksum: string;
}

/** A folder that is filled with files, each once. Nothing is durable before `sync`. */
export interface DataDirectory {
  readonly bytes: number;
  makeFolder(name: string, mode: number): Promise<void>;
  writeFile(file: FileContent): Promise<FileFacts>;
  /** fsync of all files and folders so far. */
  sync(signal: AbortSignal): Promise<void>;
}

/** Files of this size and more go to the disk while later ones are still written; short ones wait for `sync`. */
const LONG_BYTES = 1024 * 1024;
/** One fsync waits for the disk; several at once share a commit of the file system's journal. */
const SYNCS_AT_ONCE = 3;

/** @throws LifeboatError POSTGRES_DIRECTORY_IN_USE, POSTGRES_DIRECTORY_UNWRITABLE */
export async function createDataDirectory(root: string): Promise<DataDirectory> {
  // Its parents are for others to enter: the server may run under another account.
  await makeRoot(dirname(root), 0o755);
  await makeRoot(root, 0o700);
  if ((await readdir(root)).length > 0) {
    throw new LifeboatError('POSTGRES_DIRECTORY_IN_USE', `write a data directory into ${root}: it is not empty`);
  }
  const [folders, unsynced]: [Map<string, Promise<void>>, string[]] = [new Map(), []];
  const syncing = new Set<Promise<void>>();
  const memory = createAlignedMemory();
  let bytes = 0;

  /** Members of one folder may come in different pieces, also before the folder itself. */
  const makeFolder = (name: string, mode: number): Promise<void> => {
    const made = folders.get(name) ?? makeOne(name, mode);
    folders.set(name, made);
    return made;
  };
  const makeOne = async (name: string, mode: number): Promise<void> => {
    if (name === '.') return;
    await makeFolder(dirname(name), mode);
    await writing(`make ${name}`, () => mkdir(join(root, name), { mode }));
  };
  const closeLater = async (handle: FileHandle, name: string): Promise<void> => {
    while (syncing.size >= SYNCS_AT_ONCE) await Promise.race(syncing);
    const done = writing(`fsync ${name}`, async () => syncAndClose(handle)).finally(() => syncing.delete(done));
    // Awaited by `sync`; a failure before that must not count as unhandled.
    done.catch(() => undefined);
    syncing.add(done);
  };

  return {
    get bytes() {
      return bytes;
    },
    makeFolder,
    async writeFile({ name, mode, content, checksumKind, sizeBytes = 0 }) {
      await makeFolder(dirname(name), FOLDER_MODE);
      const path = join(root, name);
      const direct =
        sizeBytes < LONG_BYTES
          ? undefined
          : await writing(`create ${name}`, async () => openDirect(path, { mode, sizeBytes }));
      const handle = direct ?? (await writing(`create ${name}`, () => open(path, 'wx', mode)));
      let facts: FileFacts | undefined;
      try {
        const into = { content, checksumKind, ...(direct === undefined ? {} : { memory }) };
        facts = await writeContent(handle, name, into);
        bytes += facts.sizeBytes;
        return facts;
      } finally {
        if (facts !== undefined && facts.sizeBytes >= LONG_BYTES) {
          await closeLater(handle, name);
        } else {
          await handle.close();
          unsynced.push(name);
        }
      }
    },
    async sync(signal) {
      await Promise.all(syncing);
      await syncAll(root, { files: unsynced.splice(0), folders: [...folders.keys(), '.'] }, signal);
    },
  };
}

/** Files first: a folder names what is durable. */
async function syncAll(
  root: string,
  names: { readonly files: readonly string[]; readonly folders: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const files = names.files.map((name) => async () => writing(`fsync ${name}`, () => syncFile(join(root, name))));
  await runAll(files, { jobs: SYNCS_AT_ONCE, signal });
  const folders = names.folders.map((name) => async () => syncFolder(join(root, name)));
  await runAll(folders, { jobs: SYNCS_AT_ONCE, signal });
  await syncFolder(dirname(root));
}

const FOLDER_MODE = 0o700;

async function writeContent(
  handle: FileHandle,
  name: string,
  into: {
    readonly content: AsyncIterable<Uint8Array>;
    readonly checksumKind: ChecksumKind | undefined;
    /** Where the file is open for direct writes. */
    readonly memory?: AlignedMemory;
  },
): Promise<FileFacts> {
  const { content, checksumKind, memory } = into;
  const checksum = checksumKind === undefined ? undefined : createFileChecksum(checksumKind);
  let sizeBytes = 0;
  if (memory !== undefined) {
    sizeBytes = await writing(`write ${name}`, async () => writeDirect(handle, content, { memory, checksum }));
    return { sizeBytes, checksum: checksum?.digest() ?? '' };
  }
  for await (const chunk of content) {
    // The kernel copies the chunk on another thread while this one digests it.
    const written = writing(`write ${name}`, () => writeFully(handle, chunk));
    checksum?.update(chunk);
    await written;
    sizeBytes += chunk.byteLength;
  }
  return { sizeBytes, checksum: checksum?.digest() ?? '' };
}

/** write(2) may take less than it was given. */
async function writeFully(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength;) {
    const { bytesWritten } = await handle.write(chunk, offset, chunk.byteLength - offset);
    offset += bytesWritten;
  }
}

async function syncAndClose(handle: FileHandle): Promise<void> {
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** What is in the way here was there before, and is no folder. */
async function makeRoot(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode });
  } catch (cause) {
    const message = `write a data directory: make ${folder}: ${messageOf(cause)}`;
    throw new LifeboatError('POSTGRES_DIRECTORY_UNWRITABLE', message, { cause });
  }
}

/** Runs a call of the file system; a name that is taken can only come from a base that has it twice. */
async function writing<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    // Errors of what is written are not errors of the writing.
    if (systemErrorCode(cause) === undefined) throw cause;
    const taken = systemErrorCode(cause) === 'EEXIST';
    const code = taken ? 'POSTGRES_BASE_DAMAGED' : 'POSTGRES_DIRECTORY_UNWRITABLE';
    throw new LifeboatError(code, `write a data directory: ${doing}: ${messageOf(cause)}`, { cause });
  }
}
