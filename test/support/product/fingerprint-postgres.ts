/** All that makes up a database, read by plain SQL that shares nothing with the product. */
import { Client } from 'pg';
import type { TestPostgres } from '../servers.ts';

/** One line per thing (`rows public.users`, `sequence public.users_id_seq`) with its content or a digest of it. */
export type Fingerprint = Readonly<Record<string, string>>;

const SYSTEM = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
const ACL = (acl: string, kind: string, owner: string): string => `(SELECT string_agg(
    format('%s=%s%s by %s', CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END, privilege_type,
      CASE WHEN is_grantable THEN '*' ELSE '' END, grantor::regrole), ', '
    ORDER BY CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END COLLATE "C", privilege_type COLLATE "C", grantor::regrole::text COLLATE "C")
  FROM aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))))`;
const NAME = "format('%I.%I', n.nspname, c.relname)";

/** Each gives rows of (what, name, content). */
const CATALOG: readonly string[] = [
  `SELECT 'relation' AS what, ${NAME} AS name, format('%s %s owner %s acl %s rls %s options %s populated %s', c.relkind, c.relpersistence,
     c.relowner::regrole, ${ACL('c.relacl', 'r', 'c.relowner')}, c.relrowsecurity, c.reloptions, c.relispopulated) AS content
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${SYSTEM} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
  `SELECT 'columns', ${NAME}, string_agg(format('%I %s %s default %s identity %s generated %s acl %s', a.attname,
     format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
     (SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C") FROM unnest(a.attacl) x)), '; ' ORDER BY a.attnum)
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
   WHERE ${SYSTEM} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') GROUP BY 2`,
  `SELECT 'constraint', format('%s.%I', k.conrelid::regclass, k.conname), pg_get_constraintdef(k.oid)
   FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE ${SYSTEM} AND k.conrelid <> 0`,
  `SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
   JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${SYSTEM}`,
  `SELECT 'view', ${NAME}, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${SYSTEM} AND c.relkind IN ('v', 'm')`,
  `SELECT 'partition', ${NAME}, pg_get_expr(c.relpartbound, c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${SYSTEM} AND c.relispartition AND c.relkind = 'r'`,
  `SELECT 'trigger', format('%s.%I', t.tgrelid::regclass, t.tgname), pg_get_triggerdef(t.oid) FROM pg_trigger t
   JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${SYSTEM} AND NOT t.tgisinternal`,
  `SELECT 'policy', format('%I.%I.%I', schemaname, tablename, policyname), format('%s %s %s %s', cmd, roles, qual, with_check) FROM pg_policies`,
  `SELECT 'function', format('%s', p.oid::regprocedure), format('%s owner %s acl %s', pg_get_functiondef(p.oid), p.proowner::regrole, ${ACL('p.proacl', 'f', 'p.proowner')})
   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${SYSTEM} AND p.prokind IN ('f', 'p')`,
  `SELECT 'type', format('%I.%I', n.nspname, t.typname), format('%s owner %s %s', t.typtype, t.typowner::regrole,
     (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
   FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${SYSTEM} AND t.typtype IN ('e', 'd')`,
  `SELECT 'schema', format('%I', n.nspname), format('owner %s acl %s', n.nspowner::regrole, ${ACL('n.nspacl', 'n', 'n.nspowner')})
   FROM pg_namespace n WHERE ${SYSTEM}`,
  `SELECT 'default privileges', format('%s %s %s', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype), defaclacl::text FROM pg_default_acl`,
  `SELECT 'extension', extname, format('%s in %s', extversion, extnamespace::regnamespace) FROM pg_extension`,
  `SELECT 'large object', m.oid::text, format('owner %s acl %s %s bytes %s', m.lomowner::regrole, ${ACL('m.lomacl', 'L', 'm.lomowner')}, length(lo_get(m.oid)), md5(lo_get(m.oid)))
   FROM pg_largeobject_metadata m`,
  `SELECT 'comment', format('%s', pg_describe_object(d.classoid, d.objoid, d.objsubid)), d.description FROM pg_description d
   WHERE d.objoid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e') AND d.classoid <> 'pg_extension'::regclass`,
  `SELECT 'database', 'itself', format('owner %s acl %s encoding %s collate %s settings %s comment %s', d.datdba::regrole, ${ACL('d.datacl', 'd', 'd.datdba')},
     pg_encoding_to_char(d.encoding), d.datcollate, (SELECT string_agg(s.setconfig::text, ';') FROM pg_db_role_setting s WHERE s.setdatabase = d.oid), shobj_description(d.oid, 'pg_database'))
   FROM pg_database d WHERE d.datname = current_database()`,
];

/** Reads everything of one database. */
export async function fingerprintPostgres(
  { target }: Pick<TestPostgres, 'target'>,
  database: string,
): Promise<Fingerprint> {
  const client = new Client({ ...target, ssl: false, database });
  await client.connect();
  try {
    await client.query("SET search_path = pg_catalog; SET timezone = 'UTC'; SET statement_timeout = '120s'");
    const found: Record<string, string> = {};
    for (const sql of [...CATALOG, ...(await contentQueries(client))]) {
      const { rows } = await client.query<{ what: string; name: string; content: string | null }>(sql);
      for (const { what, name, content } of rows) found[`${what} ${name}`] = content ?? 'null';
    }
    return found;
  } finally {
    await client.end();
  }
}

/** Rows as a multiset: their number and the sum of 64 bits of each row's MD5; sequences with where they stand. */
async function contentQueries(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; kind: string }>(
    `SELECT ${NAME} AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${SYSTEM} AND c.relkind IN ('r', 'm', 'S') ORDER BY 1`,
  );
  return rows.map(({ name, kind }) => {
    const literal = `'${name.replaceAll("'", "''")}'`;
    if (kind === 'S') {
      const owner = `(SELECT format('%s %s', relowner::regrole, ${ACL('relacl', 's', 'relowner')}) FROM pg_class WHERE oid = ${literal}::regclass)`;
      const shape = `(SELECT format('%s %s %s %s', seqstart, seqincrement, seqmax, seqcycle) FROM pg_sequence WHERE seqrelid = ${literal}::regclass)`;
      return `SELECT 'sequence' AS what, ${literal} AS name, format('%s %s of %s owner %s', last_value, is_called, ${shape}, ${owner}) AS content FROM ${name}`;
    }
    return `SELECT 'rows' AS what, ${literal} AS name, count(*) || ' ' || coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint::numeric), 0) AS content FROM ${name} t`;
  });
}
