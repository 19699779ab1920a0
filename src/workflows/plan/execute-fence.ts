import { describeFenced } from '../../domain/failover/fenced-primary.ts';
import type { FenceStep } from '../../domain/plan/recovery-plan.ts';
import type { StepResult } from '../../domain/plan/run-view.ts';
import { planStep } from '../support/activity-options.ts';
import { fencePostgres } from '../support/fence-postgres.ts';
import { askOf } from './approver.ts';
import type { ActionPlace } from './plan-run.ts';

/** Stops the PostgreSQL primary of the other region and fences it; both services are judged before. Redis has no fence. */
export async function fence({ targetRegion }: FenceStep, place: ActionPlace): Promise<StepResult> {
  const { progress } = place;
  const { mode, holder } = askOf(place, targetRegion);
  progress.enter('planning', 'looking at both servers of each service');
  const { postgres } = await planStep('look at both regions').observeFailover({ targetRegion, mode, holder });
  if (postgres === null || postgres.way === 'done') {
    return { summary: `nothing is fenced: PostgreSQL of ${targetRegion} is primary already` };
  }
  for (const notice of postgres.notices) progress.note(notice);
  const fenced = await fencePostgres(progress, { holder }, postgres);
  return { summary: describeFenced(fenced), fence: fenced };
}
