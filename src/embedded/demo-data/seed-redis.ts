import { Redis } from 'ioredis';
import type { RedisTarget } from '../../redis/redis.ts';

/** How many keys of each sort there are. */
export const AUTH_KEYS = { sessions: 100_000, rateLimits: 20_000, devices: 5_000, events: 2_000 } as const;

/** Set last: without it the making was interrupted and is done again, which writes the same keys once more. */
const SEEDED = 'demo:seeded';
/** One script call makes this many keys, so that the server answers others in between. */
const BATCH = 5_000;

/**
 * Makes a range of keys inside the server: a hundred thousand commands would cost more on the wire than in it.
 * ARGV: sort, first, last, seed, now in milliseconds. Values depend on the seed alone, expiries on the day.
 */
const MAKE_KEYS = `
local sort, first, last, seed, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
for n = first, last do
  local digest = redis.sha1hex(seed .. sort .. n)
  local expires = string.format('%d', now + 3600000 + n * 350)
  if sort == 'session' then
    local key = 'session:' .. digest
    redis.call('HSET', key, 'user', 'User.' .. n, 'ip', '10.' .. n % 256 .. '.0.7', 'csrf', string.sub(digest, 1, 20), 'mfa', n % 3)
    redis.call('PEXPIREAT', key, expires)
  elseif sort == 'rate' then
    redis.call('SET', 'rate:login:' .. digest, n % 30, 'PX', string.format('%d', 3600000 + n * 90))
  elseif sort == 'device' then
    redis.call('SADD', 'devices:' .. n, digest, n, 'web')
    redis.call('RPUSH', 'recent:' .. n, digest, string.sub(digest, 5, 9))
    redis.call('ZADD', 'logins:by-score', n % 997 / 7, digest)
  else
    redis.call('XADD', 'auth:events', n .. '-1', 'kind', 'login', 'user', n, 'digest', digest)
  end
end
return last - first + 1`;

const LIBRARY = `#!lua name=auth
redis.register_function('touch_session', function(keys, args) return redis.call('PEXPIREAT', keys[1], args[1]) end)`;

/** Fills an empty server; false where it was done already. Makes a function library where the server knows them (7). */
export async function seedRedis(target: RedisTarget, seed: number, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const { host, port, password } = target;
  const redis = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
  });
  // What breaks the connection also fails the command that waits for it.
  redis.on('error', () => undefined);
  const cut = (): void => redis.disconnect();
  signal.addEventListener('abort', cut, { once: true });
  try {
    await redis.connect();
    if ((await redis.exists(SEEDED)) === 1) return false;
    await makeAll(redis, String(seed));
    await redis.set(SEEDED, String(seed));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
    redis.disconnect();
  }
}

async function makeAll(redis: Redis, seed: string): Promise<void> {
  const now = String(Date.now());
  // Entries of a stream can only be added behind the last one.
  await redis.del('auth:events');
  const sorts = {
    session: AUTH_KEYS.sessions,
    rate: AUTH_KEYS.rateLimits,
    device: AUTH_KEYS.devices,
    event: AUTH_KEYS.events,
  };
  for (const [sort, count] of Object.entries(sorts)) {
    for (let first = 1; first <= count; first += BATCH) {
      await redis.eval(MAKE_KEYS, 0, sort, first, Math.min(count, first + BATCH - 1), seed, now);
    }
  }
  await redis.xgroup('CREATE', 'auth:events', 'mailer', '0');
  // Delivered and not yet acknowledged: a group without pending entries proves little.
  await redis.xreadgroup('GROUP', 'mailer', 'mailer-1', 'COUNT', 40, 'STREAMS', 'auth:events', '>');
  const major = Number(/redis_version:(\d+)/.exec(await redis.info('server'))?.[1] ?? 0);
  if (major >= 7) await redis.call('FUNCTION', 'LOAD', 'REPLACE', LIBRARY);
}
