import { LifeboatError } from '../../domain/errors.ts';
import { quoteIdentifier, quoteLiteral, splitNameList } from '../connection/quoting.ts';
import type { Session } from '../connection/session.ts';
import type { DatabaseCreation, DatabaseProperties, DatabaseSetting, Grant } from './database-facts.ts';

const PROPERTIES = `
  SELECT pg_get_userbyid(d.datdba)::text AS owner, d.datconnlimit AS "connectionLimit",
    shobj_description(d.oid, 'pg_database') AS comment,
    CASE WHEN d.datacl IS NOT NULL THEN (
      SELECT coalesce(json_agg(json_build_object('grantee', CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END,
        'privilege', a.privilege_type, 'grantable', a.is_grantable, 'grantor', pg_get_userbyid(a.grantor))), '[]')
      FROM aclexplode(d.datacl) a) END AS grants,
    (SELECT coalesce(json_agg(json_build_object('role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END,
        'name', split_part(c.item, '=', 1), 'value', substr(c.item, strpos(c.item, '=') + 1)) ORDER BY s.setrole, c.place), '[]')
      FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS c (item, place)
      WHERE s.setdatabase = d.oid) AS settings
  FROM pg_database d WHERE d.datname = $1`;

/** The locale columns of pg_database were renamed twice (15, 17): they are read by name from the row as JSON. */
const CREATION = `
  SELECT pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS collate, d.datctype::text AS ctype,
    to_jsonb(d) ->> 'datlocprovider' AS provider,
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
    to_jsonb(d) ->> 'daticurules' AS "icuRules", t.spcname::text AS tablespace
  FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`;

/** Undefined where there is no such database. Any database of the server can be asked. */
export async function readDatabaseProperties(
  session: Session,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const [row] = await session.query<DatabaseProperties>(PROPERTIES, [database]);
  return row;
}

/** Undefined where there is no such database. */
export async function readDatabaseCreation(session: Session, database: string): Promise<DatabaseCreation | undefined> {
  const [row] = await session.query<DatabaseCreation>(CREATION, [database]);
  return row;
}

/** One property and the statements that change it. */
export interface PropertyChange {
  /** For people: `owner`, `setting search_path of app`. */
  readonly about: string;
  readonly statements: readonly string[];
}

/**
 * Statements that turn the `current` properties of `database` into the `wanted` ones. Order is load-bearing: the owner
 * first, because grants are made by it and a change of owner rewrites them.
 */
export function propertyStatements(
  database: string,
  wanted: DatabaseProperties,
  current: DatabaseProperties,
): PropertyChange[] {
  const name = quoteIdentifier(database);
  const comment = wanted.comment === null ? 'NULL' : quoteLiteral(wanted.comment);
  const changes: (PropertyChange | false)[] = [
    wanted.owner !== current.owner && {
      about: `owner ${wanted.owner}`,
      statements: [`ALTER DATABASE ${name} OWNER TO ${quoteIdentifier(wanted.owner)}`],
    },
    ...grantChanges(name, wanted, current),
    wanted.connectionLimit !== current.connectionLimit && {
      about: 'connection limit',
      statements: [`ALTER DATABASE ${name} CONNECTION LIMIT ${wanted.connectionLimit}`],
    },
    wanted.comment !== current.comment && {
      about: 'comment',
      statements: [`COMMENT ON DATABASE ${name} IS ${comment}`],
    },
    ...settingChanges(name, wanted.settings, current.settings),
  ];
  return changes.filter((change) => change !== false);
}

/** Null and its spelled-out equal mean the same, and neither can be turned into the other by GRANT. */
function grantChanges(name: string, wanted: DatabaseProperties, current: DatabaseProperties): PropertyChange[] {
  const describe = (properties: DatabaseProperties): string =>
    (properties.grants ?? defaultGrants(properties.owner))
      .map((grant) => JSON.stringify(Object.values(grant)))
      .toSorted()
      .join();
  const unchanged = current.owner === wanted.owner && describe(current) === describe(wanted);
  if (unchanged || (wanted.grants === null && current.grants === null)) return [];
  const grants = wanted.grants ?? defaultGrants(wanted.owner);
  const reset = `REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${quoteIdentifier(wanted.owner)}`;
  // The owner's grants first: the others build on their grant options.
  const ordered = grants.toSorted((a, b) => Number(a.grantor !== wanted.owner) - Number(b.grantor !== wanted.owner));
  return [
    { about: 'rights', statements: [reset] },
    ...ordered.map((grant) => ({
      about: `right ${grant.privilege} of ${grant.grantee === '' ? 'PUBLIC' : grant.grantee}`,
      statements: grantStatements(name, wanted.owner, grant),
    })),
  ];
}

/** acldefault('d', owner). */
function defaultGrants(owner: string): Grant[] {
  const grant = (grantee: string, privilege: string): Grant => ({
    grantee,
    privilege,
    grantable: false,
    grantor: owner,
  });
  return [grant('', 'TEMPORARY'), grant('', 'CONNECT'), ...[...PRIVILEGES].map((privilege) => grant(owner, privilege))];
}

function grantStatements(name: string, owner: string, grant: Grant): string[] {
  const to = grant.grantee === '' ? 'PUBLIC' : quoteIdentifier(grant.grantee);
  const option = grant.grantable && grant.grantee !== owner ? ' WITH GRANT OPTION' : '';
  const statement = `GRANT ${privilegeKeyword(grant.privilege)} ON DATABASE ${name} TO ${to}${option}`;
  if (grant.grantor === owner) return [statement];
  return [`SET LOCAL ROLE ${quoteIdentifier(grant.grantor)}`, statement, 'RESET ROLE'];
}

const PRIVILEGES = new Set(['CREATE', 'CONNECT', 'TEMPORARY']);

/** The word goes into a statement, and facts come from outside. */
function privilegeKeyword(privilege: string): string {
  if (PRIVILEGES.has(privilege)) return privilege;
  throw new LifeboatError('POSTGRES_FACTS_INVALID', `unknown privilege of a database: ${privilege}`);
}

/** Settings whose value is a list of names, each quoted for itself: GUC_LIST_QUOTE in PostgreSQL's guc_tables.c. */
const NAME_LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

function settingChanges(
  name: string,
  wanted: readonly DatabaseSetting[],
  current: readonly DatabaseSetting[],
): PropertyChange[] {
  if (JSON.stringify(wanted) === JSON.stringify(current)) return [];
  const roles = [...new Set(current.map((setting) => setting.role))];
  return [
    ...roles.map((role) => ({ about: 'settings', statements: [`ALTER ${settingOwner(name, role)} RESET ALL`] })),
    ...wanted.map((setting) => ({
      about: `setting ${setting.name}${setting.role === null ? '' : ` of ${setting.role}`}`,
      statements: [settingStatement(name, setting)],
    })),
  ];
}

const settingOwner = (name: string, role: string | null): string =>
  role === null ? `DATABASE ${name}` : `ROLE ${quoteIdentifier(role)} IN DATABASE ${name}`;

function settingStatement(database: string, { role, name, value }: DatabaseSetting): string {
  const names = splitNameList(value);
  const list = names.length === 0 ? "''" : names.map(quoteLiteral).join(', ');
  const literal = NAME_LISTS.has(name.toLowerCase()) ? list : quoteLiteral(value);
  // Quoted part by part: an extension's setting is a dotted name.
  return `ALTER ${settingOwner(database, role)} SET ${name.split('.').map(quoteIdentifier).join('.')} TO ${literal}`;
}
