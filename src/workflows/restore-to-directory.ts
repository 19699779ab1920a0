import { workflowInfo } from '@temporalio/workflow';
import type { DirectoryInput, DirectoryResult } from '../contract/directory.ts';
import type { DirectoryPlan, WrittenDirectory } from '../domain/directory-plan.ts';
import { achieved } from '../domain/objectives.ts';
import { distanceOf } from '../domain/replay.ts';
import { restoreIdAt } from '../domain/restore-id.ts';
import { control, data } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { orCompensate } from './support/compensation.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Writes data directories that servers start on without us. Nothing live is touched, so it runs beside the group's lock; its id names
 * the directory, so that one restore at a time writes to it.
 */
export async function restoreToDirectoryWorkflow(input: DirectoryInput): Promise<DirectoryResult> {
  const { startTime } = workflowInfo();
  const progress = trackProgress(`restore of ${input.backup} into the directory ${input.directory}`);
  return cancellable(progress, async () => {
    progress.enter('planning', 'finding the base, the snapshot and how far each is replayed');
    const restoreId = restoreIdAt(startTime.toISOString());
    const plan = await control('decide', 'find what is written').planDirectory({ request: input, restoreId });
    progress.concerns(plan.backupId);
    if (input.dryRun) return describe(plan, startTime, null);

    progress.enter('writing', `unpacking and replaying beside ${plan.directory}`);
    const clear = {
      name: 'remove what was written beside the directory',
      run: async () => data('remove what was written').clearDirectory({ directory: plan.directory }),
    };
    const written = await orCompensate(progress, [clear], async () =>
      data(`write ${plan.directory}`).writeDirectory({ plan }),
    );
    progress.enter('done', `${plan.directory} can be started`);
    return describe(plan, startTime, written);
  });
}

function describe(plan: DirectoryPlan, startedAt: Date, written: WrittenDirectory | null): DirectoryResult {
  const { restoreId, directory, recoveryPoint } = plan;
  const times = achieved({ startedAt, finishedAt: new Date(), recoveryPoint: recoveryPoint.time });
  const { postgres = null, redis = null, checks = [] } = written ?? {};
  return {
    restoreId,
    dryRun: written === null,
    directory,
    plan,
    restored: { postgres, redis },
    recoveryPoint,
    positions: written && distanceOf(postgres?.position ?? null, redis?.position ?? null),
    checks,
    ...times,
    undo: null,
  };
}
