import { LifeboatError } from '../../domain/errors.ts';
import type { Session } from './session.ts';

const LOCK_NOT_AVAILABLE = '55P03';

/** One session in the way. Its facts may be hidden from the role, and a prepared transaction has none. */
interface Blocker {
  readonly table: string;
  /** Null for a prepared transaction. */
  readonly pid: number | null;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  /** ISO 8601; start of the statement that runs in it, or ran last. */
  readonly queryStart: string | null;
  /** False: it waits for the table itself, and everybody else behind it. */
  readonly granted: boolean;
  /** Whom it waits for. */
  readonly behind: readonly number[];
}

/**
 * ACCESS EXCLUSIVE alone conflicts with a reader's ACCESS SHARE, held or queued for. A waiter that gave up is in no queue any
 * more, so pg_blocking_pids is asked about those that still are.
 */
const BLOCKERS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS table, l.pid, a.usename::text AS user, a.application_name AS application,
    a.state, to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "queryStart", l.granted,
    CASE WHEN l.granted OR l.pid IS NULL THEN '{}' ELSE pg_blocking_pids(l.pid) END AS behind
  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p', 'm', 'S')
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ($1::text[] IS NULL OR format('%I.%I', n.nspname, c.relname) = ANY ($1))
  ORDER BY l.granted DESC, a.query_start LIMIT 5`;

/**
 * The error of a reader whose lock was not granted in time, with the table and who stands in the way; any other error as it
 * is. The session must be outside a transaction. `tables`: which ones it may be; undefined for any of the database.
 */
export async function explainLockTimeout(
  session: Session,
  error: unknown,
  about: { readonly doing: string; readonly timeoutMs: number; readonly tables?: readonly string[] },
): Promise<unknown> {
  if (!(error instanceof LifeboatError) || error.details['sqlstate'] !== LOCK_NOT_AVAILABLE) return error;
  const { doing, timeoutMs, tables = null } = about;
  const blockers = await session.query<Blocker>(BLOCKERS, [tables]);
  const waited = `not granted within ${timeoutMs / 1_000} s`;
  const [first] = blockers;
  if (first === undefined) {
    const message = `${doing}: lock a table: ${waited}; whoever was in the way is gone by now`;
    return new LifeboatError('POSTGRES_LOCK_TIMEOUT', message, { cause: error, details: error.details });
  }
  return new LifeboatError('POSTGRES_LOCK_TIMEOUT', `${doing}: lock table ${first.table}: ${waited}: ${tell(first)}`, {
    cause: error,
    details: {
      ...error.details,
      table: first.table,
      pid: first.pid,
      queryStart: first.queryStart,
      blockers: blockers.map((one) => `${one.table}: ${tell(one)}`),
    },
    hint: `is it meant to take so long? ${advise(first)}`,
  });
}

function tell({ pid, user, application, state, queryStart, granted, behind }: Blocker): string {
  if (pid === null) return 'a prepared transaction holds it exclusively';
  const who = [user, application].filter((word) => word !== null && word !== '').join(', ');
  const does = granted ? 'holds it exclusively' : `waits for it exclusively, behind ${behind.join(', ')}`;
  const since = queryStart === null ? '' : `; last statement ${queryStart}, ${state ?? 'state unknown'}`;
  return `process ${pid}${who === '' ? '' : ` (${who})`} ${does}${since}`;
}

function advise({ pid, granted, behind }: Blocker): string {
  if (pid === null) return 'find it in pg_prepared_xacts, and COMMIT PREPARED or ROLLBACK PREPARED it';
  const root = granted ? pid : (behind[0] ?? pid);
  return `look at process ${root} in pg_stat_activity, and end it with SELECT pg_terminate_backend(${root})`;
}
