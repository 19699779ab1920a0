import type { RedisFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { IndexBuilder } from '../digests/index-builder.ts';
import type { RedisTarget, SnapshotSink } from '../redis.ts';
import { type ServerView, viewServer } from '../server-view.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import { readFunctions } from './read-functions.ts';
import { listDatabases } from './scan/databases.ts';
import { DumpWriter } from './stream/dump-writer.ts';
import { chooseExpiryReader } from './scan/expiry-reader.ts';
import type { DumpHeader } from './stream/format.ts';
import { openPayload } from './stream/payload.ts';
import { DatabaseScan } from './scan/scan-database.ts';

/** What is known when the last byte has been written. */
interface Written {
  readonly writer: DumpWriter;
  readonly functions: number;
  readonly rdbVersion: number;
}

export interface ExportContext {
  readonly sink: SnapshotSink;
  readonly operation: Operation;
  /** Where digests of keys are sorted. With it an artifact `digests` is given too, and `facts.digest` is told. */
  readonly indexDirectory?: string;
}

/**
 * Copies all keys of all databases and the function libraries as redis-dump, with SCAN, DUMP and PEXPIRETIME alone:
 * the way in where PSYNC is closed. The facts say `consistent: false`, for there is no one instant. Value and expiry
 * of each key belong together; but between the first key and the last
 * - writes to several keys, also in one MULTI or script, may be there in part;
 * - keys written, deleted or expired meanwhile may or may not be there;
 * - RENAME, MOVE and SWAPDB may leave a key out or show it under both names or numbers.
 * Needs +scan +dump +pexpiretime (or +pttl +time) +select and +function|dump; +info is used where granted.
 * Throws REDIS_PERMISSION_DENIED rather than leave something out.
 */
export async function exportByDump(target: RedisTarget, context: ExportContext): Promise<RedisFacts> {
  const { sink, operation, indexDirectory } = context;
  const socket = await openRedisSocket(target, { signal: operation.signal });
  const builder = indexDirectory === undefined ? undefined : new IndexBuilder(indexDirectory);
  try {
    const view = await viewServer(socket);
    const header: DumpHeader = { server: view.version, startedAt: new Date().toISOString() };
    let written: Written | undefined;
    const source = dumpTo(socket, header, { view, operation, builder, onEnd: (end) => (written = end) });
    const attributes = { server: view.version, consistent: 'false' };
    await sink({ name: 'snapshot', format: 'redis-dump', attributes }, source);
    if (written === undefined) throw new LifeboatError('INTERNAL', 'export redis: the sink left before the end');
    const facts = factsOf(header, written);
    if (builder?.readable !== true) return facts;
    await sink({ name: 'digests', format: 'redis-digest-index', attributes: {} }, builder.index());
    const digests = { layers: [], changed: facts.keys, deleted: 0 };
    return { ...facts, digest: builder.digest(), digests };
  } finally {
    socket.close();
    await builder?.close();
  }
}

async function* dumpTo(
  socket: RedisSocket,
  header: DumpHeader,
  context: {
    readonly view: ServerView;
    readonly operation: Operation;
    readonly builder: IndexBuilder | undefined;
    onEnd(written: Written): void;
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { builder } = context;
  const writer = new DumpWriter(header);
  const functions = await readFunctions(socket);
  if (functions !== undefined) writer.functions(functions.payload);
  for (const code of functions?.libraries ?? []) builder?.addLibrary(code);
  let rdbVersion = functions?.rdbVersion ?? 0;
  const expiry = await chooseExpiryReader(socket);
  const databases = await listDatabases(socket, context.view);
  // A user who may not SELECT can still be given database 0, where the connection is unless it had to look around.
  const needsSelect = context.view.info.size === 0 || databases.some((db) => db > 0);
  for (const db of databases) {
    if (needsSelect) await socket.command('SELECT', db);
    for await (const batch of new DatabaseScan(socket, expiry).batches()) {
      for (const scanned of batch) {
        if (builder !== undefined) await builder.add(db, scanned, writer.keys);
        writer.key(db, scanned.key, scanned.payload, scanned.expireAtMs);
      }
      rdbVersion ||= openPayload(batch[0]!.payload).rdbVersion;
      context.operation.onProgress({
        phase: 'exporting',
        object: `db${db}`,
        bytes: writer.payloadBytes,
        items: writer.keys,
      });
      yield* writer.take();
    }
  }
  yield* writer.finish();
  context.onEnd({ writer, functions: functions?.libraries.length ?? 0, rdbVersion });
}

function factsOf(header: DumpHeader, { writer, functions, rdbVersion }: Written): RedisFacts {
  return {
    server: header.server,
    method: 'dump',
    consistent: false,
    keys: writer.keys,
    databases: Object.fromEntries(Object.entries(writer.databases).filter(([, keys]) => keys > 0)),
    functions,
    // A dump has no position in the replication stream: nothing may be continued from it.
    replid: '',
    offset: 0,
    rdbVersion,
    digest: '',
    snapshotAt: header.startedAt,
  };
}
