import { follows } from '../../domain/failover/redis-divergence.ts';
import { awaitState } from '../await-state.ts';
import type { RedisReplica, RedisView } from '../../domain/failover/redis-view.ts';
import { persistRoles, type RedisNode, withRedis } from './node.ts';
import { observeRedis } from './observe.ts';
import { actError, type RedisAct, requireAnswer, requireWritable } from './redis-acts.ts';

export interface HandOver extends RedisAct {
  readonly master: RedisNode;
  readonly replica: RedisNode;
}

export interface RedisChange {
  readonly node: string;
  /** History and offset at which it took over. */
  readonly replid: string;
  readonly forkOffset: number;
  /** False where it was master before. */
  readonly changedNow: boolean;
  /** The new role survives a restart: it is in the server's configuration file. */
  readonly persisted: boolean;
}

/** The server gives up on its own after `timeoutMs`; it is watched for so much longer. */
const MARGIN_MS = 5_000;

/**
 * The graceful change of roles: the master holds its writers, waits until the replica has all, and becomes its replica. `OK` means that
 * it has begun; both sides are looked at until it is done. A server that gives up stays master, and takes writes again.
 * https://redis.io/docs/latest/commands/failover/
 * @throws LifeboatError FAILOVER_NOT_READY, FAILOVER_NOT_PROMOTED (it gave up), FAILOVER_EPOCH_STALE, REDIS_*
 */
export async function handOver(request: HandOver): Promise<RedisChange> {
  const { master, replica, mandate, signal } = request;
  const doing = `hand ${master.name} over to ${replica.name}`;
  const [old, next] = await Promise.all([master, replica].map(async (node) => requireAnswer(node, doing, signal)));
  if (next!.role === 'master' && follows(old!, next!)) return finish(request, next!, false);
  const place = placeOf(old!, next!, { replica, doing });
  if (old!.failoverState === 'no-failover') {
    await mandate.require(doing);
    const command = ['FAILOVER', 'TO', place.host, place.port, 'TIMEOUT', request.timeoutMs] as const;
    await withRedis(master, signal, async (redis) => redis.command(...command));
  }
  const [demoted, promoted] = await awaitState(
    async () => Promise.all([observeRedis(master, signal), observeRedis(replica, signal)]),
    ([a, b]) => a.answers && b.answers && (hasGivenUp(a, b) || (b.role === 'master' && follows(a, b))),
    { timeoutMs: request.timeoutMs + MARGIN_MS, signal },
  );
  if (!promoted.answers) throw actError('FAILOVER_NOT_PROMOTED', doing, promoted.reason);
  requireWritable(promoted, doing);
  if (demoted.answers && follows(demoted, promoted)) return finish(request, promoted, true);
  const what = demoted.answers ? `${master.name} is ${demoted.role}, and does not follow` : demoted.reason;
  throw actError('FAILOVER_NOT_FOLLOWING', doing, what);
}

function hasGivenUp(master: RedisView, replica: RedisView): boolean {
  return master.role === 'master' && replica.role === 'replica' && master.failoverState === 'no-failover';
}

/** The address under which the master knows its replica: FAILOVER TO takes no other. */
function placeOf(
  old: RedisView,
  next: RedisView,
  { replica, doing }: { readonly replica: RedisNode; readonly doing: string },
): RedisReplica {
  if (old.role !== 'master' || next.role !== 'replica') {
    throw actError('FAILOVER_NOT_READY', doing, `${old.node} is ${old.role}, ${next.node} is ${next.role}`);
  }
  if (!follows(next, old)) throw actError('FAILOVER_NOT_READY', doing, `${next.node} does not follow ${old.node} now`);
  const port = replica.replicationAddress?.port ?? replica.target.port;
  const known = old.replicas.filter((one) => one.state === 'online' && one.port === port);
  const chosen =
    known.find(({ host }) => host === (replica.replicationAddress?.host ?? replica.target.host)) ?? known[0];
  if (chosen !== undefined && (known.length === 1 || chosen !== known[0])) return chosen;
  const what = `${old.node} knows ${known.length} replicas on port ${port} that could be ${next.node}`;
  throw actError('FAILOVER_NOT_READY', doing, what);
}

async function finish(
  { master, replica, signal }: HandOver,
  promoted: RedisView,
  changedNow: boolean,
): Promise<RedisChange> {
  const written = await Promise.all([master, replica].map(async (node) => withRedis(node, signal, persistRoles)));
  return {
    node: replica.name,
    replid: promoted.replid,
    forkOffset: promoted.secondOffset - 1,
    changedNow,
    persisted: written.every(Boolean),
  };
}
