import { LifeboatError } from '../../domain/errors.ts';
import type { ExactLoss } from '../../domain/failover/loss.ts';
import type { Operation } from '../../domain/operation.ts';
import { awaitState } from '../await-state.ts';
import { measureLoss } from './measure-loss.ts';
import type { PostgresNode } from './node.ts';
import { observePostgres } from './observe.ts';

/** A standby whose sender is gone replays what it has in a moment. What it cannot replay, such as a torn record, is lost anyway. */
const REPLAY_MS = 5_000;

/**
 * Counts what a stopped primary has and its standby has not replayed: what a promotion of it would lose. Changes nothing.
 * @throws LifeboatError FAILOVER_NOT_READY (the standby does not answer), FAILOVER_LOSS_UNKNOWN, FAILOVER_NOT_STOPPED
 */
export async function countMissing(
  { old, standby, timeline }: { readonly old: PostgresNode; readonly standby: PostgresNode; readonly timeline: number },
  operation: Operation,
): Promise<ExactLoss> {
  const { signal } = operation;
  const view = await awaitState(
    async () => observePostgres(standby, signal),
    (seen) => seen.answers && (!seen.inRecovery || seen.replayedLsn === seen.lsn),
    { timeoutMs: REPLAY_MS, signal },
  );
  const doing = `count what ${standby.name} does not have of ${old.name}`;
  if (!view.answers) throw new LifeboatError('FAILOVER_NOT_READY', `${doing}: it does not answer: ${view.reason}`);
  if (view.replayedLsn === null) throw new LifeboatError('FAILOVER_NOT_READY', `${doing}: it is no standby any more`);
  return measureLoss({ old, timeline, forkLsn: view.replayedLsn }, operation);
}
