import { LifeboatError } from '../../domain/errors.ts';
import { withSession, type Session } from '../connection/session.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import { sqlState } from '../connection/sql-errors.ts';
import type { PostgresTarget } from '../postgres.ts';
import { openReplication } from './receive/replication-session.ts';
import { fromWalError } from './wal-errors.ts';
import type { SlotState } from './wal.ts';

const DUPLICATE_OBJECT = '42710';
const UNDEFINED_OBJECT = '42704';
/** Shows in pg_stat_replication. */
export const RECEIVER_NAME = 'lifeboat journal';

const NO_SLOT: SlotState = {
  exists: false,
  active: false,
  activePid: null,
  restartLsn: null,
  walStatus: null,
  safeWalBytes: null,
  retainedBytes: 0,
};

/** A standby says how far it has received and replayed; functions about the own WAL are errors there. */
export const FLUSHED_LSN = `CASE WHEN pg_is_in_recovery()
  THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_flush_lsn() END`;

const SLOT = `
  SELECT slot_type AS "type", active, active_pid AS "activePid", restart_lsn::text AS "restartLsn", wal_status AS "walStatus",
    safe_wal_size::text AS "safeWalBytes", greatest(pg_wal_lsn_diff(${FLUSHED_LSN}, restart_lsn), 0)::text AS "retainedBytes"
  FROM pg_replication_slots WHERE slot_name = $1`;

/** @throws LifeboatError JOURNAL_SLOT_TAKEN where the slot is a logical one */
export async function slotState(session: Session, name: string): Promise<SlotState> {
  type Row = Pick<SlotState, 'active' | 'activePid' | 'restartLsn' | 'walStatus'> & {
    type: string;
    safeWalBytes: string | null;
    retainedBytes: string | null;
  };
  const [row] = await session.query<Row>(SLOT, [name]);
  if (row === undefined) return NO_SLOT;
  const { type, safeWalBytes, retainedBytes, ...state } = row;
  if (type !== 'physical') {
    throw new LifeboatError('JOURNAL_SLOT_TAKEN', `look at replication slot ${name}: it is a ${type} one`);
  }
  return {
    exists: true,
    ...state,
    safeWalBytes: safeWalBytes === null ? null : Number(safeWalBytes),
    retainedBytes: Number(retainedBytes ?? 0),
  };
}

/** Is there nothing any more that the slot keeps? A physical slot that reserved WAL at its creation has a position until then. */
export function isLost(state: SlotState): boolean {
  return !state.exists || state.walStatus === 'lost' || state.restartLsn === null;
}

export async function readSlot(target: PostgresTarget, name: string): Promise<SlotState> {
  return withSession(target, { doing: `look at replication slot ${name}` }, async (session) =>
    slotState(session, name),
  );
}

export async function createSlot(target: PostgresTarget, name: string): Promise<SlotState> {
  const doing = `create replication slot ${name}`;
  const replication = await openReplication(target, { doing, applicationName: RECEIVER_NAME });
  try {
    await replication.command(`CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} PHYSICAL RESERVE_WAL`);
  } catch (error) {
    if (sqlState(error) !== DUPLICATE_OBJECT) throw fromWalError(doing, error);
  } finally {
    await replication.end();
  }
  return readSlot(target, name);
}

export async function dropSlot(target: PostgresTarget, name: string): Promise<void> {
  const doing = `drop replication slot ${name}`;
  const replication = await openReplication(target, { doing, applicationName: RECEIVER_NAME });
  try {
    await replication.command(`DROP_REPLICATION_SLOT ${quoteIdentifier(name)}`);
  } catch (error) {
    if (sqlState(error) !== UNDEFINED_OBJECT) throw fromWalError(doing, error);
  } finally {
    await replication.end();
  }
}
