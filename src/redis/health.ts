import { randomUUID } from 'node:crypto';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import { surveyTarget } from './inspect.ts';
import type { RedisTarget } from './redis.ts';
import { openRedisSocket } from './socket.ts';

/** A key that could not be removed goes by itself. */
const EXPIRY_SECONDS = 60;
const ANSWER_TIMEOUT_MS = 30_000;

export interface RedisHealth {
  readonly server: string;
  readonly role: string;
  /** Over all databases. */
  readonly keys: number;
}

/**
 * Connects, counts, and where it is asked for writes a key, reads it back and removes it.
 * @throws LifeboatError REDIS_*
 */
export async function checkRedis(
  target: RedisTarget,
  { writable }: { readonly writable: boolean },
  operation: Pick<Operation, 'signal'>,
): Promise<RedisHealth> {
  const { server, role, keys } = await surveyTarget(target, operation);
  if (writable) await writeOneKey(target, operation);
  return { server, role, keys };
}

async function writeOneKey(target: RedisTarget, { signal }: Pick<Operation, 'signal'>): Promise<void> {
  const redis = await openRedisSocket(target, { signal, replyTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    const key = `lifeboat:check:${randomUUID()}`;
    await redis.command('SET', key, 'written', 'EX', EXPIRY_SECONDS);
    const found = await redis.command('GET', key);
    await redis.command('DEL', key);
    if (found instanceof Buffer && found.toString() === 'written') return;
    throw new LifeboatError('REDIS_REPLY_ERROR', `check redis ${redis.name}: a key that was written is not there`);
  } finally {
    redis.close();
  }
}
