import type { FailoverInput } from '../../contract/failover.ts';
import { describeOutcome, type ChangedRoles, type PostgresChange } from '../../domain/failover/failover-plan.ts';
import type { FencedPrimary } from '../../domain/failover/fenced-primary.ts';
import type { PromoteStep } from '../../domain/plan/recovery-plan.ts';
import type { StepResult } from '../../domain/plan/run-view.ts';
import { planStep } from '../support/activity-options.ts';
import { changePostgres, promoteFenced, requireApproval } from '../support/change-postgres.ts';
import { followWithRedis } from '../support/change-redis.ts';
import type { WorkflowProgress } from '../support/progress.ts';
import { askOf } from './approver.ts';
import type { ActionPlace, PlanRun } from './plan-run.ts';
import { planFailure } from './step-failure.ts';

/**
 * Makes the servers of a region primary: PostgreSQL behind the fence of an earlier step, or with an approval; Redis by a hand-over, or with one.
 * A server that was judged by the fence is not judged again: it is stopped, and the act itself looks at it once more.
 */
export async function promote({ targetRegion, components }: PromoteStep, place: ActionPlace): Promise<StepResult> {
  const { progress, run } = place;
  const fenced =
    components === 'configured' || components.includes('postgres') ? fenceOf(run, targetRegion) : undefined;
  const input = askOf(place, targetRegion, fenced?.endedAt);
  const wanted = components === 'configured' ? (['postgres', 'redis'] as const) : components;
  const judged = wanted.filter((name) => name === 'redis' || fenced === undefined);
  const { mode, holder } = input;
  progress.enter('planning', 'looking at both servers of each service');
  const question = { targetRegion, mode, holder, components: judged };
  const plan = await planStep('look at both regions').observeFailover(question);
  // Before anything is changed: Redis has no fence of its own.
  if (plan.redis?.way === 'ungraceful') requireApproval(input, plan.redis);
  const postgres = fenced
    ? await promoteFenced(progress, input, fenced.fence)
    : plan.postgres && (await promoteUnfenced(progress, input, plan.postgres));
  const redis = await followWithRedis(progress, input, { postgres, redis: plan.redis });
  const outcome = { targetRegion, postgres, redis };
  return { summary: describeOutcome(outcome), failover: outcome };
}

/** What the last fence for this region has proven, and when. */
function fenceOf(run: PlanRun, region: string): { fence: FencedPrimary; endedAt: string } | undefined {
  const found = run
    .view()
    .steps.findLast(({ status, result }) => status === 'succeeded' && result?.fence?.change.to === region);
  const { result, endedAt } = found ?? {};
  return result?.fence === undefined ? undefined : { fence: result.fence, endedAt: endedAt ?? '' };
}

/** Where no fence could be proven: it is tried once more, and what cannot be proven then has to be approved. */
async function promoteUnfenced(
  progress: WorkflowProgress,
  input: FailoverInput,
  change: PostgresChange,
): Promise<ChangedRoles> {
  const { service, from, to, way } = change;
  if (way === 'graceful') {
    const message = `promote ${to}: ${from} was not fenced by a step of this run, and is primary of ${service}`;
    throw planFailure('FAILOVER_FENCE_UNPROVEN', message);
  }
  if (way === 'ungraceful') requireApproval(input, change);
  return changePostgres(progress, input, change);
}
