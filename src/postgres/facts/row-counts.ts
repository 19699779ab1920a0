import type { Session } from '../connection/session.ts';
import { ofExtension, SYSTEM_SCHEMA } from './catalog-facts.ts';

export interface TableToCount {
  /** Quoted and qualified: `"public"."users"` where quotes are needed. */
  readonly name: string;
  readonly bytes: number;
}

/** Ordinary tables, partitions included, that pg_dump takes: not of an extension. Biggest first. */
const TABLES = `
  SELECT c.oid::int8::text AS oid, format('%I.%I', n.nspname, c.relname) AS name, (c.relpages::int8 * 8192)::text AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}
  ORDER BY c.relpages DESC, c.oid`;

/** A statement counts tables up to this size together, so that few round trips meet few locks at a time. */
const BATCH_BYTES = 64 * 1_024 * 1_024;
const BATCH_TABLES = 100;

export async function listTables(session: Session): Promise<TableToCount[]> {
  const rows = await session.query<{ name: string; bytes: string }>(TABLES);
  return rows.map(({ name, bytes }) => ({ name, bytes: Number(bytes) }));
}

/** Cuts the list into statements' worth. */
export function batchTables(tables: readonly TableToCount[]): TableToCount[][] {
  const batches: TableToCount[][] = [];
  let room = 0;
  for (const table of tables) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= BATCH_TABLES || table.bytes > room) {
      batches.push([table]);
      room = BATCH_BYTES - table.bytes;
    } else {
      last.push(table);
      room -= table.bytes;
    }
  }
  return batches;
}

/** Exact rows, in the order of the batch, as the session's transaction sees them. */
export async function countRows(
  session: Session,
  batch: readonly TableToCount[],
): Promise<{ name: string; rows: number }[]> {
  if (batch.length === 0) return [];
  const counts = batch.map(
    (table, index) => `SELECT ${index} AS place, count(*)::text AS rows FROM ONLY ${table.name}`,
  );
  const found = await session.query<{ place: number; rows: string }>(counts.join(' UNION ALL '));
  const byPlace = new Map(found.map((row) => [row.place, Number(row.rows)]));
  return batch.map((table, index) => ({ name: table.name, rows: byPlace.get(index) ?? 0 }));
}
