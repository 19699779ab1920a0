import type { Operation } from '../domain/operation.ts';
import { inTransaction, withSession } from './connection/session.ts';
import type { PostgresTarget } from './postgres.ts';

/** Longest answer that is taken into a report. */
const ANSWER_CHARACTERS = 200;

export interface PostgresHealth {
  readonly server: string;
  readonly database: string;
}

/**
 * Connects and, where it is asked for, commits a row to a temporary table that goes with the transaction: the server takes writes, and
 * its WAL can be written. Leaves nothing behind.
 * @throws LifeboatError POSTGRES_*
 */
export async function checkPostgres(
  target: PostgresTarget,
  { writable }: { readonly writable: boolean },
  { signal }: Pick<Operation, 'signal'>,
): Promise<PostgresHealth> {
  const doing = `check database ${target.database}`;
  return withSession(target, { doing, signal }, async (session) => {
    const { server } = await session.one<{ server: string }>(`SELECT current_setting('server_version') AS server`);
    if (writable) {
      // As an application would find it: a database that was made read only is not writable.
      await session.query('RESET default_transaction_read_only');
      await inTransaction(session, 'BEGIN', async () => {
        await session.query('CREATE TEMPORARY TABLE lifeboat_check (at timestamptz) ON COMMIT DROP');
        await session.query('INSERT INTO pg_temp.lifeboat_check VALUES (pg_catalog.now())');
      });
    }
    return { server, database: target.database };
  });
}

/**
 * The first column of the first row of one statement, as text; null where there is none. Read only, with the search path of the role.
 * @throws LifeboatError POSTGRES_*
 */
export async function askPostgres(
  target: PostgresTarget,
  { name, query }: { readonly name: string; readonly query: string },
  { signal }: Pick<Operation, 'signal'>,
): Promise<string | null> {
  return withSession(target, { doing: `check ${name}`, signal }, async (session) => {
    await session.query('RESET search_path');
    return inTransaction(session, 'BEGIN READ ONLY', async () => {
      // With parameters, be they none, a text holds one statement only.
      const [row] = await session.query<Record<string, unknown>>(query, []);
      const [value] = Object.values(row ?? {});
      if (value === undefined || value === null) return null;
      return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, ANSWER_CHARACTERS);
    });
  });
}
