import { openRedisSocket, type RedisSocket } from '../../redis/socket.ts';
import type { RedisTarget } from '../../redis/redis.ts';

export interface RedisNode {
  /** Name of its region. */
  readonly name: string;
  readonly target: RedisTarget;
  /** Where replicas reach it; the target's address by default. */
  readonly replicationAddress?: { readonly host: string; readonly port: number };
}

/** A server that answers nothing for so long is stuck, or its line is cut. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Gives `use` a connection, and closes it whatever happens. */
export async function withRedis<T>(
  node: Pick<RedisNode, 'target'>,
  signal: AbortSignal,
  use: (redis: RedisSocket) => Promise<T>,
): Promise<T> {
  const redis = await openRedisSocket(node.target, { signal, replyTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    return await use(redis);
  } finally {
    redis.close();
  }
}

/**
 * Writes the present roles into the server's configuration file, so that a restart keeps them. False where the server was started
 * without one, or does not allow it: then its role at the next start is that of its command line.
 */
export async function persistRoles(redis: RedisSocket): Promise<boolean> {
  const [reply] = await redis.pipeline([['CONFIG', 'REWRITE']]);
  return reply === 'OK';
}
