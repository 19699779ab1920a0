import type { Session } from '../connection/session.ts';
import type { CatalogFacts } from './database-facts.ts';

/** Schemas and objects that are the user's own: `$system` is true for what PostgreSQL or an extension brings along. */
export const SYSTEM_SCHEMA = `n.nspname LIKE 'pg\\_%' OR n.nspname = 'information_schema'`;
export const ofExtension = (catalog: string, oid: string): string =>
  `EXISTS (SELECT FROM pg_depend x WHERE x.classid = '${catalog}'::regclass AND x.objid = ${oid} AND x.deptype = 'e')`;

const rights = (acl: string, kind: string, owner: string): string => `(
  SELECT coalesce(json_agg(concat(CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, '=',
    a.privilege_type, CASE WHEN a.is_grantable THEN '*' END)
    ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type), '[]')
  FROM aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a)`;

/** pg_class.relkind to the letter acldefault wants: sequences have defaults of their own. */
const relationRights = `CASE WHEN c.relkind = 'S' THEN ${rights('c.relacl', 's', 'c.relowner')} ELSE ${rights('c.relacl', 'r', 'c.relowner')} END`;

const OBJECTS = `
  SELECT 'schema' AS kind, quote_ident(n.nspname) AS name, pg_get_userbyid(n.nspowner)::text AS owner,
    ${rights('n.nspacl', 'n', 'n.nspowner')} AS grants
  FROM pg_namespace n WHERE NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_namespace', 'n.oid')}
  UNION ALL
  SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
      WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'composite type' END,
    format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner)::text, ${relationRights}
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}
  UNION ALL
  SELECT 'column', format('%I.%I.%I', n.nspname, c.relname, t.attname), '',
    ${rights('t.attacl', 'c', 'c.relowner')}
  FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE t.attacl IS NOT NULL AND NOT t.attisdropped AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, pg_get_userbyid(p.proowner)::text, ${rights('p.proacl', 'f', 'p.proowner')}
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_proc', 'p.oid')}
  UNION ALL
  SELECT 'type', format('%I.%I', n.nspname, t.typname), pg_get_userbyid(t.typowner)::text, ${rights('t.typacl', 'T', 't.typowner')}
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('d', 'e', 'r') AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_type', 't.oid')}
  UNION ALL
  SELECT 'default privileges', concat(pg_get_userbyid(d.defaclrole), ' ', coalesce(n.nspname, '*'), ' ', d.defaclobjtype),
    pg_get_userbyid(d.defaclrole)::text, ${rights('d.defaclacl', 'r', 'd.defaclrole')}
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
  UNION ALL
  SELECT 'large object', m.oid::text, pg_get_userbyid(m.lomowner)::text, ${rights('m.lomacl', 'L', 'm.lomowner')}
  FROM pg_largeobject_metadata m WHERE m.oid IN (SELECT oid FROM pg_largeobject_metadata ORDER BY oid LIMIT $1)
  UNION ALL
  SELECT 'event trigger', quote_ident(evtname), pg_get_userbyid(evtowner)::text, '[]' FROM pg_event_trigger e
  WHERE NOT ${ofExtension('pg_event_trigger', 'e.oid')}
  UNION ALL
  SELECT 'publication', quote_ident(pubname), pg_get_userbyid(pubowner)::text, '[]' FROM pg_publication
  ORDER BY 1, 2`;

const userTable = (relation: string): string =>
  `EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${relation}
    AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')})`;

const COUNTS = `
  SELECT current_setting('server_version_num')::int AS "serverVersion",
    (SELECT coalesce(json_agg(json_build_object('name', e.extname, 'version', e.extversion, 'schema', n.nspname) ORDER BY e.extname), '[]')
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace) AS extensions,
    (SELECT count(*)::int FROM pg_largeobject_metadata) AS "largeObjects",
    (SELECT count(*)::int FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'f', 'x', 'c') AND k.conrelid <> 0
      AND ${userTable('k.conrelid')}) AS constraints,
    (SELECT count(*)::int FROM pg_index i WHERE ${userTable('i.indrelid')}) AS indexes,
    (SELECT count(*)::int FROM pg_trigger t WHERE NOT t.tgisinternal AND ${userTable('t.tgrelid')}) AS triggers,
    (SELECT count(*)::int FROM pg_policy p WHERE ${userTable('p.polrelid')}) AS policies,
    (SELECT coalesce(json_agg(concat(k.conrelid::regclass, ' ', k.conname) ORDER BY k.conrelid::regclass::text, k.conname), '[]')
      FROM pg_constraint k WHERE NOT k.convalidated AND k.contype IN ('f', 'c') AND k.conrelid <> 0 AND ${userTable('k.conrelid')}) AS "notValidated",
    (SELECT coalesce(json_agg(i.indexrelid::regclass::text ORDER BY i.indexrelid::regclass::text), '[]')
      FROM pg_index i WHERE NOT i.indisvalid AND ${userTable('i.indrelid')}) AS "invalidIndexes",
    (SELECT count(*)::int FROM pg_class m WHERE m.relkind = 'm' AND m.relispopulated AND ${userTable('m.oid')}) AS "populatedViews",
    (SELECT coalesce(json_agg(DISTINCT t.spcname), '[]') FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
      WHERE t.spcname NOT LIKE 'pg\\_%') AS tablespaces,
    (SELECT coalesce(json_object_agg(name, setting), '{}') FROM pg_settings WHERE name IN ('TimeZone', 'lc_messages', 'data_checksums',
      'wal_level', 'max_connections', 'shared_preload_libraries', 'default_transaction_isolation', 'standard_conforming_strings',
      'block_size', 'integer_datetimes', 'server_encoding')) AS "serverSettings"`;

/** Rights are compared for this many large objects, the first by oid; all are counted. */
export const LARGE_OBJECTS_COMPARED = 10_000;

/** Reads the catalogs of the session's database as its transaction sees them. */
export async function readCatalogFacts(session: Session): Promise<CatalogFacts> {
  const counts = await session.one<Omit<CatalogFacts, 'objects'>>(COUNTS);
  const objects = await session.query<CatalogFacts['objects'][number]>(OBJECTS, [LARGE_OBJECTS_COMPARED]);
  return { ...counts, objects };
}
