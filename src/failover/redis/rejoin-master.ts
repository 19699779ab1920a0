import { divergedBytes, follows } from '../../domain/failover/redis-divergence.ts';
import type { RedisView } from '../../domain/failover/redis-view.ts';
import { awaitState } from '../await-state.ts';
import { persistRoles, type RedisNode, withRedis } from './node.ts';
import { actError, describeDivergence, type RedisAct, requireAnswer } from './redis-acts.ts';

/** The keys of the old master were saved, and what only it has is given up. */
export interface GivenUp {
  /** Where they are: the id of a backup. */
  readonly savedAs: string;
  /** As it was shown when that was decided; more is another question. null: that it is unknown. */
  readonly lossBytes: number | null;
}

export interface RejoinMaster extends RedisAct {
  /** Came back, as a master or as a replica of nobody that is there. */
  readonly old: RedisNode;
  readonly master: RedisNode;
  /** Needed where it has writes of its own. */
  readonly givenUp?: GivenUp;
}

export interface RedisRejoin {
  readonly node: string;
  /** Bytes of its stream that were discarded; null where it shared no history with the new master. */
  readonly discardedBytes: number | null;
  readonly changedNow: boolean;
  readonly persisted: boolean;
}

/**
 * Makes an old master a replica of the new one, which discards what only it has. Waits until it is one by both accounts: its old
 * keys stay readable until the copy was loaded.
 * @throws LifeboatError FAILOVER_REJOIN_BLOCKED, FAILOVER_NOT_READY, FAILOVER_NOT_FOLLOWING, FAILOVER_EPOCH_STALE, REDIS_*
 */
export async function rejoinMaster(request: RejoinMaster): Promise<RedisRejoin> {
  const { old, master, mandate, signal } = request;
  const doing = `make ${old.name} a replica of ${master.name}`;
  const [stale, present] = await look(request, doing);
  if (present.role !== 'master') throw actError('FAILOVER_NOT_READY', doing, `${master.name} is a replica itself`);
  const changedNow = !follows(stale, present);
  const discardedBytes = changedNow ? divergedBytes(stale, present) : 0;
  if (changedNow) {
    requireGivenUp(request, { stale, present, doing });
    const { host, port } = master.replicationAddress ?? master.target;
    await mandate.require(doing);
    await withRedis(old, signal, async (redis) => redis.command('REPLICAOF', host, port));
  }
  const [after, before] = await awaitState(async () => look(request, doing), isSeenByBoth, request);
  if (!isSeenByBoth([after, before])) {
    throw actError(
      'FAILOVER_NOT_FOLLOWING',
      doing,
      `link ${after.link?.up === true ? 'up' : 'down'}, of ${after.replid}`,
    );
  }
  const persisted = await withRedis(old, signal, persistRoles);
  return { node: old.name, discardedBytes, changedNow, persisted };
}

async function look({ old, master, signal }: RejoinMaster, doing: string): Promise<[RedisView, RedisView]> {
  return Promise.all([requireAnswer(old, doing, signal), requireAnswer(master, doing, signal)]);
}

function isSeenByBoth([replica, master]: readonly [RedisView, RedisView]): boolean {
  return follows(replica, master) && master.replicas.some(({ state }) => state === 'online');
}

function requireGivenUp(
  { givenUp }: RejoinMaster,
  { stale, present, doing }: { readonly stale: RedisView; readonly present: RedisView; readonly doing: string },
): void {
  const bytes = divergedBytes(stale, present);
  if (bytes === 0) return;
  const facts = describeDivergence(stale, present);
  if (givenUp === undefined || givenUp.savedAs === '') throw actError('FAILOVER_REJOIN_BLOCKED', doing, facts);
  if (givenUp.lossBytes === null || (bytes !== null && bytes <= givenUp.lossBytes)) return;
  const what = `${facts}, and ${givenUp.lossBytes} were given up`;
  throw actError('FAILOVER_REJOIN_BLOCKED', doing, what);
}
