import { CancellationScope } from '@temporalio/workflow';
import type { FailoverInput } from '../../contract/failover.ts';
import type { ChangedRoles, RedisChange } from '../../domain/failover/failover-plan.ts';
import { planStep } from './activity-options.ts';
import { requireApproval } from './change-postgres.ts';
import { takeAuthority } from './fence-postgres.ts';
import type { WorkflowProgress } from './progress.ts';

/** Redis after PostgreSQL. Once that has changed its primary the two belong together, whatever is cancelled. */
export async function followWithRedis(
  progress: WorkflowProgress,
  input: FailoverInput,
  { postgres, redis }: { readonly postgres: ChangedRoles | null; readonly redis: RedisChange | null },
): Promise<ChangedRoles | null> {
  if (redis === null) return null;
  const change = async (): Promise<ChangedRoles> => changeRedis(progress, input, redis);
  const isChanged = postgres !== null && postgres.way !== 'done';
  return isChanged ? CancellationScope.nonCancellable(change) : change();
}

/** Hands over, or promotes the replica of a master that is gone. */
async function changeRedis(
  progress: WorkflowProgress,
  input: FailoverInput,
  change: RedisChange,
): Promise<ChangedRoles> {
  const { service, from: old, to: primary, way, epoch: seen } = change;
  const done = { service, way, primary, old };
  if (way === 'done') return { ...done, epoch: seen, oldIs: 'unchanged', loss: null };
  const authority = await takeAuthority(input, change);
  return CancellationScope.nonCancellable(async () => {
    progress.enter('handing-over', `making ${primary} master of Redis`);
    if (way === 'graceful') await planStep(`hand ${old} over to ${primary}`).handOverRedis({ change, authority });
    else await promoteReplica(input, { change, authority });
    const loss = await planStep(`compare the streams of ${old} and ${primary}`).measureRedisLoss({ change });
    return { ...done, epoch: authority.epoch, oldIs: way === 'graceful' ? 'follows' : 'unproven', loss };
  });
}

async function promoteReplica(
  input: FailoverInput,
  acting: Pick<Parameters<ReturnType<typeof planStep>['promoteReplica']>[0], 'change' | 'authority'>,
): Promise<unknown> {
  const approvedBy = requireApproval(input, acting.change);
  return planStep(`promote ${acting.change.to}`).promoteReplica({ ...acting, approvedBy });
}
