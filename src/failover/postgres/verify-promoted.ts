import { LifeboatError } from '../../domain/errors.ts';
import { formatLsn } from '../../domain/lsn.ts';
import { switchPoint } from '../../domain/timeline.ts';
import type { Session } from '../../postgres/connection/session.ts';
import { awaitState } from '../await-state.ts';
import { withActSession } from './act-session.ts';
import { observePostgres } from './observe.ts';
import type { Promote, Promotion } from './promotion.ts';

const TIMELINES = `
  SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS written, timeline_id AS recorded,
    (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only') AS "readOnly"
  FROM pg_control_checkpoint()`;

/**
 * Waits until the server takes writes, makes the new timeline known to its control file, which pg_rewind reads, and writes.
 * @throws LifeboatError FAILOVER_NOT_PROMOTED
 */
export async function verifyPromoted(
  request: Promote,
  known: Pick<Promotion, 'promotedNow' | 'estimate'>,
): Promise<Promotion> {
  const { standby, proof, mandate, signal } = request;
  const doing = `promote ${standby.name}`;
  const view = await awaitState(
    async () => observePostgres(standby, signal),
    (seen) => seen.answers && !seen.inRecovery,
    request,
  );
  if (!view.answers) throw notPromoted(doing, view.reason);
  if (view.inRecovery) throw notPromoted(doing, 'it is still in recovery');
  const fork = view.history === null ? undefined : switchPoint(view.history, proof.timeline);
  if (fork === undefined || fork === null) {
    throw notPromoted(doing, `its timeline ${view.timeline} does not come from ${proof.timeline}`);
  }
  await withActSession(standby, { doing, signal }, async (session) => {
    await session.query('CHECKPOINT');
    await requireWritable(session, doing);
    await session.query("SELECT pg_logical_emit_message(true, 'lifeboat failover', $1)", [`epoch ${mandate.epoch}`]);
  });
  return { node: standby.name, timeline: view.timeline, forkLsn: formatLsn(fork), ...known };
}

async function requireWritable(session: Session, doing: string): Promise<void> {
  const found = await session.one<{ written: number; recorded: number; readOnly: boolean }>(TIMELINES);
  if (found.written !== found.recorded) {
    throw notPromoted(doing, `it writes timeline ${found.written}, its control file says ${found.recorded}`);
  }
  // Set on the old primary by ALTER SYSTEM or ALTER DATABASE as a fence, this comes along with the data.
  if (found.readOnly) throw notPromoted(doing, 'default_transaction_read_only is on: its clients cannot write');
}

function notPromoted(doing: string, what: string): LifeboatError {
  return new LifeboatError('FAILOVER_NOT_PROMOTED', `${doing}: ${what}`);
}
