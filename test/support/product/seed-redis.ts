/** Every type of value, expiries, binary names and several databases. */
import { randomBytes } from 'node:crypto';
import { openRedis } from './redis-client.ts';
import type { TestRedis } from '../servers.ts';

export interface RedisSeed {
  /** Sessions with an expiry. Default 300. */
  readonly sessions?: number;
  /** Incompressible bytes in strings of 64 KB, MB. Default 0. */
  readonly ballastMb?: number;
}

const DAY_MS = 86_400_000;
const BATCH = 500;

export async function seedRedis(server: TestRedis, seed: RedisSeed = {}): Promise<void> {
  const { sessions = 300, ballastMb = 0 } = seed;
  const redis = await openRedis(server.target);
  try {
    const expiry = Date.now() + DAY_MS;
    for (let start = 0; start < sessions; start += BATCH) {
      const batch = redis.pipeline();
      for (let n = start; n < Math.min(start + BATCH, sessions); n += 1) {
        batch.set(`session:${n}`, JSON.stringify({ user: n, scopes: ['read', 'write'] }), 'PXAT', expiry + n * 1_001);
      }
      await batch.exec();
    }
    await seedTypes(redis);
    for (let n = 0; n < ballastMb * 16; n += 1) await redis.set(`ballast:${n}`, randomBytes(64 * 1_024));
  } finally {
    redis.disconnect();
  }
}

async function seedTypes(redis: Awaited<ReturnType<typeof openRedis>>): Promise<void> {
  const binary = Buffer.from([0, 255, 10, 13, 34, 92, 128]);
  await redis.set(binary, Buffer.concat([binary, binary]));
  await redis.set('empty', '');
  await redis.set('number', '-9007199254740993');
  await redis.rpush('list:small', 'a', '', binary, '42');
  await redis.rpush('list:long', ...Array.from({ length: 600 }, (_, n) => `item ${n} ${'x'.repeat(n % 90)}`));
  await redis.sadd('set:numbers', ...Array.from({ length: 40 }, (_, n) => String(n * n)));
  await redis.sadd('set:words', ...Array.from({ length: 700 }, (_, n) => `word ${n}`), binary);
  await redis.hset('hash:small', 'name', 'Zoë', 'empty', '');
  await redis.hset(
    'hash:large',
    Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`field ${n}`, `value ${n}`])),
  );
  await redis.zadd('zset:small', '-inf', 'first', '0.1', 'tenth', '1e300', 'last');
  await redis.zadd('zset:large', ...Array.from({ length: 300 }, (_, n) => [n / 7, `member ${n}`]).flat());
  await redis.pfadd('hyperloglog', ...Array.from({ length: 500 }, (_, n) => `visitor ${n}`));
  await seedStreams(redis);
  await redis.pexpireat('hash:small', Date.now() + 2 * DAY_MS);
  await redis.select(3);
  await redis.set('in database 3', 'three', 'PXAT', Date.now() + 3 * DAY_MS);
  await redis.sadd('set:words', 'another set of the same name');
  await redis.select(15);
  await redis.rpush('in database 15', 'last');
  await redis.select(0);
  if (Number.parseInt(await versionOf(redis), 10) >= 7) {
    await redis.call(
      'FUNCTION',
      'LOAD',
      "#!lua name=auth\nredis.register_function('ping_auth', function() return 'pong' end)",
    );
  }
}

/** Groups with consumers, pending entries, a deleted entry and one trimmed away. */
async function seedStreams(redis: Awaited<ReturnType<typeof openRedis>>): Promise<void> {
  for (let n = 1; n <= 250; n += 1) await redis.xadd('stream', `${n}-1`, 'n', String(n), 'even', String(n % 2 === 0));
  await redis.xdel('stream', '9-1', '250-1');
  await redis.xgroup('CREATE', 'stream', 'mailers', '0');
  await redis.xgroup('CREATE', 'stream', 'auditors', '100-1');
  await redis.xreadgroup('GROUP', 'mailers', 'alice', 'COUNT', 5, 'STREAMS', 'stream', '>');
  await redis.xreadgroup('GROUP', 'mailers', 'bob', 'COUNT', 3, 'STREAMS', 'stream', '>');
  await redis.xack('stream', 'mailers', '2-1', '7-1');
  await redis.xadd('stream:empty', '5-5', 'a', 'b');
  await redis.xdel('stream:empty', '5-5');
}

export async function versionOf(redis: Awaited<ReturnType<typeof openRedis>>): Promise<string> {
  return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '0';
}
