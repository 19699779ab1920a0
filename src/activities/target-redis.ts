import { lookup } from 'node:dns/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import type { RestoreSurvey } from '../domain/restore-plan.ts';
import { targetRedisUrl } from '../domain/target-redis.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import type { RedisTarget } from '../redis/redis.ts';
import type { Dependencies, WorkSettings } from './dependencies.ts';
import { configured, redisTarget } from './sources.ts';

/** The Redis that a restore loads into: the configured one, or the one of a URL. */
export function redisPlace(
  settings: WorkSettings,
  url: string | undefined,
): { readonly target: RedisTarget; readonly agentHost: string | undefined } {
  if (url === undefined) return configured(settings, 'redis');
  return { target: settings.redisAt(url), agentHost: settings.redis?.agentHost };
}

/**
 * What stands in the way there. A URL of the configured server means that one: its keys are saved, and can be brought back.
 * @throws LifeboatError USAGE_INVALID for a URL with a password, REDIS_*
 */
export async function surveyRedisTarget(
  deps: Dependencies,
  url: string | null | undefined,
  operation: Operation,
): Promise<NonNullable<RestoreSurvey['redis']>> {
  const { settings, redis } = deps;
  if (url == null) return redis.surveyTarget(redisTarget(settings), operation);
  const target = targetRedisUrl(url);
  const at = settings.redisAt(target);
  // Before anything is asked there: the configured server is entered as the configuration says.
  if (settings.redis !== null && (await haveOneAddress(settings.redis.target, at))) {
    return redis.surveyTarget(settings.redis.target, operation);
  }
  const found = await redis.surveyTarget(at, operation);
  return (await isLive(deps, found.runId, operation)) ? found : { ...found, target };
}

async function haveOneAddress(one: RedisTarget, other: RedisTarget): Promise<boolean> {
  if (one.port !== other.port) return false;
  const [first, second] = await Promise.all([addressesOf(one.host), addressesOf(other.host)]);
  return first.some((address) => second.includes(address));
}

async function addressesOf(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true }).catch((error: unknown) => {
    if (systemErrorCode(error) === undefined) throw error;
    // No such name: whoever connects to it says so.
    return [];
  });
  return found.map(({ address }) => address);
}

/** By what the servers say of themselves: one server has many addresses. */
async function isLive({ settings, redis }: Dependencies, runId: string, operation: Operation): Promise<boolean> {
  if (settings.redis === null) return false;
  try {
    const live = await redis.surveyTarget(settings.redis.target, operation);
    return live.runId === runId;
  } catch (error) {
    // The other one has just answered, so it is not the one that does not.
    if (error instanceof LifeboatError && error.code === 'REDIS_UNREACHABLE') return false;
    throw error;
  }
}
