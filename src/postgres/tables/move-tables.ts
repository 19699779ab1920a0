import { LifeboatError } from '../../domain/errors.ts';
import { formatTableName, sameTable, type TableName } from '../../domain/table-name.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import { inTransaction, withSession, type Session } from '../connection/session.ts';
import type { PostgresTarget } from '../postgres.ts';
import { readFamily } from './choose-tables.ts';
import { noteHomes, readKept } from './kept-tables.ts';
import { dependentsOf, placesOf, presentTables } from './survey-tables.ts';
import type { MovedTables, MoveTables } from './tables.ts';

/** The locks are held for moments; who waits longer stands behind something that hangs, and everybody else behind us. */
export const BEGIN = "BEGIN; SET LOCAL lock_timeout = '30s'";

/** See PostgresTables.move. */
export async function moveTables(request: MoveTables): Promise<MovedTables> {
  const { target, stagingSchema, tables, intoSchema, keptSchema } = request;
  const doing = `bring tables of ${target.database} into place`;
  return withSession(target, { doing }, async (session) => {
    const places = placesOf(tables, intoSchema);
    const there = await schemaExists(session, stagingSchema);
    if (!there) {
      const replaced = await movedEarlier(session, { tables, places, keptSchema });
      return { tables: places, replaced, ...(await identified(session, { places, keptSchema })) };
    }
    return inTransaction(session, BEGIN, async () => {
      const replaced = intoSchema === null ? await putAway(session, tables, keptSchema) : [];
      if (intoSchema !== null) await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(intoSchema)}`);
      await putInto(session, request);
      // Without CASCADE: whatever else is in there is not ours.
      await session.query(`DROP SCHEMA ${quoteIdentifier(stagingSchema)}`);
      return { tables: places, replaced, ...(await identified(session, { places, keptSchema })) };
    });
  });
}

/** The staging schema is gone: an attempt whose answer was lost has moved the tables; otherwise they were dropped by somebody. */
async function movedEarlier(
  session: Session,
  done: { readonly tables: readonly TableName[]; readonly places: readonly TableName[]; readonly keptSchema: string },
): Promise<TableName[]> {
  const { tables, places, keptSchema } = done;
  const present = await presentTables(session, places);
  const missing = places.filter((place) => !present.some((one) => sameTable(one, place)));
  if (missing.length === 0) return presentTables(session, placesOf(tables, keptSchema));
  const names = missing.map(formatTableName).join(', ');
  throw new LifeboatError('RESTORE_TABLES_MISMATCH', `bring tables into place: ${names}: not there any more`);
}

async function identified(
  session: Session,
  { places, keptSchema }: { readonly places: readonly TableName[]; readonly keptSchema: string },
): Promise<Pick<MovedTables, 'kept' | 'placed'>> {
  const placed = (await readFamily(session, places)).map(({ schema, table, oid }) => ({ schema, table, oid }));
  return { kept: await readKept(session, keptSchema), placed };
}

/** Everything below a table goes with it, and so do its indexes, constraints, triggers and sequences. */
async function putAway(session: Session, tables: readonly TableName[], keptSchema: string): Promise<TableName[]> {
  const family = await readFamily(session, tables);
  if (family.length === 0) return [];
  const names = family.map((table) => qualified(table)).join(', ');
  await session.query(`LOCK TABLE ${names} IN ACCESS EXCLUSIVE MODE`);
  const dependents = await dependentsOf(session, family);
  if (dependents.length > 0) throw inUse(dependents);
  await session.query(`CREATE SCHEMA ${quoteIdentifier(keptSchema)}`);
  await noteHomes(session, keptSchema, family);
  for (const table of family) await setSchema(session, table, keptSchema);
  return family.map(({ table }) => ({ schema: keptSchema, table }));
}

export function inUse(dependents: readonly string[]): LifeboatError {
  return new LifeboatError('RESTORE_TABLE_IN_USE', `replace tables in place: ${dependents.slice(0, 10).join('; ')}`, {
    details: { dependents: dependents.slice(0, 10) },
  });
}

/** Tables below one that was asked for go where it goes, in place into the schema that they came from. */
async function putInto(session: Session, { stagingSchema, tables, intoSchema, homes }: MoveTables): Promise<void> {
  const staged = await session.query<{ table: string }>(
    `SELECT c.relname::text AS table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')`,
    [stagingSchema],
  );
  for (const { table } of staged) {
    const home = homes.find((one) => one.table === table) ?? tables.find((one) => one.table === table);
    const schema = intoSchema ?? home?.schema;
    if (schema === undefined) throw new LifeboatError('INTERNAL', `table ${table} was loaded, but not asked for`);
    await setSchema(session, { schema: stagingSchema, table }, schema);
  }
}

export async function setSchema(session: Session, table: TableName, schema: string): Promise<void> {
  await session.query(`ALTER TABLE ${qualified(table)} SET SCHEMA ${quoteIdentifier(schema)}`);
}

export const qualified = ({ schema, table }: TableName): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

async function schemaExists(session: Session, schema: string): Promise<boolean> {
  const sql = 'SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS there';
  return (await session.one<{ there: boolean }>(sql, [schema])).there;
}

/** See PostgresTables.drop. */
export async function dropStaging(target: PostgresTarget, stagingSchema: string): Promise<void> {
  const doing = `drop the schema ${stagingSchema}`;
  await withSession(target, { doing }, async (session) => {
    await session.query("SET lock_timeout = '30s'");
    await session.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(stagingSchema)} CASCADE`);
  });
}
