import { Client } from 'pg';
import { DEMO_DATABASE } from '../../../embedded/demo-data/seed-postgres.ts';
import type { PostgresTarget } from '../../../postgres/postgres.ts';
import type { Reading, SequenceReading, TableReading } from './compare.ts';

/** The same text for the same privileges, in whatever order they were granted. */
const grants = (acl: string, kind: string, owner: string): string => `(
  select string_agg(format('%s=%s by %s', coalesce(g.rolname, 'public'), a.privilege_type, b.rolname), ', ' order by 1, g.rolname, a.privilege_type)
  from aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a
  left join pg_roles g on g.oid = a.grantee left join pg_roles b on b.oid = a.grantor)`;

const USER_SCHEMAS = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'`;

/** Name and definition of everything that is not a row, straight from the catalog; nothing here is shared with the product. */
const DEFINITIONS = `
select 'schema ' || n.nspname as name, n.nspowner::regrole || ' ' || ${grants('n.nspacl', 'n', 'n.nspowner')} as definition
  from pg_namespace n where ${USER_SCHEMAS}
union all
select format('relation %I.%I', n.nspname, c.relname),
    concat_ws(' ', c.relkind, c.relowner::regrole, ${grants('c.relacl', 'r', 'c.relowner')}, c.relrowsecurity, obj_description(c.oid, 'pg_class'), pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${USER_SCHEMAS} and c.relkind in ('r', 'p', 'v', 'm', 'S')
union all
select format('column %I.%I.%I', n.nspname, c.relname, a.attname),
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where ${USER_SCHEMAS} and c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped
union all
select format('constraint %s on %s', conname, conrelid::regclass), pg_get_constraintdef(k.oid)
  from pg_constraint k join pg_namespace n on n.oid = k.connamespace where ${USER_SCHEMAS} and conrelid <> 0
union all
select 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace where ${USER_SCHEMAS}
union all
select format('view %I.%I', n.nspname, c.relname), pg_get_viewdef(c.oid)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${USER_SCHEMAS} and c.relkind in ('v', 'm')
union all
select 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid)
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${USER_SCHEMAS} and p.prokind = 'f'
union all
select format('trigger %s on %s', tgname, tgrelid::regclass), pg_get_triggerdef(t.oid) from pg_trigger t where not tgisinternal
union all
select format('policy %s on %s', polname, polrelid::regclass), concat_ws(' ', polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid)) from pg_policy
union all
select 'extension ' || extname, extversion from pg_extension
union all
select 'enum ' || enumtypid::regtype, string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum group by enumtypid
union all
select 'database', concat_ws(' ', datdba::regrole, ${grants('d.datacl', 'd', 'd.datdba')}, pg_encoding_to_char(encoding), datcollate, shobj_description(d.oid, 'pg_database'))
  from pg_database d where datname = current_database()`;

const SEQUENCES = `
select format('%I.%I', schemaname, sequencename) as name, last_value, increment_by, concat_ws(' ', data_type, start_value, min_value, max_value, cycle) as shape
  from pg_sequences`;

/** Tables that hold rows, with what puts these into one order. */
const TABLES = `
select format('%I.%I', n.nspname, c.relname) as name,
    (select string_agg(format('r.%I', a.attname), ', ' order by array_position(i.indkey::int2[], a.attnum)) from pg_index i
      join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey) where i.indrelid = c.oid and i.indisprimary) as key
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where ${USER_SCHEMAS} and c.relkind in ('r', 'm') order by 1`;

/** Reads every row and every definition of the demo's database in one snapshot. Row order is that of the primary key. */
export async function readPostgres(
  server: PostgresTarget,
): Promise<Pick<Reading, 'tables' | 'definitions' | 'sequences'>> {
  const { host, port, user, password } = server;
  const session = new Client({ host, port, user, password, database: DEMO_DATABASE, ssl: false });
  await session.connect();
  try {
    await session.query("set time zone 'UTC'; begin isolation level repeatable read read only");
    const found = await session.query<{ name: string; definition: string | null }>(DEFINITIONS);
    const tables = new Map<string, TableReading>();
    for (const { name, key } of (await session.query<{ name: string; key: string | null }>(TABLES)).rows) {
      tables.set(name, await readTable(session, name, key ?? 'r::text'));
    }
    const definitions = new Map(found.rows.map(({ name, definition }) => [name, definition ?? '']));
    return { tables, definitions, sequences: await readSequences(session) };
  } finally {
    await session.end();
  }
}

async function readTable(session: Client, name: string, order: string): Promise<TableReading> {
  const digest = `encode(sha256(string_agg(md5(r::text), '' order by ${order})::bytea), 'hex')`;
  const { rows } = await session.query<{ rows: string; digest: string | null }>(
    `select count(*) as rows, ${digest} as digest from ${name} r`,
  );
  return { rows: Number(rows[0]?.rows), digest: rows[0]?.digest ?? '' };
}

async function readSequences(session: Client): Promise<Map<string, SequenceReading>> {
  const { rows } = await session.query<{
    name: string;
    last_value: string | null;
    increment_by: string;
    shape: string;
  }>(SEQUENCES);
  return new Map(
    rows.map(({ name, last_value: last, increment_by: increment, shape }) => [
      name,
      { lastValue: last === null ? null : Number(last), increment: Number(increment), shape },
    ]),
  );
}
