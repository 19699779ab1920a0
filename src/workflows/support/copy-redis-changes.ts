import type { CodecMessage, CopyResult } from '../../contract/activities.ts';
import { data } from './activity-options.ts';
import type { WorkflowProgress } from './progress.ts';

/** Redis where no journal can follow it: the keys that changed, compared by digests; undefined where a journal does. */
export async function copyRedisChanges(
  progress: WorkflowProgress,
  into: { readonly backupId: string; readonly codec: CodecMessage; readonly redisParentId: string | undefined },
): Promise<CopyResult | undefined> {
  const { redisParentId, ...made } = into;
  if (redisParentId === undefined) return undefined;
  progress.enter('copying', `the keys of Redis that are not as ${redisParentId} has them`);
  return data(`Redis: what changed since ${redisParentId}`).copyRedisChanges({ ...made, redisParentId });
}

/** What to ask of the servers: a Redis that is copied has no position in a stream. */
export function pointOf<T>(request: T, redisParentId: string | undefined): { request: T; redisByDigests?: true } {
  return redisParentId === undefined ? { request } : { request, redisByDigests: true };
}
