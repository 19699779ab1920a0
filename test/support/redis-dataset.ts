/**
 * A data set with every type of value in small and large form, and its typed reading. It uses ioredis and shares nothing
 * with the code under test, so that "the same" is judged from outside.
 */
import { Redis } from 'ioredis';
import type { TestRedis } from './servers.ts';

/** 2100-01-01 and a bit: absolute expiries that no test reaches. */
export const FAR_MS = 4_102_444_800_123;
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const range = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

export async function withClient<T>(server: TestRedis, work: (client: Redis) => Promise<T>, db = 0): Promise<T> {
  const { password } = server.target;
  const client = new Redis({
    port: server.port,
    host: '127.0.0.1',
    db,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    ...(password === undefined ? {} : { password }),
  });
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

type Command = readonly (string | number | Buffer)[];

/** Commands that build the data of one database; Redis 6.2 knows them all. */
const VALUES: readonly Command[] = [
  ['SET', 'text', 'the quick brown fox'],
  ['SET', 'empty', ''],
  ['SET', 'number', '-2147483648'],
  ['SET', 'compressible', 'session '.repeat(2000)],
  ['SET', BINARY, BINARY],
  ['SET', 'with expiry', 'soon enough', 'PXAT', FAR_MS],
  ['SET', `key ${'k'.repeat(5000)}`, 'v'],
  ['RPUSH', 'list:small', 'a', 'b', BINARY, '17'],
  ['RPUSH', 'list:large', ...range(3000)],
  ['RPUSH', 'list:wide', 'x'.repeat(20_000), 'y'.repeat(20_000)],
  ['SADD', 'set:ints', ...range(100)],
  ['SADD', 'set:words', 'a', 'b', BINARY],
  ['SADD', 'set:large', ...range(1000).map((n) => `member ${n}`)],
  ['HSET', 'hash:small', 'f', 'v', BINARY, BINARY, 'n', '12'],
  ['HSET', 'hash:large', ...range(1000).flatMap((n) => [`field ${n}`, `value ${n}`])],
  ['PEXPIREAT', 'hash:large', FAR_MS + 1],
  ['ZADD', 'zset:small', '1.5', 'a', '-inf', 'b', '+inf', 'c', '0', BINARY],
  ['ZADD', 'zset:large', ...range(1000).flatMap((n) => [`${Number(n) / 3}`, `member ${n}`])],
  ['GEOADD', 'geo', '13.4', '52.5', 'Berlin', '-0.12', '51.5', 'London'],
  ['PFADD', 'hll', ...range(500)],
  ['SETBIT', 'bits', 100_000, 1],
  ...range(250).map((n) => ['XADD', 'stream', `${Number(n) + 1}000-1`, 'user', n, 'action', 'login']),
  ['XDEL', 'stream', '7000-1', '250000-1'],
  ['XTRIM', 'stream', 'MINID', '3000-0'],
  ['XGROUP', 'CREATE', 'stream', 'workers', '0'],
  ['XGROUP', 'CREATE', 'stream', 'late', '$'],
  ['XREADGROUP', 'GROUP', 'workers', 'ann', 'COUNT', 5, 'STREAMS', 'stream', '>'],
  ['XREADGROUP', 'GROUP', 'workers', 'bob', 'COUNT', 3, 'STREAMS', 'stream', '>'],
  ['XACK', 'stream', 'workers', '3000-1'],
  ['XGROUP', 'CREATECONSUMER', 'stream', 'late', 'idle'],
  ['XADD', 'stream:emptied', '5-1', 'a', 'b'],
  ['XDEL', 'stream:emptied', '5-1'],
];

const LIBRARY = `#!lua name=sessions
redis.register_function('touch', function(keys, args) return redis.call('EXPIRE', keys[1], args[1]) end)`;

/** Fills databases 0, 3 and 15, and on Redis 7 a library of functions. */
export async function fillServer(server: TestRedis): Promise<void> {
  for (const db of [0, 3, 15]) {
    const commands = db === 0 ? VALUES : [...VALUES.slice(0, 9), ['SET', 'only here', db]];
    await withClient(server, async (client) => await runAll(client, commands), db);
  }
  if (await knowsFunctions(server))
    await withClient(server, async (client) => await client.call('FUNCTION', 'LOAD', LIBRARY));
}

export async function runAll(client: Redis, commands: readonly Command[]): Promise<void> {
  for (let from = 0; from < commands.length; from += 1000) {
    const pipeline = client.pipeline();
    for (const [name, ...args] of commands.slice(from, from + 1000)) pipeline.call(String(name), ...args);
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }
}

export async function knowsFunctions(server: TestRedis): Promise<boolean> {
  const info = await withClient(server, async (client) => await client.info('server'));
  return !/redis_version:6/.test(info);
}

/** Everything a client can see: per database and key its type, expiry to the millisecond and value; the functions. */
export async function readServer(server: TestRedis): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  const databases = await withClient(server, async (client) => await client.info('keyspace'));
  const exact = await knowsFunctions(server);
  for (const [, db] of databases.matchAll(/^db(\d+):/gm)) {
    await withClient(server, async (client) => await readDatabase(client, { all, db: Number(db), exact }), Number(db));
  }
  if (exact)
    all['functions'] = await withClient(server, async (client) => await client.call('FUNCTION', 'LIST', 'WITHCODE'));
  return Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function readDatabase(
  client: Redis,
  into: { readonly all: Record<string, unknown>; readonly db: number; readonly exact: boolean },
): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await client.scanBuffer(cursor, 'COUNT', 1000);
    cursor = next.toString();
    for (const key of keys) into.all[`db${into.db} ${key.toString('latin1')}`] = await readKey(client, key, into.exact);
  } while (cursor !== '0');
}

