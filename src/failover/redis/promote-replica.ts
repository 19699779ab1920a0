import { awaitState } from '../await-state.ts';
import { persistRoles, type RedisNode, withRedis } from './node.ts';
import { observeRedis } from './observe.ts';
import type { RedisChange } from './hand-over.ts';
import { actError, describeDivergence, type RedisAct, requireAnswer, requireWritable } from './redis-acts.ts';

/**
 * Why the old master takes no more writes. Redis has no file that keeps a stopped server from coming back as a master, so that a
 * fence is one of its host (`fenced`), or somebody takes it on (`approved`).
 */
export interface RedisProof {
  readonly kind: 'fenced' | 'approved';
  /** Who or what says so. */
  readonly by: string;
  readonly evidence: string;
  /** History of the old master, as it was last seen: a replica of another is not promoted. */
  readonly replid: string;
}

export interface PromoteReplica extends RedisAct {
  readonly replica: RedisNode;
  /** Looked at once more before the act. */
  readonly old: RedisNode;
  readonly proof: RedisProof;
}

/**
 * Promotes a replica of a master that is gone, once: it looks first.
 * @throws LifeboatError FAILOVER_SPLIT_BRAIN, FAILOVER_FOREIGN_STANDBY, FAILOVER_FENCE_UNPROVEN, FAILOVER_NOT_READY,
 *   FAILOVER_NOT_PROMOTED, FAILOVER_EPOCH_STALE, REDIS_*
 */
export async function promoteReplica(request: PromoteReplica): Promise<RedisChange> {
  const { replica, proof, mandate, signal } = request;
  const doing = `promote ${replica.name}`;
  const view = await requireAnswer(replica, doing, signal);
  if (view.role === 'master') {
    if (view.replid2 === proof.replid) return finish(request, false);
    throw foreign(doing, `it is a master, and does not come from ${proof.replid}`);
  }
  if (view.replid !== proof.replid) throw foreign(doing, `it follows ${view.replid}, the service is ${proof.replid}`);
  if (view.loading) throw actError('FAILOVER_NOT_READY', doing, 'it has a part of the data only: it still loads');
  if (proof.by === '' || proof.evidence === '') {
    throw actError('FAILOVER_FENCE_UNPROVEN', doing, 'nobody says why the old master takes no more writes');
  }
  await refuseSecondMaster(request, doing);
  await mandate.require(doing);
  await withRedis(replica, signal, async (redis) => redis.command('REPLICAOF', 'NO', 'ONE'));
  return finish(request, true);
}

async function refuseSecondMaster({ old, replica, signal }: PromoteReplica, doing: string): Promise<void> {
  const view = await observeRedis(old, signal);
  if (!view.answers || view.role !== 'master') return;
  const present = await requireAnswer(replica, doing, signal);
  const what = `${view.node} takes writes at ${view.offset}; ${describeDivergence(view, present)}`;
  throw actError('FAILOVER_SPLIT_BRAIN', doing, what);
}

async function finish({ replica, timeoutMs, signal }: PromoteReplica, changedNow: boolean): Promise<RedisChange> {
  const doing = `promote ${replica.name}`;
  const view = await awaitState(
    async () => requireAnswer(replica, doing, signal),
    ({ role }) => role === 'master',
    { timeoutMs, signal },
  );
  requireWritable(view, doing);
  const persisted = await withRedis(replica, signal, persistRoles);
  return { node: replica.name, replid: view.replid, forkOffset: view.secondOffset - 1, changedNow, persisted };
}

function foreign(doing: string, what: string): Error {
  return actError('FAILOVER_FOREIGN_STANDBY', doing, what);
}
