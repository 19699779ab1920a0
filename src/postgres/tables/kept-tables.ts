import type { IdentifiedTable } from '../../domain/selection-undo.ts';
import type { TableName } from '../../domain/table-name.ts';
import { quoteIdentifier, quoteLiteral } from '../connection/quoting.ts';
import type { Session } from '../connection/session.ts';

const KEPT = `
  SELECT c.oid::int8::text AS oid, c.relname::text AS table, obj_description(n.oid, 'pg_namespace') AS note
  FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') WHERE n.nspname = $1 ORDER BY c.oid`;

/** Writes to the schema itself where its tables come from: an attempt whose answer was lost is repeated when nothing else says so. */
export async function noteHomes(session: Session, keptSchema: string, tables: readonly TableName[]): Promise<void> {
  const homes = Object.fromEntries(tables.map(({ schema, table }) => [table, schema]));
  const note = JSON.stringify({ replacedBy: 'lifeboat restore', homes });
  await session.query(`COMMENT ON SCHEMA ${quoteIdentifier(keptSchema)} IS ${quoteLiteral(note)}`);
}

/** Tables of the schema with those that they come from; none where its comment does not tell. */
export async function readKept(session: Session, keptSchema: string): Promise<IdentifiedTable[]> {
  const rows = await session.query<{ oid: string; table: string; note: string | null }>(KEPT, [keptSchema]);
  return rows.flatMap(({ oid, table, note }) => {
    const schema = homesIn(note).get(table);
    return schema === undefined ? [] : [{ schema, table, oid }];
  });
}

/** A comment is anybody's to change: one that is not ours tells nothing. */
function homesIn(note: string | null): ReadonlyMap<string, string> {
  const homes = /^\{"replacedBy":"lifeboat restore","homes":(\{.*\})\}$/s.exec(note ?? '')?.[1];
  if (homes === undefined) return new Map();
  return new Map(Object.entries(JSON.parse(homes) as Record<string, string>));
}
