import { isCancellation } from '@temporalio/workflow';
import type { FailoverInput } from '../../contract/failover.ts';
import type { Authority } from '../../domain/failover/authority.ts';
import type { FencedPrimary, FenceProof } from '../../domain/failover/fenced-primary.ts';
import type { PlannedChange, PostgresChange } from '../../domain/failover/failover-plan.ts';
import { reasonOf } from '../plan/step-failure.ts';
import { planStep } from './activity-options.ts';
import { failureOf } from './compensation.ts';
import type { WorkflowProgress } from './progress.ts';

export async function takeAuthority(
  { holder }: Pick<FailoverInput, 'holder'>,
  { service, to: region, epoch: after }: Pick<PlannedChange, 'service' | 'to' | 'epoch'>,
): Promise<Authority> {
  return planStep(`take the authority over ${service}`).takeAuthority({ service, region, holder, after });
}

/** Where the primary still answers its standby has to hear it; then the authority is taken. */
export async function beginChange(
  progress: WorkflowProgress,
  input: Pick<FailoverInput, 'holder'>,
  change: PostgresChange,
): Promise<Authority> {
  const { from: old, to: standby, way } = change;
  // Of a primary that was stopped in an earlier attempt nothing can be asked.
  if (way === 'graceful' && change.primaryLsn !== null) {
    progress.enter('proving', `looking whether ${standby} hears ${old}`);
    await planStep(`look whether ${standby} hears ${old}`).proveLine({ change });
  }
  return takeAuthority(input, change);
}

export interface Fencing {
  readonly change: PostgresChange;
  readonly authority: Authority;
}

export async function stopAndFence(progress: WorkflowProgress, { change, authority }: Fencing): Promise<FenceProof> {
  progress.enter('fencing', `stopping PostgreSQL in ${change.from}`);
  return planStep(`fence ${change.from}`).fencePrimary({ change, authority });
}

/** What ended clean is known to its end, and a graceful change waits for nothing less. */
export function canCatchUp({ way }: PostgresChange, { kind }: FenceProof): boolean {
  return way === 'graceful' || kind === 'clean';
}

export async function catchUp(
  progress: WorkflowProgress,
  { change, proof }: { readonly change: PostgresChange; readonly proof: FenceProof },
): Promise<void> {
  const { from, to } = change;
  progress.enter('catching-up', `waiting until ${to} has all of ${from}`);
  await planStep(`wait until ${to} has all of ${from}`).awaitCaughtUp({ change, proof });
}

/** A fence as a step of its own: what a promotion behind it would lose is known before anybody is asked for it. */
export async function fencePostgres(
  progress: WorkflowProgress,
  input: Pick<FailoverInput, 'holder'>,
  change: PostgresChange,
): Promise<FencedPrimary> {
  const authority = await beginChange(progress, input, change);
  const proof = await stopAndFence(progress, { change, authority });
  return { change, authority, proof, missing: await missingOf(progress, { change, proof }) };
}

async function missingOf(
  progress: WorkflowProgress,
  fenced: { readonly change: PostgresChange; readonly proof: FenceProof },
): Promise<FencedPrimary['missing']> {
  const { change, proof } = fenced;
  const { from, to, way } = change;
  try {
    if (canCatchUp(change, proof)) {
      await catchUp(progress, fenced);
      return null;
    }
  } catch (error) {
    const mayLose = way === 'ungraceful' && failureOf(error).type === 'FAILOVER_NOT_CAUGHT_UP';
    if (isCancellation(error) || !mayLose) throw error;
    progress.note(`${to} does not have all of ${from}: ${reasonOf(error)}`);
  }
  progress.enter('counting', `counting what ${to} does not have of ${from}`);
  try {
    return await planStep(`count what ${to} does not have of ${from}`).countMissing({ change });
  } catch (error) {
    if (isCancellation(error)) throw error;
    progress.note(`what ${to} does not have was not counted: ${reasonOf(error)}`);
    return { kind: 'estimate', bytes: null, seconds: null };
  }
}
