import { withMaintenance } from '../connection/maintenance.ts';
import type { DatabaseIdentity, PostgresTarget } from '../postgres.ts';
import { dropThrough } from './drop-database.ts';
import { observeDatabases } from './observe.ts';

/** See Postgres.findDatabases. */
export async function findDatabases(
  target: PostgresTarget,
  wanted: readonly DatabaseIdentity[],
): Promise<DatabaseIdentity[]> {
  const names = wanted.map(({ database }) => database);
  return withMaintenance(target, { doing: 'look for replaced databases', about: [] }, async (session) => {
    const present = await observeDatabases(session, names);
    return wanted.filter(({ database, oid }) => present.get(database)?.oid === oid);
  });
}

/** See Postgres.dropIdentical. */
export async function dropIdentical(target: PostgresTarget, { database, oid }: DatabaseIdentity): Promise<boolean> {
  return withMaintenance(target, { doing: `drop database ${database}`, about: [database] }, async (session) => {
    const present = await observeDatabases(session, [database]);
    if (present.get(database)?.oid !== oid) return false;
    await dropThrough(session, database);
    return true;
  });
}
