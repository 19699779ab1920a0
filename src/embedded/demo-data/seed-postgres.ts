import { Client } from 'pg';
import type { PostgresTarget } from '../../postgres/postgres.ts';
import { AUTH_CONSTRAINTS, AUTH_OBJECTS, AUTH_ROLES, authSchema } from './auth-schema.ts';
import { authRows } from './auth-rows.ts';

export const DEMO_DATABASE = 'enterprise_auth';

/** Set last, so that a database without it is one whose making was interrupted. */
const SEEDED = 'generated data of an authentication backend';

/**
 * Makes and fills the database where it is missing or was left unfinished; false where it was there already.
 * The same seed gives the same rows.
 */
export async function seedPostgres(server: PostgresTarget, seed: number, signal: AbortSignal): Promise<boolean> {
  const target = { ...server, database: DEMO_DATABASE };
  const isMade = await withSession(server, signal, async (session) => {
    const { rows } = await session.query<{ comment: string | null }>(
      "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1",
      [DEMO_DATABASE],
    );
    if (rows[0]?.comment === SEEDED) return true;
    await session.query(`drop database if exists ${DEMO_DATABASE}`);
    await session.query(`create database ${DEMO_DATABASE}`);
    for (const role of AUTH_ROLES) await makeRole(session, role);
    return false;
  });
  if (isMade) return false;
  await withSession(target, signal, async (session) => {
    const { rowCount } = await session.query("select from pg_available_extensions where name = 'citext'");
    await session.query(authSchema(rowCount === 1));
  });
  await runGroups(target, authRows(seed), signal);
  await runGroups(target, AUTH_CONSTRAINTS, signal);
  await withSession(target, signal, async (session) => {
    await session.query(AUTH_OBJECTS);
    await session.query('analyze');
    await session.query(`comment on database ${DEMO_DATABASE} is '${SEEDED}'`);
  });
  return true;
}

async function makeRole(session: Client, role: string): Promise<void> {
  const { rowCount } = await session.query('select from pg_roles where rolname = $1', [role]);
  if (rowCount === 0) await session.query(`create role ${role} nologin`);
}

/** The groups side by side, each in a session of its own; the first failure ends the others. */
async function runGroups(
  target: PostgresTarget,
  groups: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  await Promise.all(
    groups.map(async (statements) => {
      try {
        await withSession(target, either, async (session) => {
          await session.query("set synchronous_commit = off; set maintenance_work_mem = '128MB'");
          for (const statement of statements) await session.query(statement);
        });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
}

/** A session for `work`; an abort cuts it off, and its reason is what is thrown then. */
async function withSession<T>(
  target: PostgresTarget,
  signal: AbortSignal,
  work: (session: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { host, port, user, password, database } = target;
  const session = new Client({ host, port, user, password, database, ssl: false });
  // What breaks the connection also fails the statement that waits for it.
  session.on('error', () => undefined);
  const cut = (): void => void session.end();
  signal.addEventListener('abort', cut, { once: true });
  try {
    await session.connect();
    return await work(session);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
    await session.end();
  }
}
