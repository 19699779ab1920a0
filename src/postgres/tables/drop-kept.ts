import type { IdentifiedTable } from '../../domain/selection-undo.ts';
import { formatTableName } from '../../domain/table-name.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import { inTransaction, withSession, type Session } from '../connection/session.ts';
import type { PostgresTarget } from '../postgres.ts';
import { readFamily } from './choose-tables.ts';
import { BEGIN, qualified } from './move-tables.ts';
import { dependentsOf } from './survey-tables.ts';
import type { DroppedTables, KeptTables } from './tables.ts';
import { byOid } from './undo-move.ts';

/** Whatever lies in a schema depends on it in the catalog. */
const IS_EMPTY = `
  SELECT NOT EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = n.oid) AS empty
  FROM pg_namespace n WHERE nspname = $1`;

/** See PostgresTables.findKept. */
export async function findKept(target: PostgresTarget, wanted: readonly KeptTables[]): Promise<KeptTables[]> {
  return withSession(target, { doing: `look for replaced tables of ${target.database}` }, async (session) => {
    const found = await byOid(
      session,
      wanted.flatMap(({ kept }) => kept),
    );
    return wanted.filter((one) => stillKept(one, found).length > 0);
  });
}

/** See PostgresTables.dropKept. */
export async function dropKept(target: PostgresTarget, wanted: KeptTables): Promise<DroppedTables> {
  const { keptSchema, kept } = wanted;
  const doing = `drop the replaced tables in ${keptSchema}`;
  return withSession(target, { doing }, (session) =>
    inTransaction(session, BEGIN, async () => {
      const ours = stillKept(wanted, await byOid(session, kept));
      if (ours.length === 0) return { dropped: [], inTheWay: [] };
      const names = ours.map(qualified).join(', ');
      await session.query(`LOCK TABLE ${names} IN ACCESS EXCLUSIVE MODE`);
      const inTheWay = await whatIsInTheWay(session, wanted, ours);
      if (inTheWay.length > 0) return { dropped: [], inTheWay };
      await session.query(`DROP TABLE ${names}`);
      const [schema] = await session.query<{ empty: boolean }>(IS_EMPTY, [keptSchema]);
      if (schema?.empty === true) await session.query(`DROP SCHEMA ${quoteIdentifier(keptSchema)}`);
      return { dropped: ours.map(formatTableName), inTheWay: [] };
    }),
  );
}

/** Those that are what was recorded and where it was put: an undo, or a hand, may have taken one out since. */
function stillKept({ keptSchema, kept }: KeptTables, found: readonly IdentifiedTable[]): IdentifiedTable[] {
  return found.filter(
    ({ oid, schema, table }) =>
      schema === keptSchema && kept.some((recorded) => recorded.oid === oid && recorded.table === table),
  );
}

/** Looked at under the lock, by which nothing new can come: names that are others' by now, parts that were added, and what reads them. */
async function whatIsInTheWay(
  session: Session,
  wanted: KeptTables,
  ours: readonly IdentifiedTable[],
): Promise<readonly string[]> {
  const now = stillKept(wanted, await byOid(session, ours));
  const moved = ours.filter(({ oid }) => !now.some((one) => one.oid === oid));
  const family = await readFamily(session, ours);
  const added = family.filter(({ oid }) => !ours.some((one) => one.oid === oid));
  return [
    ...moved.map((table) => `${formatTableName(table)} was renamed or moved this moment`),
    ...added.map((table) => `${formatTableName(table)} was made a part of one of them`),
    ...(await dependentsOf(session, family)),
  ];
}
