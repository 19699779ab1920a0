import type { LoadedConfig } from '../../config/load-config.ts';
import { isRedisConfigured, redisTarget } from '../../config/redis-target.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { createRedis } from '../../redis/create-redis.ts';
import type { RedisSource } from '../../redis/redis.ts';
import { formatBytes } from '../units.ts';
import { type ConfigCheck, fail, pass, skip } from './check.ts';

const CONNECTION = 'redis connection';
const METHOD = 'redis method';

/** Connection and method of the Redis under protection. Nothing is changed. */
export async function checkRedis(loaded: LoadedConfig): Promise<readonly ConfigCheck[]> {
  if (!isRedisConfigured(loaded)) {
    return [skip(CONNECTION, 'no Redis is configured', 'set REDIS_URL, or redis.url in the configuration')];
  }
  try {
    const source = await createRedis().inspect(redisTarget(loaded));
    return [
      pass(
        CONNECTION,
        `Redis ${source.server}, ${source.role}: ${source.keys} keys, ${formatBytes(source.usedMemoryBytes)}`,
      ),
      checkMethod(source, loaded.config.redis.method),
    ];
  } catch (error) {
    return [fail(CONNECTION, error), skip(METHOD, `not tried: ${CONNECTION} failed`)];
  }
}

function checkMethod(source: RedisSource, wanted: LoadedConfig['config']['redis']['method']): ConfigCheck {
  if (wanted === 'rdb-file') {
    return fail(
      METHOD,
      new LifeboatError(
        'SOURCE_METHOD_UNAVAILABLE',
        'redis.method is rdb-file: only auto, replication and dump are there',
      ),
    );
  }
  if (wanted === 'replication' && source.method !== 'replication') {
    return fail(
      METHOD,
      new LifeboatError('SOURCE_METHOD_UNAVAILABLE', `redis.method is replication: ${source.methodReason}`),
    );
  }
  if (source.method === 'replication' && wanted !== 'dump') return pass(METHOD, 'replication: all keys of one instant');
  const reason = wanted === 'dump' ? 'redis.method is dump' : source.methodReason;
  return pass(METHOD, `dump: key by key, not at one instant (${reason})`);
}
