/**
 * Goal: a table that somebody has locked holds a backup up for a bounded time, and the error says which table and who it is.
 * Method: sessions that lock a table for real, or queue for it behind a reader, while it is inspected and dumped.
 */
import { Client } from 'pg';
import type { LifeboatError } from '../../src/domain/errors.ts';
import type { ArtifactSink } from '../../src/postgres/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  createDatabase,
  DUMP,
  postgresOf,
  targetOf,
  until,
  untilDone,
  waitingFor,
} from './postgres-support/round-trip.ts';

const suite = await whenAvailable('postgres 18');
suite('a locked table', () => {
  let server: TestPostgres;
  const clients: Client[] = [];
  const connect = async (): Promise<Client> => {
    const { host, port, user, password } = server.target;
    const client = new Client({
      host,
      port,
      user,
      password: password ?? '',
      database: 'data',
      application_name: 'nightly',
    });
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  };
  const pidOf = async (client: Client): Promise<number> =>
    (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0;
  const sink: ArtifactSink = async (_, source) => {
    for await (const _ of source);
  };
  const dump = async (): Promise<LifeboatError> => {
    const options = { ...DUMP, lockTimeoutMs: 700 };
    return postgresOf(server)
      .dump(targetOf(server, 'data'), options, { sink, operation: untilDone })
      .then(
        () => Promise.reject(new Error('the dump went through')),
        (error: LifeboatError) => error,
      );
  };

  beforeAll(async () => {
    server = await startPostgres();
    await createDatabase(server, 'data', 'CREATE TABLE free (id int); CREATE TABLE "odd Name" (id int)');
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(async (client) => client.end()));
  });
  afterAll(async () => server.stop());

  it('is named with the session that holds it, and the dump may be tried again', async () => {
    const holder = await connect();
    const pid = await pidOf(holder);
    await holder.query('BEGIN; LOCK TABLE "odd Name" IN ACCESS EXCLUSIVE MODE');
    const startedAt = Date.now();
    const error = await dump();
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(error).toMatchObject({
      code: 'POSTGRES_LOCK_TIMEOUT',
      rule: { retry: 'transient' },
      details: { table: 'public."odd Name"', pid, queryStart: expect.stringMatching(/^\d{4}-.*Z$/) },
      hint: expect.stringContaining(`pg_terminate_backend(${pid})`),
    });
    expect(error.message).toContain(`process ${pid} (postgres, nightly) holds it exclusively`);
    // The same dump goes through once the lock is gone.
    await holder.query('ROLLBACK');
    await postgresOf(server).dump(targetOf(server, 'data'), DUMP, { sink, operation: untilDone });
  });

  it('is named with whoever queues for it, and whom that one waits for', async () => {
    const [reader, migration] = [await connect(), await connect()];
    const readerPid = await pidOf(reader);
    const pid = await pidOf(migration);
    await reader.query('BEGIN; SELECT FROM free');
    const waiting = migration.query('ALTER TABLE free ADD COLUMN more int').catch(() => undefined);
    await until(async () => waitingFor(server, 'ALTER TABLE free%'));
    const error = await dump();
    expect(error).toMatchObject({ code: 'POSTGRES_LOCK_TIMEOUT', details: { table: 'public.free', pid } });
    expect(error.message).toContain(`waits for it exclusively, behind ${readerPid}`);
    expect(error.hint).toContain(`pg_terminate_backend(${readerPid})`);
    await reader.query('ROLLBACK');
    await waiting;
  });

  it('is named by the survey before a backup as well', async () => {
    const holder = await connect();
    const pid = await pidOf(holder);
    await holder.query('INSERT INTO free SELECT n FROM generate_series(1, 1000) n; ANALYZE free');
    await holder.query('BEGIN; LOCK TABLE free IN ACCESS EXCLUSIVE MODE');
    await expect(postgresOf(server).inspect(targetOf(server, 'data'), { bigTableBytes: 1 })).rejects.toMatchObject({
      code: 'POSTGRES_LOCK_TIMEOUT',
      details: { table: 'public.free', pid },
    });
  });
});
