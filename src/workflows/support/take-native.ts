import type { CopiedIncrementalBase } from '../../contract/activities.ts';
import type { BackupInput } from '../../contract/messages.ts';
import { describeNativeObstacle, type NativeOutcome } from '../../domain/native-incremental.ts';
import { control, data } from './activity-options.ts';
import { awaitJournals, describePoint } from './await-point.ts';
import { beginBackup } from './begin-backup.ts';
import { orCompensate } from './compensation.ts';
import { copyRedisChanges, pointOf } from './copy-redis-changes.ts';
import type { WorkflowProgress } from './progress.ts';
import type { TakenIncremental } from './taken-incremental.ts';

interface NativeRequest {
  readonly request: BackupInput;
  readonly owner: string;
  /** The full backup that the journals go on from, and the one whose base the changed blocks are taken on. */
  readonly fullId: string;
  readonly parentId: string;
  /** Where Redis is copied by digests: the backup that its keys are compared with. */
  readonly redisParentId: string | undefined;
}

/**
 * An incremental backup with the blocks that changed. They are copied before the point is marked, so that a restore of the point can
 * begin with them. Where the copy comes to nothing the point alone is taken, and the answer says so.
 */
export async function takeNative(
  progress: WorkflowProgress,
  { request, owner, fullId, parentId, redisParentId }: NativeRequest,
): Promise<TakenIncremental> {
  const { backupId, codec, createdAt, discard } = await beginBackup(progress, request, owner);
  return orCompensate(progress, [discard], async () => {
    progress.enter('copying', `the blocks that changed since ${parentId}`);
    const copied = await data(`copy the blocks changed since ${parentId}`).copyIncrementalBase({
      backupId,
      codec,
      parentId,
    });
    const native = outcomeOf(copied, parentId);

    progress.enter('marking', 'asking both servers where they are');
    const point = await control('decide', 'mark a recovery point').markRecoveryPoint(pointOf(request, redisParentId));
    progress.enter('waiting', describePoint(point));
    const reason = await awaitJournals(point);
    if (reason !== null) {
      await discard.run();
      return { result: null, reason };
    }

    const redis = await copyRedisChanges(progress, { backupId, codec, redisParentId });
    const obstacles = native.obstacle === null ? [] : [describeNativeObstacle(native.obstacle)];
    const warnings = [...obstacles, ...(redis?.warnings ?? [])];
    progress.enter('publishing', 'writing the signed manifest');
    const taken = { request, backupId, codec, createdAt, parentId: fullId, point, warnings };
    const publish = { ...taken, ...(copied.ref && { base: copied.ref }), ...(redis && { redis }) };
    const backup = await control('settle', 'write the signed manifest').publishIncremental(publish);
    progress.enter('done', `${backupId} stands on ${native.parentId ?? fullId}`);
    return { result: { backup, warnings, native } };
  });
}

function outcomeOf(copied: CopiedIncrementalBase, parentId: string): NativeOutcome {
  return copied.ref === null ? { parentId: null, obstacle: copied.obstacle } : { parentId, obstacle: null };
}
