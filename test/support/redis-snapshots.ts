/** Snapshots of test servers, kept in memory, and restores of them. */
import type { RedisFacts } from '../../src/domain/backup.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { createRedis } from '../../src/redis/create-redis.ts';
import type { RedisImport, RedisMethod, RedisTarget } from '../../src/redis/redis.ts';

export const redis = createRedis();
export const UNHURRIED: Operation = { signal: new AbortController().signal, onProgress: () => undefined };

export interface Snapshot {
  readonly facts: RedisFacts;
  readonly format: 'redis-rdb' | 'redis-dump';
  readonly bytes: Buffer;
  readonly open: () => AsyncIterable<Uint8Array>;
}

export async function take(
  target: RedisTarget,
  method: RedisMethod = 'replication',
  operation: Operation = UNHURRIED,
): Promise<Snapshot> {
  const chunks: Buffer[] = [];
  let format: Snapshot['format'] = 'redis-rdb';
  const facts = await redis.exportSnapshot(target, method, {
    operation,
    sink: async (artifact, source) => {
      format = artifact.format === 'redis-dump' ? 'redis-dump' : 'redis-rdb';
      for await (const chunk of source) chunks.push(Buffer.from(chunk));
    },
  });
  const bytes = Buffer.concat(chunks);
  return { facts, format, bytes, open: () => inPieces(bytes) };
}

export async function put(
  snapshot: Snapshot,
  target: RedisTarget,
  options: Partial<Omit<RedisImport, 'target'>> = {},
  operation: Operation = UNHURRIED,
): ReturnType<typeof redis.importSnapshot> {
  const { format, facts } = snapshot;
  const request: RedisImport = { target, format, facts, method: 'auto', dropExisting: false, ...options };
  return await redis.importSnapshot(request, { open: snapshot.open, operation });
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  const size = 48_611;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const passes = (checks: readonly { readonly status: string }[]): boolean =>
  checks.length > 1 && checks.every(({ status }) => status === 'pass');
