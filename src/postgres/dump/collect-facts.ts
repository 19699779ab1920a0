import type { PostgresTarget } from '../postgres.ts';
import { inTransaction, withSession } from '../connection/session.ts';
import { readCatalogFacts } from '../facts/catalog-facts.ts';
import type { DatabaseFacts } from '../facts/database-facts.ts';
import { readDatabaseCreation, readDatabaseProperties } from '../facts/database-properties.ts';
import { batchTables, countRows, listTables } from '../facts/row-counts.ts';
import { readSequences } from '../facts/sequences.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Meter } from '../meter.ts';
import type { Snapshot } from './snapshot.ts';

export type SnapshotFacts = Omit<DatabaseFacts, 'tables' | 'sequences'>;

/** What the catalogs of the snapshot say. */
export async function readSnapshotFacts(snapshot: Snapshot, database: string): Promise<SnapshotFacts> {
  const { session } = snapshot;
  const creation = await readDatabaseCreation(session, database);
  const properties = await readDatabaseProperties(session, database);
  if (creation === undefined || properties === undefined) {
    throw new LifeboatError('POSTGRES_DATABASE_MISSING', `database ${database} is not in pg_database`);
  }
  return { formatVersion: 1, creation, properties, ...(await readCatalogFacts(session)) };
}

/**
 * A migration that waits for a table waits for our snapshot, our next lock on the table would wait for it, and everybody
 * else behind it: give way and try again.
 */
export const LOCK_WAIT_MS = 30_000;

/**
 * Counts every table on the snapshot, beside the dump. Each statement is a transaction of its own, so that few locks are
 * held; parallel workers stay off, because the cores belong to the dump.
 */
export async function countSnapshotRows(
  target: PostgresTarget,
  context: {
    readonly snapshot: Snapshot;
    readonly applicationName: string;
    readonly meter: Meter;
    readonly signal: AbortSignal;
  },
): Promise<DatabaseFacts['tables']> {
  const { snapshot, applicationName, meter, signal } = context;
  const settings = `SET max_parallel_workers_per_gather = 0; SET jit = off; SET lock_timeout = ${LOCK_WAIT_MS}`;
  const batches = batchTables(await listTables(snapshot.session));
  const counted: DatabaseFacts['tables'] = [];
  await withSession(
    target,
    { doing: `count the rows of ${target.database}`, applicationName, signal },
    async (session) => {
      await session.query(settings);
      for (const batch of batches) {
        const rows = await inTransaction(session, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
          await session.query(`SET TRANSACTION SNAPSHOT '${snapshot.id}'`);
          return countRows(session, batch);
        });
        counted.push(...rows);
        meter.tick(`rows of ${batch[0]?.name ?? ''}`, batch.length);
      }
    },
  );
  return counted;
}

/** The sequences now, and `before` where one was dropped meanwhile. */
export async function recordSequences(
  target: PostgresTarget,
  before: Awaited<ReturnType<typeof readSequences>>,
  signal: AbortSignal,
): Promise<DatabaseFacts['sequences']> {
  const request = { doing: `read the sequences of ${target.database}`, signal };
  const after = await withSession(target, request, async (session) => {
    await session.query(`SET lock_timeout = ${LOCK_WAIT_MS}`);
    return readSequences(session);
  });
  return [...before].map(([name, state]) => ({ name, before: state, after: after.get(name) ?? state }));
}
