import { LifeboatError } from '../../domain/errors.ts';
import type { Session } from '../connection/session.ts';
import type { DatabaseProperties } from './database-facts.ts';
import { propertyStatements, readDatabaseProperties } from './database-properties.ts';

/**
 * Gives a database these properties, inside the caller's transaction; only what differs is touched, so that an owner
 * without special rights gets through. What needs a right, a role or a setting that is not there is left out and
 * returned, a sentence each.
 */
export async function applyProperties(
  session: Session,
  database: string,
  wanted: DatabaseProperties,
): Promise<string[]> {
  const current = await readDatabaseProperties(session, database);
  if (current === undefined) throw new LifeboatError('POSTGRES_DATABASE_MISSING', `database ${database} is not there`);
  const skipped: string[] = [];
  for (const { about, statements } of propertyStatements(database, wanted, current)) {
    const problem = await tryStatements(session, statements);
    if (problem !== undefined) skipped.push(`${about}: ${problem}`);
  }
  return skipped;
}

/** Missing right; no such role or setting. */
const TOLERATED = new Set<unknown>(['42501', '42704']);

async function tryStatements(session: Session, statements: readonly string[]): Promise<string | undefined> {
  await session.query('SAVEPOINT property');
  try {
    for (const statement of statements) await session.query(statement);
  } catch (error) {
    if (!(error instanceof LifeboatError) || !TOLERATED.has(error.details['sqlstate'])) throw error;
    await session.query('ROLLBACK TO SAVEPOINT property');
    return error.message;
  }
  await session.query('RELEASE SAVEPOINT property');
  return undefined;
}
