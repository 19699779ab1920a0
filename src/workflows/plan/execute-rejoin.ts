import { describeRejoin, type PostgresReturn, type RejoinOutcome } from '../../domain/failover/rejoin-plan.ts';
import type { RejoinStep } from '../../domain/plan/recovery-plan.ts';
import type { StepResult } from '../../domain/plan/run-view.ts';
import { planStep } from '../support/activity-options.ts';
import { takeAuthority } from '../support/fence-postgres.ts';
import { approverOf, askOf } from './approver.ts';
import type { ActionPlace, PlanRun } from './plan-run.ts';
import { planFailure } from './step-failure.ts';

/** Makes the servers that were primary follow the new ones. What only they have is given up by somebody, as it was counted, or it stays. */
export async function rejoin(config: RejoinStep, place: ActionPlace): Promise<StepResult> {
  const { region } = config;
  const { progress } = place;
  progress.enter('planning', `looking what only ${region} has`);
  const plan = await planStep(`look what only ${region} has`).planRejoin({ region });
  const postgres = plan.postgres && (await rejoinPostgres(config, plan.postgres, place));
  const redis = plan.redis && (await rejoinRedis(plan.redis, place));
  const outcome: RejoinOutcome = { region, postgres, redis };
  return { summary: describeRejoin(outcome), rejoin: outcome };
}

async function rejoinPostgres(
  config: RejoinStep,
  plan: PostgresReturn,
  place: ActionPlace,
): Promise<NonNullable<RejoinOutcome['postgres']>> {
  const { old, primary } = plan;
  const givenUpTransactions = requireGivenUp(config, plan, place.run);
  const authority = await takeAuthority(askOf(place, primary), { ...plan, to: primary });
  place.progress.enter('rejoining', `making PostgreSQL in ${old} a standby of ${primary}`);
  const act = { plan, authority, givenUpTransactions, rebuild: config.rebuild };
  return planStep(`make ${old} a standby of ${primary}`).rejoinPostgres(act);
}

async function rejoinRedis(
  plan: Parameters<ReturnType<typeof planStep>['rejoinRedis']>[0]['plan'],
  place: ActionPlace,
): Promise<NonNullable<RejoinOutcome['redis']>> {
  const { old, primary } = plan;
  const authority = await takeAuthority(askOf(place, primary), { ...plan, to: primary });
  place.progress.enter('rejoining', `making Redis in ${old} a replica of ${primary}`);
  return planStep(`make ${old} a replica of ${primary}`).rejoinRedis({ plan, authority });
}

/** Exactly what was counted and shown, and only by somebody who has seen it. */
function requireGivenUp(config: RejoinStep, { old, missing }: PostgresReturn, run: PlanRun): number {
  if (missing === null || missing.transactions === 0) return 0;
  const shown = shownBy(run);
  const number = config.giveUpTransactions ?? shown?.transactions ?? null;
  const by = approverOf(run, shown?.at);
  if (number !== null && number >= missing.transactions && by !== null) return number;
  const facts = `${missing.transactions} transactions in ${missing.bytes} bytes are on ${old} alone`;
  const given = number === null || by === null ? 'nobody has given them up' : `${number} are given up`;
  throw planFailure('FAILOVER_REJOIN_BLOCKED', `bring ${old} back: ${facts}, ${given}`, {
    transactions: missing.transactions,
  });
}

/** What a promotion of this run has counted as lost, and when that was known. */
function shownBy(run: PlanRun): { transactions: number; at: string } | undefined {
  const done = run.view().steps.findLast(({ result }) => result?.failover?.postgres?.loss?.kind === 'exact');
  const loss = done?.result?.failover?.postgres?.loss;
  if (done === undefined || loss === null || loss === undefined || !('transactions' in loss)) return undefined;
  return { transactions: loss.transactions, at: done.endedAt ?? '' };
}
