import { refuseSameNames, requireTables, type TableName } from '../../domain/table-name.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import type { Session } from '../connection/session.ts';
import { ofExtension, SYSTEM_SCHEMA } from '../facts/catalog-facts.ts';

/** A table that comes back, where it is defined. */
export interface ChosenTable extends TableName {
  readonly oid: string;
  /** As the facts of a backup spell it: quoted where SQL needs it. */
  readonly spelled: string;
  readonly partitioned: boolean;
}

/** A sequence that belongs to a column of one of them. */
export interface ChosenSequence extends TableName {
  readonly oid: string;
  readonly spelled: string;
}

const TABLES = `
  SELECT n.nspname::text AS schema, c.relname::text AS table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}`;

/** With everything below them: partitions, and tables that inherit. */
const FAMILY = `
  WITH RECURSIVE named AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN unnest($1::text[], $2::text[]) w(s, t) ON n.nspname = w.s AND c.relname = w.t WHERE c.relkind IN ('r', 'p')),
  family AS (SELECT oid FROM named UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid)
  SELECT c.oid::int8::text AS oid, n.nspname::text AS schema, c.relname::text AS table, c.relkind = 'p' AS partitioned, c.relkind AS kind,
    format('%I.%I', n.nspname, c.relname) AS spelled
  FROM family f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY c.oid`;

const SEQUENCES = `
  SELECT c.oid::int8::text AS oid, n.nspname::text AS schema, c.relname::text AS table, format('%I.%I', n.nspname, c.relname) AS spelled
  FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY($1::int8[]) AND d.refobjsubid > 0
    AND d.deptype IN ('a', 'i')`;

export async function listUserTables(session: Session): Promise<TableName[]> {
  return session.query<TableName>(TABLES);
}

/** The tables of these names with all below them. Those that are not there are passed over. */
export async function readFamily(session: Session, names: readonly TableName[]): Promise<ChosenTable[]> {
  const values = [names.map(({ schema }) => schema), names.map(({ table }) => table)];
  const rows = await session.query<ChosenTable & { readonly kind: string }>(FAMILY, values);
  return rows
    .filter(({ kind }) => kind === 'r' || kind === 'p')
    .map(({ oid, schema, table, spelled, partitioned }) => ({ oid, schema, table, spelled, partitioned }));
}

/** @throws LifeboatError RESTORE_TABLE_NOT_FOUND, USAGE_INVALID where two would get the same name */
export async function chooseTables(
  session: Session,
  names: readonly TableName[],
  where: string,
): Promise<{ readonly tables: readonly ChosenTable[]; readonly sequences: readonly ChosenSequence[] }> {
  requireTables(names, await listUserTables(session), where);
  const tables = await readFamily(session, names);
  refuseSameNames(tables);
  const oids = tables.map(({ oid }) => oid);
  const sequences = await session.query<ChosenSequence>(SEQUENCES, [oids]);
  return { tables, sequences };
}

/** What ties them to tables that do not come along, as statements that cut it. Incoming foreign keys belong to the other table. */
const CUTS = `
  SELECT format('ALTER TABLE %s DETACH PARTITION %s', i.inhparent::regclass, i.inhrelid::regclass) AS cut
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhrelid = ANY($1::int8[]) AND NOT i.inhparent = ANY($1::int8[]) AND c.relispartition
  UNION ALL
  SELECT format('ALTER TABLE %s NO INHERIT %s', i.inhrelid::regclass, i.inhparent::regclass)
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhrelid = ANY($1::int8[]) AND NOT i.inhparent = ANY($1::int8[]) AND NOT c.relispartition`;

/** What would act on the live data from a copy that is meant for reading. */
const ACTIVE = `
  SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname) AS cut FROM pg_constraint k
  WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY($1::int8[]) AND NOT k.confrelid = ANY($1::int8[])
  UNION ALL
  SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass) FROM pg_trigger t
  WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgrelid = ANY($1::int8[])
  UNION ALL
  SELECT format('DROP RULE %I ON %s', r.rulename, r.ev_class::regclass) FROM pg_rewrite r WHERE r.ev_class = ANY($1::int8[])`;

/**
 * Frees the tables from all that does not come along, and puts them into the schema under whose name they are dumped. The database
 * is one of our own. Detaching comes first: what a partition had from its parent is its own afterwards.
 */
export async function isolateTables(
  session: Session,
  tables: readonly ChosenTable[],
  { schema, inPlace }: { readonly schema: string; readonly inPlace: boolean },
): Promise<void> {
  const oids = tables.map(({ oid }) => oid);
  for (const sql of inPlace ? [CUTS] : [CUTS, ACTIVE]) {
    for (const { cut } of await session.query<{ cut: string }>(sql, [oids])) await session.query(cut);
  }
  await session.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
  for (const { schema: from, table } of tables) {
    const name = `${quoteIdentifier(from)}.${quoteIdentifier(table)}`;
    await session.query(`ALTER TABLE ${name} SET SCHEMA ${quoteIdentifier(schema)}`);
  }
}
