import { inTransaction, withSession } from '../connection/session.ts';
import type { PostgresTarget } from '../postgres.ts';

/**
 * The first value of the first row of a statement, as text; empty for NULL and for no row. It runs in a transaction that may not write, and
 * its search path is the database's own.
 * @throws LifeboatError POSTGRES_QUERY_FAILED, and the reason of `signal`
 */
export async function askOneValue(target: PostgresTarget, sql: string, signal: AbortSignal): Promise<string> {
  return withSession(target, { doing: 'ask a restored database', signal }, async (session) => {
    await session.query('RESET search_path');
    const [row] = await inTransaction(session, 'BEGIN READ ONLY', async () =>
      session.query<Record<string, unknown>>(sql),
    );
    return textOf(row === undefined ? null : Object.values(row)[0]);
  });
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  return value instanceof Date ? value.toISOString() : JSON.stringify(value);
}
