import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresFacts } from '../../../src/domain/backup.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import { createPostgres } from '../../../src/postgres/create-postgres.ts';
import type {
  AsideResult,
  DumpOptions,
  Postgres,
  PostgresTarget,
  PostgresTools,
} from '../../../src/postgres/postgres.ts';
import type { TestPostgres } from '../../support/servers.ts';
import { RICH_DATABASE, RICH_PROPERTIES, RICH_ROLES } from './rich-database.ts';
import { createStore } from './stored-artifacts.ts';

export type Store = Awaited<ReturnType<typeof createStore>>;

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Runs until it is done. */
export const untilDone: Operation = { signal: new AbortController().signal, onProgress: () => undefined };

export const targetOf = (server: TestPostgres, database: string): PostgresTarget => ({ ...server.target, database });

export const postgresOf = (server: TestPostgres, tools: PostgresTools = server.tools): Postgres =>
  createPostgres({ tools, scratchDir: tmpdir() });

/** A new database with one of everything, and properties of its own. */
export async function createRichDatabase(server: TestPostgres, database: string): Promise<void> {
  await server.query(RICH_ROLES);
  await server.query(`CREATE DATABASE ${quoted(database)}`);
  await server.query(RICH_DATABASE, [], database);
  await server.query(RICH_PROPERTIES.replaceAll('{db}', quoted(database)));
}

/** A new database made by `sql`. */
export async function createDatabase(server: TestPostgres, database: string, sql = ''): Promise<void> {
  await server.query(`CREATE DATABASE ${quoted(database)}`);
  if (sql !== '') await server.query(sql, [], database);
}

export const DUMP: DumpOptions = { jobs: 2, bigTableBytes: 1_000_000, zstdLevel: 3 };

export interface Taken {
  readonly facts: PostgresFacts;
  readonly store: Store;
}

export async function takeDump(
  postgres: Postgres,
  target: PostgresTarget,
  options: Partial<DumpOptions> = {},
): Promise<Taken> {
  const store = await createStore();
  const facts = await postgres.dump(target, { ...DUMP, ...options }, { sink: store.sink, operation: untilDone });
  return { facts, store };
}

/** Loads a dump aside of `like`. */
export async function restoreDump(
  postgres: Postgres,
  place: { readonly target: PostgresTarget; readonly asideDatabase: string; readonly likeDatabase: string },
  { facts, store }: Taken,
): Promise<AsideResult> {
  const request = { ...place, facts, artifacts: store.artifacts, jobs: 2 };
  return postgres.restoreAside(request, { source: store.source, operation: untilDone });
}

/** Dump, restore aside, swap: afterwards `database` is what the dump holds, and the old one is `<database>_old`. */
export async function roundTrip(
  server: TestPostgres,
  database: string,
  options: Partial<DumpOptions> = {},
): Promise<AsideResult> {
  const postgres = postgresOf(server);
  const target = targetOf(server, database);
  const names = { asideDatabase: `aside ${database.slice(0, 30)}`, replacedDatabase: `old ${database.slice(0, 30)}` };
  const taken = await takeDump(postgres, target, options);
  try {
    const result = await restoreDump(postgres, { target, likeDatabase: database, ...names }, taken);
    await postgres.swap({ target, database, ...names, asideOid: result.databaseOid });
    return result;
  } finally {
    await taken.store.remove();
  }
}

export async function until(reached: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await reached()) return;
    await sleep(50);
  }
  throw new Error('not reached in ten seconds');
}

/** Does a statement like this wait for a lock? */
export async function waitingFor(server: TestPostgres, statement: string): Promise<boolean> {
  const sql = `SELECT FROM pg_stat_activity WHERE query LIKE $1 AND wait_event_type = 'Lock'`;
  return (await server.query(sql, [statement])).rowCount !== 0;
}
