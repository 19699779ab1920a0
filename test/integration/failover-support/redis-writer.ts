/** A writer that knows which keys were acknowledged. */
import { setTimeout as delay } from 'node:timers/promises';
import { openRedisSocket } from '../../../src/redis/socket.ts';
import type { RedisTarget } from '../../../src/redis/redis.ts';
import type { TestRedis } from '../../support/servers.ts';

/** Sets keys one by one on the first server that takes writes. */
export function startRedisWriter(
  targets: readonly RedisTarget[],
  from = 0,
): { readonly acknowledged: ReadonlySet<number>; stop(): Promise<void> } {
  const acknowledged = new Set<number>();
  let stopping = false;
  let id = from;
  const write = async (target: RedisTarget): Promise<void> => {
    const redis = await openRedisSocket(target);
    try {
      while (!stopping) {
        id += 1;
        await redis.command('SET', `written:${id}`, id);
        acknowledged.add(id);
      }
    } finally {
      redis.close();
    }
  };
  const run = async (): Promise<void> => {
    for (let turn = 0; !stopping; turn += 1) {
      // Read-only or gone: the key was not acknowledged, and the next server is tried.
      await write(targets[turn % targets.length]!).catch(async () => delay(5));
    }
  };
  const running = run();
  return {
    acknowledged,
    async stop() {
      stopping = true;
      await running;
    },
  };
}

/** How many of the numbers have no key on a server. */
export async function missingKeys(server: Pick<TestRedis, 'target'>, numbers: ReadonlySet<number>): Promise<number> {
  const redis = await openRedisSocket(server.target);
  try {
    const replies = await redis.pipeline([...numbers].map((number) => ['EXISTS', `written:${number}`]));
    return replies.filter((reply) => reply !== 1).length;
  } finally {
    redis.close();
  }
}
