import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Session } from '../connection/session.ts';
import { splitSql, statementWords } from './split-sql.ts';

export interface RolePlan {
  /** Roles that the target lacks, with the statements that make them as they were: attributes, password hash, settings. */
  readonly roles: readonly { readonly name: string; readonly statements: readonly string[] }[];
  /** Memberships in which at least one side is such a role. */
  readonly memberships: readonly string[];
}

/** Chooses from the text of `pg_dumpall --globals-only` what concerns roles that do not exist; existing ones are left alone. */
export function planRoles(globals: string, existing: ReadonlySet<string>): RolePlan {
  const byRole = new Map<string, string[]>();
  const memberships: string[] = [];
  for (const statement of splitSql(globals)) {
    const words = statementWords(statement);
    const role = roleOf(words);
    if (role !== undefined && !existing.has(role)) byRole.set(role, [...(byRole.get(role) ?? []), statement]);
    const members = membershipOf(words);
    if (members?.some((name) => !existing.has(name)) === true) memberships.push(statement);
  }
  return { roles: [...byRole].map(([name, statements]) => ({ name, statements })), memberships };
}

/** CREATE ROLE x, ALTER ROLE x …, COMMENT ON ROLE x …; not ALTER ROLE x IN DATABASE y, which is part of a database. */
function roleOf(words: readonly string[]): string | undefined {
  const [verb, second, third, fourth] = words;
  if ((verb === 'CREATE' || verb === 'ALTER') && second === 'ROLE') return third;
  if (verb === 'COMMENT' && second === 'ON' && third === 'ROLE') return fourth;
  return undefined;
}

/** GRANT x TO y …; a grant of a right has ON in place of TO. */
function membershipOf(words: readonly string[]): readonly string[] | undefined {
  const [verb, group, to, member] = words;
  return verb === 'GRANT' && to === 'TO' && group !== undefined && member !== undefined ? [group, member] : undefined;
}

export async function listRoles(session: Session): Promise<Set<string>> {
  const rows = await session.query<{ name: string }>('SELECT rolname::text AS name FROM pg_roles');
  return new Set(rows.map((row) => row.name));
}

/** SQLSTATE codes of a statement that the role may not run; it is left out and said. */
const NOT_ALLOWED = 'POSTGRES_RIGHTS_MISSING';

/**
 * Creates the roles of the plan. What the connecting role may not do (a superuser, a password) is left out and named in a
 * check; a role that could not be created at all shows when an object is given to it.
 */
export async function createRoles(session: Session, plan: RolePlan): Promise<{ created: string[]; checks: Check[] }> {
  const created: string[] = [];
  const skipped: string[] = [];
  for (const role of plan.roles) {
    const outcomes = [];
    for (const statement of role.statements) outcomes.push(await attempt(session, statement));
    if (outcomes[0] === 'done') created.push(role.name);
    if (outcomes.includes('refused')) skipped.push(`role ${role.name}`);
  }
  for (const statement of plan.memberships) {
    if ((await attempt(session, statement)) === 'refused') skipped.push(statement);
  }
  if (skipped.length === 0) return { created, checks: [] };
  const actual = `${skipped.length} not or not fully created`;
  const message = `the role may not create these in full: ${skipped.slice(0, 10).join('; ')}`;
  return { created, checks: [{ name: 'roles', status: 'skip', expected: 'as in the backup', actual, message }] };
}

async function attempt(session: Session, statement: string): Promise<'done' | 'refused'> {
  try {
    await session.query(statement);
    return 'done';
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error;
    if (error.code === NOT_ALLOWED) return 'refused';
    // 42710: another restore on this server was faster, and its role is as good.
    if (error.details['sqlstate'] === '42710') return 'done';
    throw error;
  }
}
