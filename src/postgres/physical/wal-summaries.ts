import { LifeboatError } from '../../domain/errors.ts';
import { withSession } from '../connection/session.ts';
import type { PostgresTarget } from '../postgres.ts';

/** Of those that reach behind a position: where the first begins, and whether another does not continue the one before it. */
const SUMMARIES = `
  WITH s AS (SELECT start_lsn, end_lsn FROM pg_available_wal_summaries() WHERE tli = $1::int8 AND end_lsn > $2::pg_lsn)
  SELECT (SELECT min(start_lsn) FROM s)::text AS first, coalesce((SELECT min(start_lsn) FROM s) > $2::pg_lsn, false) AS late,
    (SELECT min(a.end_lsn) FROM s a WHERE a.end_lsn < (SELECT max(end_lsn) FROM s)
      AND NOT EXISTS (SELECT 1 FROM s b WHERE b.start_lsn <= a.end_lsn AND b.end_lsn > a.end_lsn))::text AS hole`;

/**
 * Which summaries the server lacks to say what changed since a position; null where none, as far as it has got: the end is waited
 * for by the server itself when a base is taken. PostgreSQL 17 and later.
 */
export async function findMissingSummaries(
  target: PostgresTarget,
  { timeline, from }: { readonly timeline: number; readonly from: string },
): Promise<string | null> {
  const doing = 'look for WAL summaries';
  try {
    const found = await withSession(target, { doing }, async (session) =>
      session.one<{ first: string | null; late: boolean; hole: string | null }>(SUMMARIES, [String(timeline), from]),
    );
    if (found.late) return `the WAL summaries begin at ${found.first}, behind ${from}`;
    return found.hole === null ? null : `the WAL summaries have a hole at ${found.hole}`;
  } catch (error) {
    // Not ours to look at: pg_basebackup has the server say it.
    if (error instanceof LifeboatError && error.details['sqlstate'] === INSUFFICIENT_PRIVILEGE) return null;
    throw error;
  }
}

const INSUFFICIENT_PRIVILEGE = '42501';
