import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { FailoverInput, FenceMessage, PromotionMessage } from '../../contract/failover.ts';
import type { Authority } from '../../domain/failover/authority.ts';
import type { ChangedRoles, PlannedChange, PostgresChange } from '../../domain/failover/failover-plan.ts';
import { planFailure, reasonOf } from '../plan/step-failure.ts';
import { planStep } from './activity-options.ts';
import { failureOf } from './compensation.ts';
import type { WorkflowProgress } from './progress.ts';

/** Fence, catch up, promote, count: what cannot be proven is approved, or ends it before the promotion. */
export async function changePostgres(
  progress: WorkflowProgress,
  input: FailoverInput,
  change: PostgresChange,
): Promise<ChangedRoles> {
  const { service, from: old, to: primary, way, epoch: seen } = change;
  const done = { service, way, primary, old };
  if (way === 'done') return { ...done, epoch: seen, oldIs: 'unchanged', loss: null };
  // Of a primary that was stopped in an earlier attempt nothing can be asked.
  if (way === 'graceful' && change.primaryLsn !== null) {
    progress.enter('proving', `looking whether ${primary} hears ${old}`);
    await planStep(`look whether ${primary} hears ${old}`).proveLine({ change });
  }
  const authority = await takeAuthority(input, change);
  const { proof, oldIs } = await prove(progress, { input, change, authority });
  // No way back from here: whoever cancels gets what was done to its end.
  return CancellationScope.nonCancellable(async () => {
    progress.enter('promoting', `making ${primary} primary of PostgreSQL`);
    const promotion = await planStep(`promote ${primary}`).promoteStandby({ change, authority, proof });
    return { ...done, epoch: authority.epoch, oldIs, loss: await countLoss(progress, change, promotion) };
  });
}

export async function takeAuthority({ holder }: FailoverInput, change: PlannedChange): Promise<Authority> {
  const { service, to: region, epoch: after } = change;
  return planStep(`take the authority over ${service}`).takeAuthority({ service, region, holder, after });
}

/** @throws ApplicationFailure FAILOVER_FENCE_UNPROVEN */
export function requireApproval({ approvedBy }: FailoverInput, { service, from, approvals }: PlannedChange): string {
  if (approvedBy !== null) return approvedBy;
  const why = approvals.length === 0 ? '' : `: ${approvals.join('; ')}`;
  throw planFailure('FAILOVER_FENCE_UNPROVEN', `change ${service} without ${from}: nobody has approved it${why}`);
}

interface Proving {
  readonly input: FailoverInput;
  readonly change: PostgresChange;
  readonly authority: Authority;
}

interface Proven {
  readonly proof: FenceMessage | { readonly kind: 'approved'; readonly by: string };
  readonly oldIs: 'fenced' | 'unproven';
}

/** The host cannot be asked: what a person can take on. A server that still runs, or an epoch that is over, nobody can. */
const HOST_IS_AWAY = ['FAILOVER_COMMAND_FAILED', 'FAILOVER_HOST_UNREADABLE', 'TOOL_MISSING'];

/** Why the old primary takes no more writes, and that the standby has all of it, or who has approved to go on without. */
async function prove(progress: WorkflowProgress, { input, change, authority }: Proving): Promise<Proven> {
  const { from, way } = change;
  progress.enter('fencing', `stopping PostgreSQL in ${from}`);
  try {
    const proof = await planStep(`fence ${from}`).fencePrimary({ change, authority });
    if (way === 'graceful' || proof.kind === 'clean') return await catchUp(progress, { input, change, proof });
    // What a dead server wrote last is lost: somebody takes it on, unless it is known to be little.
    if (change.approvals.length > 0) requireApproval(input, change);
    return { proof, oldIs: 'fenced' };
  } catch (error) {
    const by = approverOf(error, { input, change, codes: HOST_IS_AWAY });
    progress.note(`${from} is not fenced: ${reasonOf(error)}; approved by ${by}`);
    return { proof: { kind: 'approved', by }, oldIs: 'unproven' };
  }
}

async function catchUp(
  progress: WorkflowProgress,
  { input, change, proof }: Omit<Proving, 'authority'> & { readonly proof: FenceMessage },
): Promise<Proven> {
  const { from, to } = change;
  progress.enter('catching-up', `waiting until ${to} has all of ${from}`);
  try {
    await planStep(`wait until ${to} has all of ${from}`).awaitCaughtUp({ change, proof });
    return { proof, oldIs: 'fenced' };
  } catch (error) {
    const by = approverOf(error, { input, change, codes: ['FAILOVER_NOT_CAUGHT_UP'] });
    progress.note(`${to} does not have all of ${from}: ${reasonOf(error)}; approved by ${by}`);
    return { proof: { kind: 'approved', by }, oldIs: 'fenced' };
  }
}

/** Who has taken an error on, in an ungraceful change; throws it where nobody has, or nobody can. */
function approverOf(
  error: unknown,
  { input, change, codes }: Omit<Proving, 'authority'> & { readonly codes: readonly string[] },
): string {
  const { type = '' } = failureOf(error);
  if (isCancellation(error) || change.way === 'graceful' || input.approvedBy === null || !codes.includes(type))
    throw error;
  return input.approvedBy;
}

/** The estimate stays where the WAL of the old primary cannot be read. */
async function countLoss(
  progress: WorkflowProgress,
  change: PostgresChange,
  { forkLsn, estimate }: PromotionMessage,
): Promise<ChangedRoles['loss']> {
  progress.enter('counting', `counting what only ${change.from} has`);
  try {
    return await planStep(`count what only ${change.from} has`).measureLoss({ change, forkLsn });
  } catch (error) {
    progress.note(`the loss was not counted: ${reasonOf(error)}`);
    return estimate;
  }
}
