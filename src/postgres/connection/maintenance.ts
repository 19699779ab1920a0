import { LifeboatError } from '../../domain/errors.ts';
import type { PostgresTarget } from '../postgres.ts';
import { openSession, type Session, type SessionRequest } from './session.ts';

/** Databases that administrative statements are sent through: never the one they are about. */
const PREFERRED = ['postgres', 'template1'];

/** The next one is tried when a database is not there or not open to the role. */
const TRY_NEXT = new Set(['POSTGRES_DATABASE_MISSING', 'POSTGRES_RIGHTS_MISSING']);

/**
 * Gives `use` a session in a database other than those in `about`: a database cannot be renamed or dropped from inside.
 * The target's own database is the last resort, for servers that keep the usual ones to themselves.
 */
export async function withMaintenance<T>(
  target: PostgresTarget,
  request: SessionRequest & { readonly about: readonly string[] },
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openMaintenance(target, request);
  try {
    return await use(session);
  } finally {
    await session.end();
  }
}

async function openMaintenance(
  target: PostgresTarget,
  request: SessionRequest & { readonly about: readonly string[] },
): Promise<Session> {
  const candidates = [...new Set([...PREFERRED, target.database])].filter((name) => !request.about.includes(name));
  let first: LifeboatError | undefined;
  for (const database of candidates) {
    try {
      return await openSession(target, { ...request, database });
    } catch (error) {
      if (!(error instanceof LifeboatError) || !TRY_NEXT.has(error.code)) throw error;
      first ??= error;
    }
  }
  throw first ?? new LifeboatError('POSTGRES_NOT_SWAPPABLE', `${request.doing}: no other database to connect to`);
}
