import type { RedisFacts } from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';
import { RdbWalker } from './rdb/walk.ts';
import type { RedisTarget, SnapshotSink } from './redis.ts';
import { type FullSync, openFullSync } from './replication/full-sync.ts';

/**
 * Streams the RDB of a server through `sink` as it comes, and walks it on the way: a snapshot whose end, checksum or
 * structure is wrong rejects before the sink sees a clean end. The digest is left to `checkSnapshot`: it would cost more
 * than the rest of the export together.
 */
export async function exportByReplication(
  target: RedisTarget,
  context: { readonly sink: SnapshotSink; readonly operation: Operation },
): Promise<RedisFacts> {
  const { operation } = context;
  operation.onProgress({ phase: 'waiting for the snapshot', bytes: 0 });
  const sync = await openFullSync(target, operation.signal);
  try {
    return (await passSnapshot(sync, context)).facts;
  } finally {
    sync.close();
  }
}

/**
 * Gives the RDB of a synchronization to `sink`, walked as above.
 * `streamDatabase` is the database that the first command behind the snapshot is for, unless it selects one itself.
 */
export async function passSnapshot(
  sync: Omit<FullSync, 'close'>,
  context: { readonly sink: SnapshotSink; readonly operation: Operation },
): Promise<{ readonly facts: RedisFacts; readonly streamDatabase: number }> {
  const { sink, operation } = context;
  const walker = new RdbWalker();
  const attributes = { replid: sync.replid, offset: String(sync.offset) };
  await sink({ name: 'snapshot', format: 'redis-rdb', attributes }, watched(sync.rdb, walker, operation));
  const summary = walker.end();
  const facts: RedisFacts = {
    server: summary.aux['valkey-ver'] ?? summary.aux['redis-ver'] ?? '',
    method: 'replication',
    consistent: true,
    keys: summary.keys,
    databases: summary.databases,
    functions: summary.functions,
    replid: sync.replid,
    offset: sync.offset,
    rdbVersion: summary.version,
    digest: '',
    snapshotAt: sync.snapshotAt.toISOString(),
  };
  return { facts, streamDatabase: Math.max(0, Number(summary.aux['repl-stream-db'] ?? 0)) };
}

async function* watched(
  rdb: AsyncIterable<Buffer>,
  walker: RdbWalker,
  operation: Operation,
): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  for await (const chunk of rdb) {
    walker.push(chunk);
    yield chunk;
    bytes += chunk.length;
    operation.onProgress({ phase: 'copying the snapshot', bytes, items: walker.keys });
  }
  walker.end();
}
