import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError, messageOf } from '../../../domain/errors.ts';
import type { Operation } from '../../../domain/operation.ts';
import { syncFolder } from '../../../platform/files.ts';
import { systemErrorCode } from '../../../platform/system-error.ts';
import { abortError } from '../../connect.ts';
import { RdbWalker, type RdbSummary } from '../../rdb/walk.ts';
import { encodeCommands } from '../../resp.ts';
import type { StreamCut, StreamSource } from '../journal.ts';
import { absoluteExpiries, sendsRelativeExpiries } from '../stream/absolute-expiries.ts';
import { cutStream } from '../stream/cut-stream.ts';

/** From this RDB version on (Redis 7.0) the append-only data is a folder; before, it is one file that begins with an RDB. */
const FOLDER_SINCE_RDB = 10;
/** Long enough for the magic and the version behind it. */
const MAGIC_BYTES = 9;

/** Names as `appendfilename` and `appenddirname` have them by default (redis.conf). */
const SINGLE_FILE = 'appendonly.aof';
const FOLDER = 'appendonlydir';
const BASE = 'appendonly.aof.1.base.rdb';
const INCREMENT = 'appendonly.aof.1.incr.aof';
const MANIFEST = 'appendonly.aof.manifest';

export interface AppendOnlyContext {
  readonly snapshot: () => AsyncIterable<Uint8Array>;
  readonly stream: StreamSource;
  readonly operation: Operation;
}

/**
 * Writes a working folder of a redis-server: `redis-server --dir <directory> --appendonly yes` starts from it with the
 * state at the cut. Redis 7 and later get appendonlydir; from a snapshot of Redis 6 it is one file, which 7 takes as
 * well. While a server reads append-only files no key expires, so that a key which was changed before it expired is
 * never taken for a new one. Everything is fsynced. A directory that holds such files already is refused.
 */
export async function writeAppendOnlyDirectory(
  request: { readonly directory: string; readonly cut: StreamCut },
  context: AppendOnlyContext,
): Promise<Written> {
  const { directory } = request;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const snapshot = context.snapshot()[Symbol.asyncIterator]();
  try {
    const first = await firstBytes(snapshot);
    const rdb = chain(first, snapshot);
    const inFolder = rdbVersionOf(first) >= FOLDER_SINCE_RDB;
    const written = inFolder ? await writeFolder(request, context, rdb) : await writeSingle(request, context, rdb);
    await syncFolder(directory);
    return written;
  } finally {
    await snapshot.return?.();
  }
}

/** `keys` are those of the snapshot, counted as it passed. */
type Written = { readonly bytes: number; readonly keys: number };
type Request = { readonly directory: string; readonly cut: StreamCut };

async function writeFolder(
  request: Request,
  context: AppendOnlyContext,
  rdb: AsyncIterable<Uint8Array>,
): Promise<Written> {
  const folder = join(request.directory, FOLDER);
  await mkdir(folder, { mode: 0o700 }).catch((cause: unknown) => {
    throw occupied(folder, cause);
  });
  const base = await writeNew(join(folder, BASE), async (file) => await copyRdb(file, rdb, context.operation));
  const increment = await writeNew(join(folder, INCREMENT), async (file) => ({
    bytes: await copyStream(file, base.summary, request, context),
  }));
  const manifest = `file ${BASE} seq 1 type b\nfile ${INCREMENT} seq 1 type i\n`;
  await writeNew(join(folder, MANIFEST), async (file) => await file.writeFile(manifest));
  await syncFolder(folder);
  return { bytes: base.bytes + increment.bytes + manifest.length, keys: base.keys };
}

async function writeSingle(
  request: Request,
  context: AppendOnlyContext,
  rdb: AsyncIterable<Uint8Array>,
): Promise<Written> {
  return await writeNew(join(request.directory, SINGLE_FILE), async (file) => {
    const base = await copyRdb(file, rdb, context.operation);
    const streamBytes = await copyStream(file, base.summary, request, context);
    return { bytes: base.bytes + streamBytes, keys: base.keys };
  });
}

async function writeNew<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
    throw occupied(path, cause);
  });
  try {
    const result = await write(file);
    await file.sync();
    return result;
  } finally {
    await file.close();
  }
}

async function copyRdb(
  file: FileHandle,
  rdb: AsyncIterable<Uint8Array>,
  operation: Operation,
): Promise<Written & { readonly summary: RdbSummary }> {
  const walker = new RdbWalker();
  let bytes = 0;
  for await (const chunk of rdb) {
    throwIfAborted(operation);
    walker.push(chunk);
    await file.writeFile(chunk);
    bytes += chunk.length;
    operation.onProgress({ phase: 'writing the snapshot', bytes, items: walker.keys });
  }
  return { bytes, keys: walker.keys, summary: walker.end() };
}

/** The stream behind the snapshot; the snapshot says for which database its first commands are. */
async function copyStream(
  file: FileHandle,
  snapshot: RdbSummary,
  { cut }: Request,
  { stream, operation }: AppendOnlyContext,
): Promise<number> {
  const database = Math.max(0, Number(snapshot.aux['repl-stream-db'] ?? 0));
  const offset = snapshot.aux['repl-offset'];
  const from = offset === undefined ? undefined : Number(offset);
  const select = Buffer.concat(encodeCommands([['SELECT', database]]));
  await file.writeFile(select);
  let bytes = select.length;
  const cutFrom = (source: StreamSource): AsyncIterable<Buffer> => cutStream(source, { from, cut, dataOnly: true });
  const isOld = sendsRelativeExpiries(snapshot.aux['redis-ver'] ?? '');
  for await (const part of isOld ? absoluteExpiries(stream, { from, cut: cutFrom }) : cutFrom(stream)) {
    throwIfAborted(operation);
    await file.writeFile(part);
    bytes += part.length;
    operation.onProgress({ phase: 'writing the stream', bytes });
  }
  return bytes;
}

async function firstBytes(source: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let first: Buffer = Buffer.alloc(0);
  while (first.length < MAGIC_BYTES) {
    const next = await source.next();
    if (next.done === true) break;
    first = Buffer.concat([first, next.value]);
  }
  return first;
}

async function* chain(first: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** What is no RDB at all is refused by the walk. */
function rdbVersionOf(first: Buffer): number {
  return Number(/^(?:REDIS|VALKEY)(\d+)/.exec(first.toString('latin1', 0, MAGIC_BYTES))?.[1] ?? FOLDER_SINCE_RDB);
}

function throwIfAborted({ signal }: Operation): void {
  if (signal.aborted) throw abortError(signal, 'write append-only files');
}

function occupied(path: string, cause: unknown): LifeboatError {
  const what = `write append-only files: ${path}: ${messageOf(cause)}`;
  return new LifeboatError(systemErrorCode(cause) === 'EEXIST' ? 'RESTORE_TARGET_NOT_EMPTY' : 'INTERNAL', what, {
    cause,
  });
}
