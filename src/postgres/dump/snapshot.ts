import type { PostgresTarget } from '../postgres.ts';
import { lockTables } from '../connection/lock-tables.ts';
import { openSession, type Session } from '../connection/session.ts';
import { ofExtension, SYSTEM_SCHEMA } from '../facts/catalog-facts.ts';

export interface Snapshot {
  /** For `pg_dump --snapshot` and `SET TRANSACTION SNAPSHOT`; valid while the session is open. */
  readonly id: string;
  /** WAL position: what is committed in the snapshot ends at or before it. */
  readonly lsn: string;
  readonly timeline: number;
  /** ISO 8601, the server's clock. */
  readonly takenAt: string;
  /** The transaction that holds the snapshot; catalogs read through it are those of the snapshot. */
  readonly session: Session;
  /** Ends the transaction; rejects when it, and so the snapshot, was lost on the way. */
  release(): Promise<void>;
}

/** pg_dump locks ordinary and partitioned tables; so do we, before the snapshot. */
const TABLES_TO_LOCK = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}
    AND has_table_privilege(c.oid, 'SELECT') ORDER BY c.oid`;

/** A standby knows no WAL insert position, and its timeline only from the control file or the receiver. */
const EXPORT = `
  SELECT pg_export_snapshot() AS id, clock_timestamp() AS at, pg_is_in_recovery() AS standby,
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn`;
const PRIMARY_TIMELINE = `SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline`;
const STANDBY_TIMELINE = `SELECT greatest((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT received_tli FROM pg_stat_wal_receiver)) AS timeline`;

/**
 * Exports a snapshot with all tables locked in ACCESS SHARE **before** it is taken: a TRUNCATE or a rewriting ALTER TABLE
 * that commits between snapshot and lock would make a table look empty, because these do not obey snapshots.
 */
export async function openSnapshot(
  target: PostgresTarget,
  signal: AbortSignal,
  lockTimeoutMs?: number,
): Promise<Snapshot> {
  const doing = `take a snapshot of ${target.database}`;
  const session = await openSession(target, { doing, signal });
  try {
    const tables = await session.query<{ name: string }>(TABLES_TO_LOCK);
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // LOCK TABLE is the one statement that may come before the snapshot of a REPEATABLE READ transaction.
    await lockTables(session, { doing, tables: tables.map(({ name }) => name), timeoutMs: lockTimeoutMs });
    const row = await session.one<{ id: string; at: Date; standby: boolean; lsn: string }>(EXPORT);
    const { timeline } = await session.one<{ timeline: number }>(row.standby ? STANDBY_TIMELINE : PRIMARY_TIMELINE);
    return {
      id: row.id,
      lsn: row.lsn,
      timeline,
      takenAt: row.at.toISOString(),
      session,
      async release() {
        await session.query('COMMIT');
      },
    };
  } catch (error) {
    await session.end();
    throw error;
  }
}
