import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { FailoverInput, PromotionMessage } from '../../contract/failover.ts';
import type { ChangedRoles, PlannedChange, PostgresChange } from '../../domain/failover/failover-plan.ts';
import {
  mandateFor,
  type FencedPrimary,
  type FenceProof,
  type PromotionApproval,
} from '../../domain/failover/fenced-primary.ts';
import { planFailure, reasonOf } from '../plan/step-failure.ts';
import { planStep } from './activity-options.ts';
import { failureOf } from './compensation.ts';
import { beginChange, canCatchUp, catchUp, stopAndFence, type Fencing } from './fence-postgres.ts';
import type { WorkflowProgress } from './progress.ts';

/** Fence, catch up, promote, count: what cannot be proven is approved, or ends it before the promotion. */
export async function changePostgres(
  progress: WorkflowProgress,
  input: FailoverInput,
  change: PostgresChange,
): Promise<ChangedRoles> {
  const { service, from: old, to: primary, way, epoch } = change;
  if (way === 'done') return { service, way, primary, old, epoch, oldIs: 'unchanged', loss: null };
  const authority = await beginChange(progress, input, change);
  const proven = await prove(progress, { input, change, authority });
  return promoteProven(progress, { change, authority, ...proven });
}

/** The promotion behind a fence of an earlier step; what it loses has to be approved by `input.approvedBy`. */
export async function promoteFenced(
  progress: WorkflowProgress,
  input: FailoverInput,
  fenced: FencedPrimary,
): Promise<ChangedRoles> {
  const { authority } = fenced;
  const { change, proof } = mandateFor(fenced, () => requireApproval(input, fenced.change));
  return promoteProven(progress, { change, authority, proof, oldIs: 'fenced' });
}

/** @throws ApplicationFailure FAILOVER_FENCE_UNPROVEN */
export function requireApproval({ approvedBy }: FailoverInput, { service, from, approvals }: PlannedChange): string {
  if (approvedBy !== null) return approvedBy;
  const why = approvals.length === 0 ? '' : `: ${approvals.join('; ')}`;
  throw planFailure('FAILOVER_FENCE_UNPROVEN', `change ${service} without ${from}: nobody has approved it${why}`);
}

interface Proven {
  readonly proof: FenceProof | PromotionApproval;
  readonly oldIs: 'fenced' | 'unproven';
}

/** No way back from here: whoever cancels gets what was done to its end. */
async function promoteProven(
  progress: WorkflowProgress,
  { change, authority, proof, oldIs }: Fencing & Proven,
): Promise<ChangedRoles> {
  const { service, from: old, to: primary, way } = change;
  return CancellationScope.nonCancellable(async () => {
    progress.enter('promoting', `making ${primary} primary of PostgreSQL`);
    const promotion = await planStep(`promote ${primary}`).promoteStandby({ change, authority, proof });
    const loss = await countLoss(progress, change, promotion);
    return { service, way, primary, old, epoch: authority.epoch, oldIs, loss };
  });
}

interface Proving extends Fencing {
  readonly input: FailoverInput;
}

/** The host cannot be asked: what a person can take on. A server that still runs, or an epoch that is over, nobody can. */
const HOST_IS_AWAY = ['FAILOVER_COMMAND_FAILED', 'FAILOVER_HOST_UNREADABLE', 'TOOL_MISSING'];

/** Why the old primary takes no more writes, and that the standby has all of it, or who has approved to go on without. */
async function prove(progress: WorkflowProgress, { input, change, authority }: Proving): Promise<Proven> {
  const { from } = change;
  try {
    const proof = await stopAndFence(progress, { change, authority });
    if (canCatchUp(change, proof)) return await proveCaughtUp(progress, { input, change, proof });
    // What a dead server wrote last is lost: somebody takes it on, unless it is known to be little.
    if (change.approvals.length > 0) requireApproval(input, change);
    return { proof, oldIs: 'fenced' };
  } catch (error) {
    const by = approverOf(error, { input, change, codes: HOST_IS_AWAY });
    progress.note(`${from} is not fenced: ${reasonOf(error)}; approved by ${by}`);
    return { proof: { kind: 'approved', by, lossBytes: null }, oldIs: 'unproven' };
  }
}

async function proveCaughtUp(
  progress: WorkflowProgress,
  { input, change, proof }: Omit<Proving, 'authority'> & { readonly proof: FenceProof },
): Promise<Proven> {
  const { from, to } = change;
  try {
    await catchUp(progress, { change, proof });
    return { proof, oldIs: 'fenced' };
  } catch (error) {
    const by = approverOf(error, { input, change, codes: ['FAILOVER_NOT_CAUGHT_UP'] });
    progress.note(`${to} does not have all of ${from}: ${reasonOf(error)}; approved by ${by}`);
    return { proof: { kind: 'approved', by, lossBytes: null }, oldIs: 'fenced' };
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
