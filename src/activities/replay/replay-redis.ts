import type { Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import { cutOf, openRedisReplay } from '../../recovery/replay/open-redis-replay.ts';
import type { StreamCut } from '../../redis/journal/journal.ts';
import { removeReplayed } from '../../redis/journal/replay/remove-replayed.ts';
import { replayIntoServer } from '../../redis/journal/replay/replay-into-server.ts';
import type { RedisTarget } from '../../redis/redis.ts';
import type { Dependencies } from '../dependencies.ts';

type RedisReplay = NonNullable<ReplayPlan['redis']>;

/** Where the stream is to be cut; finding it reads all of it, so that damage is found before live keys are touched. */
export async function findRedisCut(deps: Dependencies, replay: RedisReplay, operation: Operation): Promise<StreamCut> {
  return cutOf(await openRedisReplay(deps, replay, operation), replay.target, operation);
}

export async function replayRedisIntoServer(
  deps: Dependencies,
  request: {
    readonly replay: RedisReplay;
    readonly cut: StreamCut;
    readonly dropExisting: boolean;
    readonly target: RedisTarget;
    readonly agentHost: string | undefined;
  },
  operation: Operation,
): Promise<{ readonly keys: number; readonly method: string; readonly checks: readonly Check[] }> {
  const { facts, snapshot, stream } = await openRedisReplay(deps, request.replay, operation);
  const { cut, dropExisting, target, agentHost } = request;
  const { checks, keys } = await replayIntoServer(
    { target, facts, cut, dropExisting, ...(agentHost === undefined ? {} : { agentHost }) },
    { snapshot, stream, operation },
  );
  return { keys, method: 'replay', checks };
}

/** The way back from `replayRedisIntoServer` where the server was empty before. */
export async function removeReplayedRedis(
  deps: Dependencies,
  request: { readonly replay: RedisReplay; readonly cut: StreamCut; readonly target: RedisTarget },
  operation: Operation,
): Promise<{ readonly keys: number; readonly checks: readonly Check[] }> {
  const { replay, cut, target } = request;
  const { facts, snapshot, stream } = await openRedisReplay(deps, replay, operation);
  const serverPath = await deps.redisServer();
  return removeReplayed({ target, facts, cut, serverPath }, { snapshot, stream, operation });
}
