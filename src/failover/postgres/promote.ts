import { LifeboatError } from '../../domain/errors.ts';
import type { PostgresView } from '../../domain/failover/postgres-view.ts';
import { estimateLoss, type LossEstimate } from '../../domain/failover/loss.ts';
import { hasReplayed } from './await-caught-up.ts';
import { withActSession } from './act-session.ts';
import { observePostgres } from './observe.ts';
import type { Promote, Promotion } from './promotion.ts';
import { verifyPromoted } from './verify-promoted.ts';

/**
 * Promotes one standby, once: it looks first, and a server that was promoted already is only verified.
 * @throws LifeboatError FAILOVER_SPLIT_BRAIN, FAILOVER_FOREIGN_STANDBY, FAILOVER_FENCE_UNPROVEN, FAILOVER_NOT_CAUGHT_UP,
 *   FAILOVER_NOT_READY (the standby does not answer), FAILOVER_EPOCH_STALE, FAILOVER_NOT_PROMOTED
 */
export async function promote(request: Promote): Promise<Promotion> {
  const { standby, proof, mandate, signal } = request;
  const doing = `promote ${standby.name}`;
  const view = await lookAt(request, doing);
  if (!view.inRecovery) {
    if (view.timeline > proof.timeline) return verifyPromoted(request, { promotedNow: false, estimate: null });
    throw splitBrain(doing, `it takes writes on timeline ${view.timeline}, the one that is to be left`);
  }
  const estimate = requireProof(request, view, doing);
  await refuseSecondPrimary(request, doing);
  await mandate.require(doing);
  await withActSession(standby, { doing, signal }, async (session) => {
    const seconds = Math.max(1, Math.ceil(request.timeoutMs / 1_000));
    // Looked at in the statement as well: a second run may have come first, and a primary refuses to be promoted.
    await session.query('SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote(true, $1) END', [seconds]);
  });
  return verifyPromoted(request, { promotedNow: true, estimate });
}

async function lookAt({ standby, proof, signal }: Promote, doing: string): Promise<PostgresView> {
  const view = await observePostgres(standby, signal);
  if (!view.answers) throw new LifeboatError('FAILOVER_NOT_READY', `${doing}: it does not answer: ${view.reason}`);
  if (view.systemIdentifier === proof.systemIdentifier) return view;
  throw new LifeboatError(
    'FAILOVER_FOREIGN_STANDBY',
    `${doing}: it is a server of ${view.systemIdentifier}, the service is ${proof.systemIdentifier}`,
  );
}

function requireProof(request: Promote, view: PostgresView, doing: string): LossEstimate | null {
  const { proof, lastPrimaryLsn } = request;
  if (proof.kind === 'clean') {
    if (hasReplayed(view.replayedLsn, proof)) return null;
    const at = view.replayedLsn ?? 'no position';
    throw new LifeboatError(
      'FAILOVER_NOT_CAUGHT_UP',
      `${doing}: it is at ${at}, and ${proof.node} ended behind ${proof.checkpointLsn}`,
    );
  }
  const estimate = estimateLoss(view, lastPrimaryLsn);
  if (proof.kind !== 'approved') return estimate;
  if (proof.by === '') throw unproven(doing, 'the approval names nobody');
  if (proof.lossBytes === null || (estimate.bytes !== null && estimate.bytes <= proof.lossBytes)) return estimate;
  throw unproven(
    doing,
    `${proof.by} approved a loss of ${proof.lossBytes} bytes, it is ${estimate.bytes ?? 'unknown'} now`,
  );
}

/** A fence that was proven minutes ago may have been taken away since, and an approval is no fence at all. */
async function refuseSecondPrimary({ old, proof, signal }: Promote, doing: string): Promise<void> {
  const view = await observePostgres(old, signal);
  if (!view.answers || view.inRecovery || view.systemIdentifier !== proof.systemIdentifier) return;
  throw splitBrain(doing, `${old.name} takes writes, on timeline ${view.timeline} at ${view.lsn}`);
}

function splitBrain(doing: string, what: string): LifeboatError {
  return new LifeboatError('FAILOVER_SPLIT_BRAIN', `${doing}: ${what}`);
}

function unproven(doing: string, what: string): LifeboatError {
  return new LifeboatError('FAILOVER_FENCE_UNPROVEN', `${doing}: ${what}`);
}
