import type { Session } from '../connection/session.ts';
import type { BigTable } from '../dump/pieces.ts';
import { ofExtension, SYSTEM_SCHEMA } from '../facts/catalog-facts.ts';

export interface Server {
  /** `18.6`, with the packager's addition. */
  readonly server: string;
  readonly serverVersion: number;
  readonly databaseBytes: number;
  /** Empty where the role may not read it. */
  readonly systemIdentifier: string;
  readonly superuser: boolean;
  readonly canReplicate: boolean;
  readonly walLevel: string;
  readonly tables: number;
  /** Locks that the server has room for, over all sessions. */
  readonly lockRoom: number;
}

const SERVER = `
  SELECT current_setting('server_version') AS server, current_setting('server_version_num')::int AS "serverVersion",
    pg_database_size(current_database())::text AS bytes, r.rolsuper AS superuser, current_setting('wal_level') AS "walLevel",
    (r.rolsuper OR r.rolreplication) AND current_setting('max_wal_senders')::int > 0 AS "canReplicate",
    current_setting('max_locks_per_transaction')::int
      * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS "lockRoom",
    has_function_privilege('pg_control_system()', 'EXECUTE') AS "controlReadable",
    (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'
      AND c.relpersistence <> 't' AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}) AS tables
  FROM pg_roles r WHERE r.rolname = current_user`;

export async function readServer(session: Session): Promise<Server> {
  type Row = Omit<Server, 'databaseBytes' | 'systemIdentifier'> & { bytes: string; controlReadable: boolean };
  const { bytes, controlReadable, ...server } = await session.one<Row>(SERVER);
  const [control] = controlReadable
    ? await session.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()')
    : [];
  return { ...server, databaseBytes: Number(bytes), systemIdentifier: control?.id ?? '' };
}

/**
 * Can the server's lock table not hold what a parallel dump takes? Three sessions lock every table at the same time: the
 * snapshot, the definitions and the data; some room is others'.
 */
export function locksAreTight({ tables, lockRoom }: Server): boolean {
  return 3 * tables > 0.8 * lockRoom;
}

/** More pieces than this would only be more files; argv has its limits, too. */
const MAX_BIG_TABLES = 500;

/**
 * A pattern reaches pg_dump in UTF-8 and is compared in the database's encoding: where these differ, only tables with plain
 * ASCII names become pieces of their own.
 */
const BIG_TABLES = `
  SELECT c.oid::int8::text AS oid, n.nspname::text AS schema, c.relname::text AS table, format('%I.%I', n.nspname, c.relname) AS name,
    pg_table_size(c.oid)::text AS bytes,
    (SELECT coalesce(json_agg(json_build_array(sn.nspname, s.relname)), '[]')
      FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
        AND d.deptype IN ('a', 'i')) AS sequences
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}
    AND c.relpages >= $1::int8 / current_setting('block_size')::int8 / 100 AND pg_table_size(c.oid) >= $1
    AND (current_setting('server_encoding') = 'UTF8' OR concat(n.nspname, c.relname) ~ '^[[:ascii:]]*$')
  ORDER BY pg_table_size(c.oid) DESC, c.oid LIMIT ${MAX_BIG_TABLES}`;

export async function listBigTables(
  session: Session,
  bigTableBytes: number,
): Promise<(BigTable & { readonly oid: number; readonly bytes: number })[]> {
  const rows = await session.query<BigTable & { oid: string; bytes: string }>(BIG_TABLES, [bigTableBytes]);
  return rows.map((row) => ({ ...row, oid: Number(row.oid), bytes: Number(row.bytes) }));
}
