/**
 * Goal: a swap replaces a database whole or not at all, whatever clients do and whenever the process dies, and can be undone.
 * Method: real servers with clients that reconnect in a loop, repeated calls, and processes killed at seeded moments.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { undoneName } from '../../src/domain/database-names.ts';
import type { Swap } from '../../src/postgres/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { createDatabase, postgresOf, quoted, targetOf, until } from './postgres-support/round-trip.ts';

const NAMES = { database: 'live', asideDatabase: 'live__restoring', replacedDatabase: 'live__replaced' };

/** A live database with the row `old` and an aside one with the row `new`. */
async function prepare(server: TestPostgres, live = true): Promise<{ asideOid: number }> {
  for (const name of [...Object.values(NAMES), undoneName(NAMES.replacedDatabase)]) {
    await server.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`);
  }
  if (live) await createDatabase(server, NAMES.database, `CREATE TABLE which AS SELECT 'old' AS which`);
  await createDatabase(server, NAMES.asideDatabase, `CREATE TABLE which AS SELECT 'new' AS which`);
  return { asideOid: await oidOf(server, NAMES.asideDatabase) };
}

async function oidOf(server: TestPostgres, database: string): Promise<number> {
  const { rows } = await server.query<{ oid: number }>('SELECT oid::int FROM pg_database WHERE datname = $1', [
    database,
  ]);
  return rows[0]?.oid ?? 0;
}

/** Databases and what is in those that can be entered. */
async function look(server: TestPostgres): Promise<Record<string, string>> {
  const { rows } = await server.query<{ name: string; open: boolean }>(
    `SELECT datname AS name, datallowconn AS open FROM pg_database WHERE datname LIKE 'live%' ORDER BY 1`,
  );
  const found: Record<string, string> = {};
  for (const { name, open } of rows) {
    found[name] = open
      ? ((await server.query<{ which: string }>('TABLE which', [], name)).rows[0]?.which ?? '')
      : 'closed';
  }
  return found;
}

const SWAPPED = { live: 'new', live__replaced: 'closed' };

for (const major of [15, 18] as const) {
  const suite = await whenAvailable(`postgres ${major}`);
  suite(`swap on PostgreSQL ${major}`, () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await startPostgres({ major, settings: { max_prepared_transactions: '5' } });
    });
    afterAll(async () => server.stop());
    const request = () => ({ target: targetOf(server, 'live'), ...NAMES });

    it('makes the aside database live, keeps the old one closed, and says the same when it is called again', async () => {
      const { asideOid } = await prepare(server);
      const replacedOid = await oidOf(server, 'live');
      const expected = { replaced: 'live__replaced', replacedOid, skipped: [] };
      const postgres = postgresOf(server);
      expect(await postgres.swap({ ...request(), asideOid })).toEqual(expected);
      expect(await look(server)).toEqual(SWAPPED);
      expect(await postgres.swap({ ...request(), asideOid })).toEqual(expected);
      expect(await postgres.swap(request())).toEqual(expected);
      expect(await look(server)).toEqual(SWAPPED);
    });

    it('needs no live database, and says so', async () => {
      const { asideOid } = await prepare(server, false);
      const postgres = postgresOf(server);
      const expected = { replaced: null, replacedOid: null, skipped: [] };
      expect(await postgres.swap({ ...request(), asideOid })).toEqual(expected);
      expect(await postgres.swap({ ...request(), asideOid })).toEqual(expected);
      expect(await look(server)).toEqual({ live: 'new' });
    });

    it('an undo brings the old one back and drops the restored one; a second undo changes nothing', async () => {
      const { asideOid } = await prepare(server);
      const postgres = postgresOf(server);
      const { replacedOid } = await postgres.swap({ ...request(), asideOid });
      const undo = { ...request(), replacedOid: replacedOid ?? 0 };
      await postgres.undoSwap(undo);
      expect(await look(server)).toEqual({ live: 'old' });
      await postgres.undoSwap(undo);
      expect(await look(server)).toEqual({ live: 'old' });
    });

    it('an undo after the old one was dropped is an error, and the live one stays', async () => {
      const { asideOid } = await prepare(server);
      const postgres = postgresOf(server);
      const { replacedOid } = await postgres.swap({ ...request(), asideOid });
      await postgres.dropDatabase(server.target, 'live__replaced');
      await postgres.dropDatabase(server.target, 'live__replaced');
      await expect(postgres.undoSwap({ ...request(), replacedOid: replacedOid ?? 0 })).rejects.toMatchObject({
        code: 'POSTGRES_DATABASE_MISSING',
      });
      expect(await look(server)).toEqual({ live: 'new' });
    });

    it('refuses a name that is taken, another aside database and a missing one, and changes nothing', async () => {
      const { asideOid } = await prepare(server);
      const postgres = postgresOf(server);
      await createDatabase(server, 'live__replaced', `CREATE TABLE which AS SELECT 'other' AS which`);
      const before = await look(server);
      await expect(postgres.swap({ ...request(), asideOid })).rejects.toMatchObject({ code: 'POSTGRES_NAME_TAKEN' });
      await expect(postgres.swap({ ...request(), asideOid: asideOid + 1 })).rejects.toMatchObject({
        code: 'POSTGRES_NAME_TAKEN',
      });
      await expect(postgres.swap({ ...request(), asideDatabase: 'live__nowhere', asideOid })).rejects.toMatchObject({
        code: 'POSTGRES_DATABASE_MISSING',
      });
      expect(await look(server)).toEqual(before);
    });

    it('goes through while twenty clients reconnect in a loop, and all find the new rows', async () => {
      const { asideOid } = await prepare(server);
      const clients = startClients(server, 20);
      await sleep(500);
      await postgresOf(server).swap({ ...request(), asideOid });
      await sleep(500);
      const seen = await clients.stop();
      expect(seen.some((each) => each.includes('old'))).toBe(true);
      for (const each of seen) {
        expect(each.at(-1)).toBe('new');
        // Once new, never old again.
        expect(each.lastIndexOf('old')).toBeLessThan(each.indexOf('new'));
      }
      const closing = startClients(server, 20);
      await postgresOf(server).undoSwap(request());
      await sleep(300);
      for (const each of await closing.stop()) expect(each.at(-1)).toBe('old');
      expect(await look(server)).toEqual({ live: 'old' });
    });

    it('gives up in time when a prepared transaction holds the database, and leaves it open and live', async () => {
      const { asideOid } = await prepare(server);
      await server.query(`BEGIN; INSERT INTO which VALUES ('prepared'); PREPARE TRANSACTION 'held'`, [], 'live');
      await expect(postgresOf(server).swap({ ...request(), asideOid })).rejects.toMatchObject({
        code: 'POSTGRES_DATABASE_BUSY',
      });
      expect(await look(server)).toEqual({ live: 'old', live__restoring: 'new' });
      await server.query(`COMMIT PREPARED 'held'`, [], 'live');
      await postgresOf(server).swap({ ...request(), asideOid });
      expect((await look(server))['live']).toBe('new');
    });

    it('killed at any moment it leaves all or nothing, and a second call finishes it', async () => {
      const seed = 20_261_123;
      const random = createRandom(seed);
      await prepare(server);
      const { child: whole, durationMs } = await startSwap(server, request());
      const takesMs = await durationMs;
      await kill(whole);

      const ends = new Set<string>();
      // The first and the last are certain; between them the moments lie within and around the swap.
      for (const delayMs of [0, ...Array.from({ length: 6 }, () => random() * 1.3 * takesMs), 20 * takesMs]) {
        const { asideOid } = await prepare(server);
        const { child } = await startSwap(server, { ...request(), asideOid });
        await sleep(delayMs);
        await kill(child);
        await until(
          async () =>
            (await server.query(`SELECT FROM pg_stat_activity WHERE application_name = 'lifeboat'`)).rowCount === 0,
        );
        const left = await look(server);
        ends.add(JSON.stringify(left));
        expect([{ live: 'old', live__restoring: 'new' }, SWAPPED]).toContainEqual(left);
        await postgresOf(server).swap({ ...request(), asideOid });
        expect(await look(server)).toEqual(SWAPPED);
      }
      expect({ seed, takesMs, ends: ends.size }).toEqual({ seed, takesMs, ends: 2 });
    });

    it('killed inside its transaction it leaves the live database open and as it was', async () => {
      const { asideOid } = await prepare(server);
      await server.query(`BEGIN; INSERT INTO which VALUES ('prepared'); PREPARE TRANSACTION 'held'`, [], 'live');
      const { child } = await startSwap(server, { ...request(), asideOid });
      await until(
        async () =>
          (await server.query(`SELECT FROM pg_stat_activity WHERE query LIKE 'ALTER DATABASE%' AND state = 'active'`))
            .rowCount === 1,
      );
      await kill(child);
      await server.query(`COMMIT PREPARED 'held'`, [], 'live');
      expect(await look(server)).toEqual({ live: 'old', live__restoring: 'new' });
      await postgresOf(server).swap({ ...request(), asideOid });
      expect((await look(server))['live']).toBe('new');
    });
  });
}

/** A swap in a process of its own; resolves when it begins. */
async function startSwap(
  server: TestPostgres,
  request: Swap,
): Promise<{ child: ChildProcess; durationMs: Promise<number> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'postgres-support', 'swap-process.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ tools: server.tools, request }));
  await once(child.stdout, 'data');
  const beganAt = performance.now();
  return { child, durationMs: once(child.stdout, 'data').then(() => performance.now() - beganAt) };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const suite18 = await whenAvailable('postgres 18');
suite18('swap of special databases', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => server.stop());

  it('the database `postgres` itself is swapped through template1', async () => {
    await createDatabase(server, 'aside', 'CREATE TABLE here (id int)');
    await postgresOf(server).swap({
      target: server.target,
      database: 'postgres',
      asideDatabase: 'aside',
      replacedDatabase: 'postgres__replaced',
    });
    expect((await server.query('SELECT FROM here')).rowCount).toBe(0);
  });

  it('a template is refused', async () => {
    await createDatabase(server, 'aside2');
    const names = { database: 'template1', asideDatabase: 'aside2', replacedDatabase: 'old' };
    await expect(postgresOf(server).swap({ target: server.target, ...names })).rejects.toMatchObject({
      code: 'POSTGRES_NOT_SWAPPABLE',
    });
  });

  it('an owner without special rights swaps and undoes its own database', async () => {
    await server.query(`CREATE ROLE owner LOGIN CREATEDB PASSWORD 'own'`);
    await server.query('CREATE DATABASE mine OWNER owner');
    await server.query('CREATE DATABASE mine_aside OWNER owner');
    await server.query(`ALTER DATABASE mine SET work_mem TO '9MB'; GRANT CONNECT ON DATABASE mine TO postgres`);
    await server.query(`ALTER DATABASE mine SET log_min_duration_statement TO 5`);
    const target = { ...targetOf(server, 'mine'), user: 'owner', password: 'own' };
    const names = { database: 'mine', asideDatabase: 'mine_aside', replacedDatabase: 'mine_old' };
    const postgres = postgresOf(server);
    const { skipped } = await postgres.swap({ target, ...names });
    expect(skipped).toEqual([expect.stringMatching(/^setting log_min_duration_statement: .*permission denied/)]);
    const { rows } = await server.query(
      `SELECT pg_get_userbyid(datdba) AS owner, (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid) AS settings
       FROM pg_database d WHERE datname = 'mine'`,
    );
    expect(rows).toEqual([{ owner: 'owner', settings: ['work_mem=9MB'] }]);
    // A session of a superuser is not the owner's to end: said, and nothing is changed.
    const client = new Client({
      host: target.host,
      port: target.port,
      user: 'postgres',
      password: server.target.password ?? '',
      database: 'mine',
    });
    await client.connect();
    await expect(postgres.undoSwap({ target, ...names })).rejects.toMatchObject({ code: 'POSTGRES_DATABASE_BUSY' });
    await client.end();
    await postgres.undoSwap({ target, ...names });
    expect((await server.query(`SELECT FROM pg_database WHERE datname LIKE 'mine%'`)).rowCount).toBe(1);
  });
});

/** Clients that connect, read and connect again, as fast as they are let in. */
function startClients(server: TestPostgres, count: number): { stop(): Promise<string[][]> } {
  let running = true;
  const { host, port, user, password } = server.target;
  const run = async (): Promise<string[]> => {
    const seen: string[] = [];
    while (running) {
      const client = new Client({ host, port, user, password: password ?? '', database: 'live' });
      client.on('error', () => undefined);
      try {
        await client.connect();
        for (let reads = 0; reads < 3 && running; reads += 1) {
          seen.push((await client.query<{ which: string }>('TABLE which')).rows[0]?.which ?? 'nothing');
          await sleep(5);
        }
      } catch {
        // Ended by the swap, as meant: the next connection says what is live.
        await sleep(2);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
    return seen;
  };
  const runs = Array.from({ length: count }, run);
  return {
    async stop() {
      running = false;
      return Promise.all(runs);
    },
  };
}

/** mulberry32 */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
