import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../../domain/errors.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import type { Session } from '../connection/session.ts';
import { propertyOf } from '../connection/sql-errors.ts';

/** Sessions that come in before the lock are ended again this often; RENAME itself waits up to five seconds for them. */
const END_EVERY_MS = 100;

const SESSIONS = `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> ALL ($2::int[]) AND backend_type <> 'autovacuum worker'`;

/**
 * Renames a database that others use, inside the transaction of `session`. RENAME first takes the lock that every new
 * connection to the database needs, then waits for the sessions that are in: ended by `killer` meanwhile, they go,
 * and no other gets in before the transaction ends. Nothing is visible or lasting before its commit.
 */
export async function renameFree(
  session: Session,
  killer: Session,
  names: { readonly from: string; readonly to: string },
): Promise<void> {
  const { from, to } = names;
  const own = [session.pid, killer.pid];
  const done = new AbortController();
  const ending = endSessionsUntil(killer, { database: from, own, signal: done.signal });
  try {
    await session.query(`ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`);
  } catch (error) {
    throw error instanceof LifeboatError && error.code === 'POSTGRES_DATABASE_BUSY' ? explainBusy(error, from) : error;
  } finally {
    done.abort();
    await ending;
  }
}

async function endSessionsUntil(
  killer: Session,
  context: { readonly database: string; readonly own: readonly number[]; readonly signal: AbortSignal },
): Promise<void> {
  while (!context.signal.aborted) {
    // One by one: a session of a role that we may not touch must not save the others. RENAME says who is still there.
    const found = await killer.query<{ pid: number }>(SESSIONS, [context.database, context.own]).catch(() => []);
    for (const { pid } of found) await killer.query('SELECT pg_terminate_backend($1)', [pid]).catch(() => undefined);
    await sleep(END_EVERY_MS, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

/** The transaction is aborted already, so the facts are the server's: its message counts sessions and prepared transactions. */
function explainBusy(error: LifeboatError, database: string): LifeboatError {
  const detail = propertyOf(error.cause, 'detail');
  return new LifeboatError(
    'POSTGRES_DATABASE_BUSY',
    `${error.message}: ${typeof detail === 'string' ? detail : 'in use'}`,
    {
      cause: error,
      details: { database },
    },
  );
}
