import { LifeboatError } from '../../domain/errors.ts';
import { isAgentAddress } from '../agent/address.ts';
import { requireCounts } from '../inspect.ts';
import type { RedisImport } from '../redis.ts';
import { type ServerView, totalOf, viewServer } from '../server-view.ts';
import type { RedisSocket } from '../socket.ts';
import { markerKeyOf, replidOf } from './identity.ts';

/** Offset at which a snapshot is offered: any number above 0 will do, since its history begins with it. */
export const AGENT_OFFSET = 1;

export interface TargetState {
  readonly view: ServerView;
  /** Is there anything that a restore would replace? */
  readonly occupied: boolean;
  /** The snapshot was loaded by an earlier attempt; whether it was written to since then only a proof can tell. */
  readonly loaded: boolean;
  /** Servers that follow the target. Agents, like the journal's, announce no port: they bear it when the history changes. */
  readonly replicas: number;
}

/**
 * Looks at the target and decides whether loading may begin; puts right what an earlier attempt left behind when its
 * process died. REDIS_TARGET_IS_REPLICA, REDIS_NOT_EMPTY, REDIS_NOT_READY, REDIS_PERMISSION_DENIED; nothing has been
 * changed then.
 */
export async function prepareTarget(redis: RedisSocket, request: RedisImport): Promise<TargetState> {
  let view = await viewServer(redis);
  let own = false;
  if (view.role === 'replica') {
    if (!isAgentAddress(view.info.get('master_host') ?? '')) throw isReplica(view, redis);
    // An agent of ours that is gone: the target would wait for it for ever, and refuse writes meanwhile.
    await redis.command('REPLICAOF', 'NO', 'ONE');
    view = await viewServer(redis);
    own = true;
  }
  const occupied = totalOf(requireCounts(view, redis)) + view.functions > 0;
  const loaded = isLoaded(view, request);
  if (occupied && !request.dropExisting && !own && !loaded && !(await isMarked(redis, request))) {
    throw notEmpty(view, redis);
  }
  return { view, occupied, loaded: loaded && occupied, replicas: countReplicas(view) };
}

/** `slave0:ip=…,port=6379,…`: who can be connected to names a port. */
function countReplicas({ info }: ServerView): number {
  const agents = [...info].filter(([name, facts]) => /^slave\d+$/.test(name) && /(?:^|,)port=0(?:,|$)/.test(facts));
  return Number(info.get('connected_slaves') ?? 0) - agents.length;
}

/** REPLICAOF NO ONE keeps the history it ends as `master_replid2`. */
function isLoaded(view: ServerView, request: RedisImport): boolean {
  return view.info.get('master_replid2') === replidOf(request.facts);
}

async function isMarked(redis: RedisSocket, request: RedisImport): Promise<boolean> {
  const [found] = await redis.pipeline([['EXISTS', markerKeyOf(request.facts)]]);
  // A user who may not ask gets the careful answer: not ours.
  return found === 1;
}

function isReplica(view: ServerView, redis: RedisSocket): LifeboatError {
  const master = `${view.info.get('master_host')}:${view.info.get('master_port')}`;
  return new LifeboatError(
    'REDIS_TARGET_IS_REPLICA',
    `restore into redis ${redis.name}: it replicates from ${master}`,
    {
      details: { master },
    },
  );
}

export function notEmpty(view: ServerView, redis: RedisSocket): LifeboatError {
  const keys = totalOf(view.databases ?? {});
  const what = `${keys} keys and ${view.functions} function libraries`;
  return new LifeboatError('REDIS_NOT_EMPTY', `restore into redis ${redis.name}: it holds ${what}`, {
    details: { keys, functions: view.functions },
  });
}
