import { withSession } from '../connection/session.ts';
import type { Load } from './table-load.ts';

const ROLES = `
  SELECT DISTINCT pg_get_userbyid(r.role)::text AS name FROM (
    SELECT c.relowner AS role FROM pg_class c WHERE c.oid = ANY($1::int8[])
    UNION SELECT a.grantee FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = ANY($1::int8[]) AND a.grantee <> 0
    UNION SELECT a.grantee FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = ANY($1::int8[]) AND a.grantee <> 0) r`;

/** Roles that own or may use the tables, and that the live server lacks. */
export async function missingOwners({ definitions, tables, request, context }: Load): Promise<readonly string[]> {
  const { signal } = context.operation;
  const oids = tables.map(({ oid }) => oid);
  const doing = 'look for the owners of tables';
  const wanted = await withSession(definitions, { doing, signal }, (session) =>
    session.query<{ name: string }>(ROLES, [oids]),
  );
  const there = await withSession(request.target, { doing, signal }, (session) =>
    session.query<{ name: string }>('SELECT rolname::text AS name FROM pg_roles'),
  );
  const known = new Set(there.map(({ name }) => name));
  return wanted.map(({ name }) => name).filter((name) => !known.has(name));
}
