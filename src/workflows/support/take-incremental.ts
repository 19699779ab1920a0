import { patched } from '@temporalio/workflow';
import type { BackupInput } from '../../contract/messages.ts';
import { describeNativeObstacle } from '../../domain/native-incremental.ts';
import { control } from './activity-options.ts';
import { awaitJournals, describePoint } from './await-point.ts';
import { orCompensate } from './compensation.ts';
import type { WorkflowProgress } from './progress.ts';
import { takeNative } from './take-native.ts';
import type { TakenIncremental } from './taken-incremental.ts';

/** Changed blocks are copied before the point is marked; operations from before know a point alone. */
const NATIVE = '2026-11-native-incremental';

/**
 * Marks one instant in both servers, waits until both journals are durable through it, and publishes a manifest that names it. No
 * data is copied: it is in the journals. With `postgres.incremental: native` the blocks that changed are copied as well.
 */
export async function takeIncremental(
  progress: WorkflowProgress,
  request: BackupInput,
  owner: string,
): Promise<TakenIncremental> {
  progress.enter('inspecting', 'looking for a full backup to stand on');
  const plan = await control('decide', 'look for a full backup to stand on').planIncremental({ request });
  if (plan.full !== null) return { result: null, reason: plan.full };
  const { parentId: fullId, native } = plan;
  if (native?.parentId != null && patched(NATIVE)) {
    return takeNative(progress, { request, owner, fullId, parentId: native.parentId });
  }
  const warnings = native?.obstacle == null ? [] : [describeNativeObstacle(native.obstacle)];

  progress.enter('marking', 'asking both servers where they are');
  const point = await control('decide', 'mark a recovery point').markRecoveryPoint({ request });
  progress.enter('waiting', describePoint(point));
  const reason = await awaitJournals(point);
  if (reason !== null) return { result: null, reason };

  const createdAt = new Date().toISOString();
  const { backupId, codec } = await control('decide', 'take a backup id').beginBackup({ request, createdAt, owner });
  progress.concerns(backupId);
  const discard = {
    name: 'remove the unfinished backup',
    run: () => control('settle', `remove what ${backupId} left behind`).discardBackup({ backupId }),
  };
  return orCompensate(progress, [discard], async () => {
    progress.enter('publishing', 'writing the signed manifest');
    const publish = { request, backupId, codec, createdAt, parentId: fullId, point, warnings };
    const backup = await control('settle', 'write the signed manifest').publishIncremental(publish);
    progress.enter('done', `${backupId} stands on ${fullId}`);
    return { result: { backup, warnings, ...(native && { native }) } };
  });
}
