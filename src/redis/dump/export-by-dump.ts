import type { RedisFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { IndexBuilder } from '../digests/index-builder.ts';
import type { RedisTarget, SnapshotSink } from '../redis.ts';
import { writeBatch } from './large-payload.ts';
import { readFunctions } from './read-functions.ts';
import { type KeySource, openKeySource } from './scan/key-source.ts';
import { DumpWriter } from './stream/dump-writer.ts';
import type { DumpHeader } from './stream/format.ts';
import { openPayload } from './stream/payload.ts';

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
  const source = await openKeySource(target, operation);
  const builder = indexDirectory === undefined ? undefined : new IndexBuilder(indexDirectory);
  try {
    const header: DumpHeader = { server: source.view.version, startedAt: new Date().toISOString() };
    let written: Written | undefined;
    const bytes = dumpTo(source, header, { operation, builder, onEnd: (end) => (written = end) });
    const attributes = { server: header.server, consistent: 'false' };
    await sink({ name: 'snapshot', format: 'redis-dump', attributes }, bytes);
    if (written === undefined) throw new LifeboatError('INTERNAL', 'export redis: the sink left before the end');
    const facts = factsOf(header, written);
    if (builder?.readable !== true) return facts;
    await sink({ name: 'digests', format: 'redis-digest-index', attributes: {} }, builder.index());
    const digests = { layers: [], changed: facts.keys, deleted: 0 };
    return { ...facts, digest: builder.digest(), digests };
  } finally {
    source.close();
    await builder?.close();
  }
}

async function* dumpTo(
  source: KeySource,
  header: DumpHeader,
  context: {
    readonly operation: Operation;
    readonly builder: IndexBuilder | undefined;
    onEnd(written: Written): void;
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { builder, operation, onEnd } = context;
  const writer = new DumpWriter(header);
  const functions = await readFunctions(source.socket);
  if (functions !== undefined) writer.functions(functions.payload);
  builder?.addLibraries(functions?.libraries ?? []);
  let rdbVersion = functions?.rdbVersion ?? 0;
  for (const db of source.databases) {
    for await (const batch of source.all(db)) {
      await builder?.addBatch(db, batch, writer.keys);
      rdbVersion ||= openPayload(batch[0]!.payload).rdbVersion;
      yield* writeBatch(writer, db, batch);
      operation.onProgress({
        phase: 'exporting',
        object: `db${db}`,
        bytes: writer.payloadBytes,
        items: writer.keys,
      });
    }
  }
  yield* writer.finish();
  onEnd({ writer, functions: functions?.libraries.length ?? 0, rdbVersion });
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
