import { patched } from '@temporalio/workflow';
import type { BackupInput } from '../../contract/messages.ts';
import { describeNativeObstacle } from '../../domain/native-incremental.ts';
import { control } from './activity-options.ts';
import { awaitJournals, describePoint } from './await-point.ts';
import { beginBackup } from './begin-backup.ts';
import { orCompensate } from './compensation.ts';
import { copyRedisChanges, pointOf } from './copy-redis-changes.ts';
import type { WorkflowProgress } from './progress.ts';
import { takeNative } from './take-native.ts';
import type { TakenIncremental } from './taken-incremental.ts';

/** Changed blocks are copied before the point is marked; operations from before know a point alone. */
const NATIVE = '2026-11-native-incremental';

/**
 * Marks one instant in both servers, waits until both journals are durable through it, and publishes a manifest that names it. No
 * data is copied: it is in the journals. With `postgres.incremental: native` the blocks that changed are copied as well,
 * and of a Redis that no journal can follow the keys that changed.
 */
export async function takeIncremental(
  progress: WorkflowProgress,
  request: BackupInput,
  owner: string,
): Promise<TakenIncremental> {
  progress.enter('inspecting', 'looking for a full backup to stand on');
  const plan = await control('decide', 'look for a full backup to stand on').planIncremental({
    request,
    redisByDigests: true,
  });
  if (plan.full !== null) return { result: null, reason: plan.full };
  // Only plans of this version name a parent for Redis: older histories take the other way.
  const { parentId: fullId, native, redisParentId } = plan;
  if (native?.parentId != null && patched(NATIVE)) {
    return takeNative(progress, { request, owner, fullId, parentId: native.parentId, redisParentId });
  }
  const obstacles = native?.obstacle == null ? [] : [describeNativeObstacle(native.obstacle)];

  progress.enter('marking', 'asking both servers where they are');
  const point = await control('decide', 'mark a recovery point').markRecoveryPoint(pointOf(request, redisParentId));
  progress.enter('waiting', describePoint(point));
  const reason = await awaitJournals(point);
  if (reason !== null) return { result: null, reason };

  const { backupId, codec, createdAt, discard } = await beginBackup(progress, request, owner);
  return orCompensate(progress, [discard], async () => {
    const redis = await copyRedisChanges(progress, { backupId, codec, redisParentId });
    const warnings = [...obstacles, ...(redis?.warnings ?? [])];
    progress.enter('publishing', 'writing the signed manifest');
    const taken = { request, backupId, codec, createdAt, parentId: fullId, point, warnings };
    const publish = { ...taken, ...(redis && { redis }) };
    const backup = await control('settle', 'write the signed manifest').publishIncremental(publish);
    progress.enter('done', `${backupId} stands on ${fullId}`);
    return { result: { backup, warnings, ...(native && { native }) } };
  });
}
