import { LifeboatError } from '../../domain/errors.ts';
import type { Session } from '../connection/session.ts';
import { ofExtension, SYSTEM_SCHEMA } from '../facts/catalog-facts.ts';
import type { PostgresTarget } from '../postgres.ts';

const NAMED_AT_MOST = 5;

/** What pg_dump would stumble over: it reads all tables, sequences and large objects, and refuses filtered rows. */
const UNREADABLE = `
  SELECT c.relkind = 'S' AS minor, format('%I.%I', n.nspname, c.relname) AS name,
    CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'no USAGE on its schema'
      WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'no SELECT' ELSE 'its row-level security hides rows from the role' END AS why
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'S', 'm') AND c.relpersistence <> 't' AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}
    AND (NOT has_schema_privilege(n.oid, 'USAGE')
      OR (c.relkind <> 'm' AND NOT CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
        ELSE has_table_privilege(c.oid, 'SELECT') END)
      OR (c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
        AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))))
  UNION ALL
  SELECT true, concat('large object ', m.oid), 'no SELECT' FROM pg_largeobject_metadata m
  WHERE NOT r.rolsuper AND NOT pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS (
    SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))`;

/** Asked with one row more than is named, so that the message can say that there are others. */
const QUERY = `SELECT u.name, u.why FROM pg_roles r CROSS JOIN LATERAL (${UNREADABLE}) u WHERE r.rolname = current_user
  ORDER BY u.minor, u.name LIMIT ${NAMED_AT_MOST + 1}`;

/** @throws LifeboatError POSTGRES_RIGHTS_MISSING naming what the role cannot read */
export async function requireReadRights(session: Session, target: PostgresTarget): Promise<void> {
  const rows = await session.query<{ name: string; why: string }>(QUERY);
  if (rows.length === 0) return;
  const named = rows.slice(0, NAMED_AT_MOST).map(({ name, why }) => `${name} (${why})`);
  const more = rows.length > NAMED_AT_MOST ? ' and others' : '';
  throw new LifeboatError(
    'POSTGRES_RIGHTS_MISSING',
    `role ${target.user} cannot read all of ${target.database}: ${named.join(', ')}${more}`,
    { details: { objects: rows.slice(0, NAMED_AT_MOST).map(({ name }) => name) } },
  );
}
