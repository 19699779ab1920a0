import type { FailoverInput } from '../contract/failover.ts';
import type { FailoverOutcome } from '../domain/failover/failover-plan.ts';
import { planStep } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { changePostgres, requireApproval } from './support/change-postgres.ts';
import { followWithRedis } from './support/change-redis.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Makes the servers of a region primary, as a step of a plan, under the group's lock. Both services are judged before anything is done. From
 * a promotion on it goes forward whatever is cancelled; run anew it finds what was done, and does the rest.
 */
export async function failoverWorkflow(input: FailoverInput): Promise<FailoverOutcome> {
  const { targetRegion, mode, holder } = input;
  const progress = trackProgress(`failover to ${targetRegion}, ${mode}`);
  return cancellable(progress, async () => {
    progress.enter('planning', 'looking at both servers of each service');
    const plan = await planStep('look at both regions').observeFailover({ targetRegion, mode, holder });
    for (const notice of [...(plan.postgres?.notices ?? []), ...(plan.redis?.notices ?? [])]) progress.note(notice);
    // Before anything is changed: Redis has no fence of its own.
    if (plan.redis?.way === 'ungraceful') requireApproval(input, plan.redis);
    const postgres = plan.postgres && (await changePostgres(progress, input, plan.postgres));
    const redis = await followWithRedis(progress, input, { postgres, redis: plan.redis });
    progress.enter('done', `${targetRegion} takes writes`);
    return { targetRegion, postgres, redis };
  });
}
