import { Redis } from 'ioredis';
import type { RedisTarget } from '../../../redis/redis.ts';
import type { KeyReading } from './compare.ts';

/** Keys per call of the script, which holds the server for some milliseconds. */
const BATCH = 2_000;
/** Before version 7 an expiry is told as the time that is left, and a moment passes between the two clocks. */
const TOLERANCE_MS = 50;

/**
 * Type, digest of the value in an order of its own, and absolute expiry of each key. The server reads its own values; nothing
 * here is shared with the product. ARGV[1] is 1 where the server tells the instant of an expiry.
 */
const READ_KEYS = `
local function mark(parts, value) parts[#parts + 1] = #tostring(value) .. ':' .. tostring(value) end
local function sorted(values) table.sort(values) return values end
local function field(flat, name) for i = 1, #flat, 2 do if flat[i] == name then return flat[i + 1] end end end
local read = {
  string = function(key) return { redis.call('GET', key) } end,
  list = function(key) return redis.call('LRANGE', key, 0, -1) end,
  set = function(key) return sorted(redis.call('SMEMBERS', key)) end,
  zset = function(key) return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end,
  hash = function(key)
    local flat, pairs_ = redis.call('HGETALL', key), {}
    for i = 1, #flat, 2 do pairs_[#pairs_ + 1] = #flat[i] .. ':' .. flat[i] .. flat[i + 1] end
    return sorted(pairs_)
  end,
  stream = function(key)
    local parts = { field(redis.call('XINFO', 'STREAM', key), 'last-generated-id') }
    for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do
      parts[#parts + 1] = entry[1]
      for _, value in ipairs(entry[2]) do parts[#parts + 1] = value end
    end
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
      local name = field(group, 'name')
      parts[#parts + 1] = name
      parts[#parts + 1] = field(group, 'last-delivered-id')
      for _, pending in ipairs(redis.call('XPENDING', key, name, '-', '+', 100000)) do
        parts[#parts + 1] = pending[1] .. ' ' .. pending[2] .. ' ' .. pending[4]
      end
    end
    return parts
  end,
}
local answer = {}
for _, key in ipairs(KEYS) do
  local type = redis.call('TYPE', key).ok
  if read[type] then
    local parts = {}
    for _, value in ipairs(read[type](key)) do mark(parts, value) end
    local expires
    if ARGV[1] == '1' then
      expires = redis.call('PEXPIRETIME', key)
    else
      expires = redis.call('PTTL', key)
      local now = redis.call('TIME')
      if expires >= 0 then expires = expires + now[1] * 1000 + math.floor(now[2] / 1000) end
    end
    for _, fact in ipairs({ key, type, redis.sha1hex(table.concat(parts)), string.format('%d', expires) }) do answer[#answer + 1] = fact end
  end
end
return answer`;

export interface RedisReading {
  readonly keys: ReadonlyMap<string, KeyReading>;
  readonly libraries: string;
  readonly expiryToleranceMs: number;
}

/** Reads every key of every database, and the function libraries. */
export async function readRedis({ host, port, password }: RedisTarget): Promise<RedisReading> {
  const redis = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
  });
  // What breaks the connection also fails the command that waits for it.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const major = Number(/redis_version:(\d+)/.exec(await redis.info('server'))?.[1] ?? 0);
    const keys = new Map<string, KeyReading>();
    for (const [, database] of (await redis.info('keyspace')).matchAll(/^db(\d+):/gm)) {
      await redis.select(Number(database));
      await readDatabase(redis, { name: database ?? '', tellsInstant: major >= 7, keys });
    }
    const libraries = major >= 7 ? JSON.stringify(await redis.call('FUNCTION', 'LIST', 'WITHCODE')) : '';
    return { keys, libraries, expiryToleranceMs: major >= 7 ? 0 : TOLERANCE_MS };
  } finally {
    redis.disconnect();
  }
}

async function readDatabase(
  redis: Redis,
  {
    name,
    tellsInstant,
    keys,
  }: { readonly name: string; readonly tellsInstant: boolean; readonly keys: Map<string, KeyReading> },
): Promise<void> {
  let cursor = '0';
  do {
    const [next, names] = await redis.scanBuffer(cursor, 'COUNT', BATCH);
    cursor = next.toString();
    if (names.length === 0) continue;
    const answer = await redis.callBuffer('EVAL', [READ_KEYS, names.length, ...names, tellsInstant ? '1' : '0']);
    for (const reading of inFours(answer)) keys.set(`${name}/${reading.key}`, reading);
  } while (cursor !== '0');
}

/** The script's flat answer: key, type, digest and expiry, again and again. */
function* inFours(answer: unknown): Generator<KeyReading & { readonly key: string }> {
  const facts: readonly unknown[] = Array.isArray(answer) ? answer : [];
  for (let at = 0; at < facts.length; at += 4) {
    const [key, type, digest, expires] = facts.slice(at, at + 4);
    // One character for each byte: names need not be text.
    const name = Buffer.isBuffer(key) ? key.toString('latin1') : '';
    yield { key: name, type: String(type), digest: String(digest), expiresAtMs: Number(String(expires)) };
  }
}
