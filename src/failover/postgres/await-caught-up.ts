import { LifeboatError } from '../../domain/errors.ts';
import { lsnOf } from '../../domain/lsn.ts';
import { awaitState } from '../await-state.ts';
import type { FenceProof } from '../../domain/failover/fenced-primary.ts';
import type { PostgresNode } from './node.ts';
import { observePostgres } from './observe.ts';

/**
 * Waits until a standby has replayed all that a primary wrote before its clean stop. Changes nothing. `>` and not `>=`: the control
 * file names where the record of the checkpoint begins.
 * @returns the position that was replayed
 * @throws LifeboatError FAILOVER_NOT_CAUGHT_UP, FAILOVER_FOREIGN_STANDBY, FAILOVER_FENCE_UNPROVEN (the stop was no clean one)
 */
export async function awaitCaughtUp(request: {
  readonly standby: PostgresNode;
  readonly proof: FenceProof;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { standby, proof, timeoutMs, signal } = request;
  const doing = `wait until ${standby.name} has all of ${proof.node}`;
  if (proof.kind !== 'clean') {
    throw new LifeboatError('FAILOVER_FENCE_UNPROVEN', `${doing}: ${proof.node} crashed, where it ended is not known`);
  }
  const view = await awaitState(
    async () => observePostgres(standby, signal),
    (seen) => seen.answers && (!seen.inRecovery || hasReplayed(seen.replayedLsn, proof)),
    { timeoutMs, signal },
  );
  if (!view.answers) throw notCaughtUp(doing, view.reason);
  if (view.systemIdentifier !== proof.systemIdentifier) {
    throw new LifeboatError(
      'FAILOVER_FOREIGN_STANDBY',
      `${doing}: it is ${view.systemIdentifier}, not ${proof.systemIdentifier}`,
    );
  }
  // Promoted already: it had replayed enough then, or promote would have refused.
  if (!view.inRecovery) return view.lsn;
  if (hasReplayed(view.replayedLsn, proof)) return view.replayedLsn ?? view.lsn;
  const paused = view.replayPaused ? ', and its replay is paused' : '';
  throw notCaughtUp(
    doing,
    `it is at ${view.replayedLsn ?? 'no position'}, ${proof.node} ended behind ${proof.checkpointLsn}${paused}`,
  );
}

export function hasReplayed(replayedLsn: string | null, { checkpointLsn }: FenceProof): boolean {
  return replayedLsn !== null && lsnOf(replayedLsn) > lsnOf(checkpointLsn);
}

function notCaughtUp(doing: string, what: string): LifeboatError {
  return new LifeboatError('FAILOVER_NOT_CAUGHT_UP', `${doing}: ${what}`);
}
