import { withMaintenance } from '../connection/maintenance.ts';
import { withSession } from '../connection/session.ts';
import { ofExtension, SYSTEM_SCHEMA } from '../facts/catalog-facts.ts';
import type { Postgres, PostgresTarget } from '../postgres.ts';

const SERVER = `
  SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS exists, current_setting('server_version_num')::int AS "serverVersion",
    (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS "canCreateDatabase"`;

/** Tables, views, sequences, functions, types and large objects that are neither PostgreSQL's nor an extension's. */
const USER_OBJECTS = `
  SELECT (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')})
    + (SELECT count(*)::int FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_proc', 'p.oid')})
    + (SELECT count(*)::int FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE t.typtype IN ('d', 'e', 'r') AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_type', 't.oid')})
    + (SELECT count(*)::int FROM pg_largeobject_metadata) AS objects`;

/** See Postgres.surveyTarget. */
export async function surveyTarget(target: PostgresTarget, database: string): ReturnType<Postgres['surveyTarget']> {
  const doing = `survey database ${database}`;
  const server = await withMaintenance(target, { doing, about: [database] }, (session) =>
    session.one<Awaited<ReturnType<Postgres['surveyTarget']>>>(SERVER, [database]),
  );
  if (!server.exists) return { ...server, userObjects: 0 };
  const { objects } = await withSession(target, { doing, database }, (session) =>
    session.one<{ objects: number }>(USER_OBJECTS),
  );
  return { ...server, userObjects: objects };
}
