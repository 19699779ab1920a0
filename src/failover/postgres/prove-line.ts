import { LifeboatError } from '../../domain/errors.ts';
import { lsnOf } from '../../domain/lsn.ts';
import { awaitState } from '../await-state.ts';
import { withActSession } from './act-session.ts';
import type { PostgresNode } from './node.ts';
import { observePostgres } from './observe.ts';

/**
 * Writes a mark into the WAL of a primary and waits until its standby has replayed it. Both ends of a line that was cut a moment ago, or of a
 * replay that is delayed on purpose, look well until something is said. The mark is a commit of its own: where it is lost, it is counted.
 * @returns where the mark is
 * @throws LifeboatError FAILOVER_NOT_READY where it does not come in time, and POSTGRES_*
 */
export async function proveLine(request: {
  readonly primary: PostgresNode;
  readonly standby: PostgresNode;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { primary, standby, timeoutMs, signal } = request;
  const doing = `look whether ${standby.name} hears ${primary.name}`;
  const { lsn } = await withActSession(primary, { doing, signal }, async (session) =>
    session.one<{ lsn: string }>("SELECT pg_logical_emit_message(true, 'lifeboat failover', 'line')::text AS lsn"),
  );
  const view = await awaitState(
    async () => observePostgres(standby, signal),
    (seen) => seen.answers && seen.replayedLsn !== null && lsnOf(seen.replayedLsn) >= lsnOf(lsn),
    { timeoutMs, signal },
  );
  const at = view.answers ? view.replayedLsn : null;
  if (at !== null && lsnOf(at) >= lsnOf(lsn)) return lsn;
  const what = view.answers ? `it is at ${at ?? 'no position'}, a mark was written at ${lsn}` : view.reason;
  throw new LifeboatError('FAILOVER_NOT_READY', `${doing}: ${what}`, { details: { lsn, at } });
}