const READS: Readonly<Record<string, (key: Buffer) => Command>> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, 0, -1],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['ZRANGE', key, 0, -1, 'WITHSCORES'],
  hash: (key) => ['HGETALL', key],
  stream: (key) => ['XRANGE', key, '-', '+'],
};

async function readKey(client: Redis, key: Buffer, exact: boolean): Promise<unknown> {
  const type = await client.type(key);
  const [name, ...args] = READS[type]!(key);
  const value = plain(await client.callBuffer(String(name), ...args));
  const expireAt = exact ? await client.call('PEXPIRETIME', key) : await roughExpiry(client, key);
  const groups =
    type === 'stream' ? groupsOf(plain(await client.callBuffer('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0))) : [];
  return { type, expireAt, value: ordered(type, value), groups };
}

/** Before Redis 7 only the rest is told: to the second, it is the same on both sides. */
async function roughExpiry(client: Redis, key: Buffer): Promise<number> {
  const rest = await client.pttl(key);
  return rest < 0 ? rest : Math.round((Date.now() + rest) / 10_000);
}

/** Sets and hashes have no order of their own. */
function ordered(type: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const items = value.map(String);
  if (type === 'set') return items.toSorted();
  if (type !== 'hash') return value;
  return items.flatMap((field, index) => (index % 2 === 0 ? [`${field}=${items[index + 1]}`] : [])).toSorted();
}

/** How a server lays its tree out in memory is not data; `lag` and `entries-read` are guesses of Redis 7 about older data. */
const NOT_DATA = new Set(['radix-tree-keys', 'radix-tree-nodes', 'lag']);

function groupsOf(info: unknown): unknown {
  if (!Array.isArray(info)) return info;
  const isFields = info.length % 2 === 0 && info.every((item, index) => index % 2 === 1 || typeof item === 'string');
  if (!isFields) return info.map(groupsOf);
  return info.flatMap((name, index) =>
    index % 2 === 1 || NOT_DATA.has(String(name)) ? [] : [[name, name === 'entries' ? '' : groupsOf(info[index + 1])]],
  );
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return Buffer.isBuffer(value) ? value.toString('latin1') : value;
}
