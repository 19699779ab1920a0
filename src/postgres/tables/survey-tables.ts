import type { IdentifiedTable } from '../../domain/selection-undo.ts';
import { sameTable, type TableName } from '../../domain/table-name.ts';
import { withSession, type Session } from '../connection/session.ts';
import { readFamily, type ChosenTable } from './choose-tables.ts';
import type { MoveTables, TableSurvey } from './tables.ts';

const SERVER = `
  SELECT current_setting('server_version_num')::int AS "serverVersion",
    (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS "canCreateDatabase",
    EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "schemaExists"`;

const PRESENT = `
  SELECT c.oid::int8::text AS oid, n.nspname::text AS schema, c.relname::text AS table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN unnest($1::text[], $2::text[]) w(s, t) ON n.nspname = w.s AND c.relname = w.t`;

/** Views are held by their rules, a parent by its children. Whatever is in the family itself is no stranger. */
const DEPENDENTS = `
  SELECT DISTINCT format('%s %s reads %s', CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, v.oid::regclass, d.refobjid::regclass) AS who
  FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY($1::int8[]) AND NOT v.oid = ANY($1::int8[])
  UNION ALL
  SELECT format('foreign key %I of %s refers to %s', k.conname, k.conrelid::regclass, k.confrelid::regclass) FROM pg_constraint k
  WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY($1::int8[]) AND NOT k.conrelid = ANY($1::int8[])
  UNION ALL
  SELECT format('%s is a part of %s', i.inhrelid::regclass, i.inhparent::regclass) FROM pg_inherits i
  WHERE i.inhrelid = ANY($1::int8[]) AND NOT i.inhparent = ANY($1::int8[])
  ORDER BY 1`;

/** See PostgresTables.survey. */
export async function surveyTables(
  request: Pick<MoveTables, 'target' | 'tables' | 'intoSchema'>,
): Promise<TableSurvey> {
  const { target, tables, intoSchema } = request;
  return withSession(target, { doing: `look at the tables of ${target.database}` }, async (session) => {
    const server = await session.one<Pick<TableSurvey, 'serverVersion' | 'canCreateDatabase' | 'schemaExists'>>(
      SERVER,
      [intoSchema ?? ''],
    );
    const places = placesOf(tables, intoSchema);
    const present = await presentTables(session, places);
    const dependents = intoSchema === null ? await dependentsOf(session, await readFamily(session, tables)) : [];
    return { ...server, present, dependents };
  });
}

/** Where the tables are to stand. */
export function placesOf(tables: readonly TableName[], intoSchema: string | null): TableName[] {
  return tables.map(({ schema, table }) => ({ schema: intoSchema ?? schema, table }));
}

/** Whatever has one of the names: a view or an index is as much in the way as a table. */
export async function relationsNamed(session: Session, names: readonly TableName[]): Promise<IdentifiedTable[]> {
  return session.query<IdentifiedTable>(PRESENT, [names.map(({ schema }) => schema), names.map(({ table }) => table)]);
}

/** Which of the names are taken, by whatever kind of relation. */
export async function presentTables(session: Session, names: readonly TableName[]): Promise<TableName[]> {
  const there = await relationsNamed(session, names);
  return names.filter((name) => there.some((other) => sameTable(name, other)));
}

export async function dependentsOf(session: Session, family: readonly ChosenTable[]): Promise<string[]> {
  const rows = await session.query<{ who: string }>(DEPENDENTS, [family.map(({ oid }) => oid)]);
  return rows.map(({ who }) => who);
}
