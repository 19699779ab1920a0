/** Exports, digests and typed reads of test servers. */
import type { RedisFacts } from '../../src/domain/backup.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { checkDump, dumpItems } from '../../src/redis/dump/check-dump.ts';
import { exportByDump } from '../../src/redis/dump/export-by-dump.ts';
import type { RedisTarget } from '../../src/redis/redis.ts';
import { RespError, type RedisArgument, type RespValue } from '../../src/redis/resp.ts';
import { openRedisSocket } from '../../src/redis/socket.ts';
import type { SnapshotItem } from '../../src/redis/values/difference.ts';

export const QUIET: Operation = { signal: new AbortController().signal, onProgress() {} };

export type Command = readonly RedisArgument[];

export interface StoredDump {
  readonly facts: RedisFacts;
  readonly bytes: Buffer;
  /** The stream again, as often as wanted. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly items: () => AsyncIterable<SnapshotItem>;
}

export async function dumpOf(target: RedisTarget, operation: Operation = QUIET): Promise<StoredDump> {
  const chunks: Uint8Array[] = [];
  const facts = await exportByDump(target, {
    operation,
    sink: async (_artifact, source) => {
      for await (const chunk of source) chunks.push(Buffer.from(chunk));
    },
  });
  const bytes = Buffer.concat(chunks);
  const open = (): AsyncIterable<Uint8Array> => inPieces(bytes, 64 * 1024);
  return { facts, bytes, open, items: () => dumpItems(open()) };
}

export async function digestOf(target: RedisTarget): Promise<string> {
  const { open } = await dumpOf(target);
  return (await checkDump(open(), QUIET)).digest;
}

export async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Runs commands in one pipeline; throws at the first error reply, naming its command. */
export async function run(target: RedisTarget, commands: readonly Command[]): Promise<RespValue[]> {
  const socket = await openRedisSocket(target);
  try {
    const replies = await socket.pipeline(commands);
    for (const [index, reply] of replies.entries()) {
      if (reply instanceof RespError) throw new Error(`${commands[index]!.join(' ')}: ${reply.code} ${reply.message}`);
    }
    return replies;
  } finally {
    socket.close();
  }
}

/**
 * Everything a client can read, as plain data: per database and key its type, expiry and value by the commands of its
 * type. It shares nothing with the digest, so that the two can be held against each other.
 */
export async function readEverything(target: RedisTarget, databases: readonly number[] = [0]): Promise<unknown> {
  const socket = await openRedisSocket(target);
  try {
    const all: Record<string, unknown> = {};
    for (const db of databases) {
      await socket.command('SELECT', db);
      const keys = buffers(await socket.command('KEYS', '*'));
      const types = (await socket.pipeline(keys.map((key) => ['TYPE', key]))).map(plain).map(String);
      const values = await socket.pipeline(keys.map((key, index) => READS[types[index]!]!(key)));
      const expiries = await socket.pipeline(keys.map((key) => ['PEXPIRETIME', key]));
      const ttls = await socket.pipeline(keys.map((key) => ['PTTL', key]));
      for (const [index, key] of keys.entries()) {
        const type = types[index]!;
        const expireAt = expiryOf(expiries[index]!, Number(ttls[index]));
        all[`${db} ${key.toString('latin1')}`] = { type, value: sorted(type, plain(values[index]!)), expireAt };
      }
    }
    return Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    socket.close();
  }
}

const READS: Readonly<Record<string, (key: Buffer) => Command>> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, 0, -1],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['ZRANGE', key, 0, -1, 'WITHSCORES'],
  hash: (key) => ['HGETALL', key],
  stream: (key) => ['XRANGE', key, '-', '+'],
};

/** Coarse where only PTTL is there: the tests compare servers of both versions. */
function expiryOf(expiry: RespValue, ttlMs: number): number | null {
  if (typeof expiry === 'number') return expiry < 0 ? null : Math.round(expiry / 10_000);
  return ttlMs < 0 ? null : Math.round((Date.now() + ttlMs) / 10_000);
}

function buffers(value: RespValue): Buffer[] {
  return Array.isArray(value) ? value.filter((item): item is Buffer => item instanceof Buffer) : [];
}

/** Sets and hashes have no order; everything else does. */
function sorted(type: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  if (type === 'set') return value.map(String).toSorted();
  if (type !== 'hash') return value;
  return value.flatMap((field, index) => (index % 2 === 0 ? [`${field}\n${value[index + 1]}`] : [])).toSorted();
}

function plain(value: RespValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Buffer ? value.toString('latin1') : value;
}
