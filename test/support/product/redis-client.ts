import { Redis } from 'ioredis';
import type { TestRedis } from '../servers.ts';

/** A connection of its own that gives up at the first trouble; the caller disconnects it. */
export async function openRedis(target: TestRedis['target']): Promise<Redis> {
  const { host, port, password } = target;
  const redis = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  // Commands reject with what happened; without a listener the same error would end the test process.
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
}
