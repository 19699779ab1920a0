import { RespError } from '../resp.ts';
import type { RedisSocket } from '../socket.ts';

const OPTION = 'replica-read-only';

export interface ReplicaWrites {
  /** The option was `no` and is `yes` now: `reopenToWrites` is owed. */
  readonly reopens: boolean;
  /** Why clients may write to the target although it is a replica; empty where they may not. */
  readonly open: string;
}

/**
 * Makes sure that the target takes no writes once it is a replica: the default, but `replica-read-only no` lets clients
 * write into what is being loaded. Should we die before it is set back, the option stays `yes` until the target starts
 * again or somebody sets it; it has no meaning for a master.
 */
export async function closeToWrites(redis: RedisSocket): Promise<ReplicaWrites> {
  const [found] = await redis.pipeline([['CONFIG', 'GET', OPTION]]);
  if (!Array.isArray(found) || !(found[1] instanceof Buffer)) {
    // No right to ask, or a server without CONFIG: `no` is rare, but nobody can rule it out.
    return { reopens: false, open: `config get ${OPTION} is not allowed` };
  }
  if (found[1].toString('latin1') !== 'no') return { reopens: false, open: '' };
  const [set] = await redis.pipeline([['CONFIG', 'SET', OPTION, 'yes']]);
  if (set instanceof RespError) return { reopens: false, open: `${OPTION} is no, and config set is not allowed` };
  return { reopens: true, open: '' };
}

export async function reopenToWrites(redis: RedisSocket): Promise<void> {
  await redis.command('CONFIG', 'SET', OPTION, 'no');
}
