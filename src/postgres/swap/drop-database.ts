import { withMaintenance } from '../connection/maintenance.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import type { Session } from '../connection/session.ts';
import type { PostgresTarget } from '../postgres.ts';

/** See Postgres.dropDatabase. */
export async function dropDatabase(target: PostgresTarget, database: string): Promise<void> {
  await withMaintenance(target, { doing: `drop database ${database}`, about: [database] }, (session) =>
    dropThrough(session, database),
  );
}

/** Sessions are ended and new ones kept out by the server while it drops. */
export async function dropThrough(session: Session, database: string): Promise<void> {
  await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE)`);
}
