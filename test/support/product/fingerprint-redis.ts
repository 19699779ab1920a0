/** All that a client can read from a Redis server, by the commands of each type; shares nothing with the product. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { TestRedis } from '../servers.ts';
import type { Fingerprint } from './fingerprint-postgres.ts';
import { openRedis } from './redis-client.ts';
import { versionOf } from './seed-redis.ts';

const BATCH = 1_000;

/**
 * Type and absolute expiry in milliseconds. Redis 6.2 knows no PEXPIRETIME: there the clock is read before and after PTTL
 * until both readings are of one millisecond.
 */
const TYPE_AND_EXPIRY = `
local kind = redis.call('TYPE', KEYS[1]).ok
while true do
  local a = redis.call('TIME'); local left = redis.call('PTTL', KEYS[1]); local b = redis.call('TIME')
  local ms = function(t) return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) end
  if left < 0 then return {kind, 'none'} end
  if ms(a) == ms(b) then return {kind, string.format('%.0f', ms(a) + left)} end
end`;

const READS: Readonly<Record<string, readonly string[]>> = {
  string: ['GET'],
  list: ['LRANGE', '0', '-1'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', '0', '-1', 'WITHSCORES'],
  hash: ['HGETALL'],
  stream: ['XINFO', 'STREAM', 'FULL', 'COUNT', '0'],
};

/** One line per key: `key 0 <name>`; and the function libraries. */
export async function fingerprintRedis({ target }: Pick<TestRedis, 'target'>): Promise<Fingerprint> {
  const redis = await openRedis(target);
  try {
    const found: Record<string, string> = {};
    const keyspace = await redis.info('keyspace');
    for (const [, database] of keyspace.matchAll(/^db(\d+):/gm)) {
      await redis.select(Number(database));
      const keys = await redis.keysBuffer('*');
      for (let start = 0; start < keys.length; start += BATCH) {
        await readKeys(
          redis,
          keys.slice(start, start + BATCH),
          (key, line) => (found[`key ${database} ${key}`] = line),
        );
      }
    }
    await redis.select(0);
    if (Number.parseInt(await versionOf(redis), 10) >= 7) {
      found['functions'] = JSON.stringify(await redis.call('FUNCTION', 'LIST', 'WITHCODE'));
    }
    return found;
  } finally {
    redis.disconnect();
  }
}

async function readKeys(
  redis: Redis,
  keys: readonly Buffer[],
  found: (key: string, line: string) => void,
): Promise<void> {
  const looks = redis.pipeline();
  for (const key of keys) looks.eval(TYPE_AND_EXPIRY, 1, key);
  const facts = results(await looks.exec()) as [string, string][];
  const reads = redis.pipeline();
  for (const [index, key] of keys.entries()) {
    const [command, ...more] = READS[facts[index]![0]]!;
    const args = command === 'XINFO' ? [more[0]!, key, ...more.slice(1)] : [key, ...more];
    reads.callBuffer(command!, ...args);
  }
  const values = results(await reads.exec());
  for (const [index, key] of keys.entries()) {
    const [type, expiry] = facts[index]!;
    const content = canonical(type, values[index]);
    found(key.toString('latin1'), `${type} expires ${expiry} ${createHash('sha256').update(content).digest('hex')}`);
  }
}

function results(replies: [Error | null, unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

function canonical(type: string, value: unknown): string {
  const plain = readable(value);
  if (type === 'set') return JSON.stringify((plain as string[]).toSorted());
  if (type === 'hash')
    return JSON.stringify(pairs(plain as unknown[]).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  if (type === 'stream') return JSON.stringify(streamFacts(pairs(plain as unknown[])));
  return JSON.stringify(plain);
}

/** How the server lays the entries out in memory is its own business. */
function streamFacts(facts: readonly (readonly [unknown, unknown])[]): unknown {
  return facts.filter(([name]) => !['radix-tree-keys', 'radix-tree-nodes'].includes(String(name)));
}

function pairs(list: readonly unknown[]): [unknown, unknown][] {
  return list.flatMap((item, index) => (index % 2 === 0 ? [[item, list[index + 1]] as [unknown, unknown]] : []));
}

function readable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return Array.isArray(value) ? value.map(readable) : value;
}
