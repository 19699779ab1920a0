/**
 * Goal: what a logical backup holds comes back as it was: rows, definitions, owners, rights, sequences, large objects, settings.
 * Method: dump, restore aside and swap on real servers, then compare with a portrait made without the code under test.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Check } from '../../src/domain/backup.ts';
import type { ArtifactSink } from '../../src/postgres/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { portrait } from './postgres-support/independent-comparison.ts';
import { createStore } from './postgres-support/stored-artifacts.ts';
import {
  createDatabase,
  createRichDatabase,
  postgresOf,
  quoted,
  restoreDump,
  roundTrip,
  takeDump,
  targetOf,
  until,
  untilDone,
  waitingFor,
} from './postgres-support/round-trip.ts';

const statuses = (checks: readonly Check[]): string[] => [...new Set(checks.map((check) => check.status))];

for (const major of [15, 16, 17, 18] as const) {
  const suite = await whenAvailable(`postgres ${major}`);
  suite(`a database of PostgreSQL ${major}`, () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await startPostgres({ major });
    });
    afterAll(async () => server.stop());

    it('comes back equal in every respect, with odd names and one of everything', async () => {
      const database = 'Auth "x" % =\' db';
      await createRichDatabase(server, database);
      const before = await portrait(server, database);
      const { checks } = await roundTrip(server, database, { bigTableBytes: 20_000 });
      expect(statuses(checks)).toEqual(['pass']);
      expect(await portrait(server, database)).toBe(before);
    });

    it('comes back equal when the pieces are not compressed and nothing is big', async () => {
      await createRichDatabase(server, 'plain');
      const before = await portrait(server, 'plain');
      await roundTrip(server, 'plain', { zstdLevel: 0, bigTableBytes: 1e12, jobs: 1 });
      expect(await portrait(server, 'plain')).toBe(before);
    });
  });
}

const suite18 = await whenAvailable('postgres 18');
suite18('on one server', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => server.stop());

  it('an empty database comes back empty', async () => {
    await createDatabase(server, 'empty');
    const before = await portrait(server, 'empty');
    const { checks } = await roundTrip(server, 'empty');
    expect(statuses(checks)).toEqual(['pass']);
    expect(await portrait(server, 'empty')).toBe(before);
  });

  it('500 tables with keys and indexes come back equal', async () => {
    await createDatabase(
      server,
      'many',
      `DO $$ BEGIN FOR i IN 1..500 LOOP
        EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, other int UNIQUE, note text)', i);
        EXECUTE format('INSERT INTO t%s (other, note) SELECT n, md5(n::text) FROM generate_series(1, %s) n', i, i % 40);
      END LOOP; END $$`,
    );
    const before = await portrait(server, 'many');
    await roundTrip(server, 'many');
    expect(await portrait(server, 'many')).toBe(before);
  });

  it('a name of 63 bytes with quotes, and tables of rows beyond one buffer, come back', async () => {
    const database = `Ünï "${'n'.repeat(56)}`;
    expect(Buffer.byteLength(database)).toBe(63);
    await createDatabase(
      server,
      database,
      `CREATE TABLE wide (id int PRIMARY KEY, body bytea);
       INSERT INTO wide SELECT n, decode(repeat(md5(n::text), 40000), 'hex') FROM generate_series(1, 12) n;
       CREATE TABLE none (id int); CREATE TABLE nulls (a int, b text); INSERT INTO nulls VALUES (NULL, NULL), (NULL, '')`,
    );
    const before = await portrait(server, database);
    await roundTrip(server, database, { bigTableBytes: 1 });
    expect(await portrait(server, database)).toBe(before);
  });

  it('a restored database takes over owner, rights and settings that the live one has now', async () => {
    await createRichDatabase(server, 'settled');
    const postgres = postgresOf(server);
    const target = targetOf(server, 'settled');
    const taken = await takeDump(postgres, target);
    await server.query(
      `ALTER DATABASE settled SET search_path TO public, "we,ird"; COMMENT ON DATABASE settled IS 'newer'`,
    );
    const before = await portrait(server, 'settled');
    const result = await restoreDump(
      postgres,
      { target, asideDatabase: 'settled_aside', likeDatabase: 'settled' },
      taken,
    );
    const names = { database: 'settled', asideDatabase: 'settled_aside', replacedDatabase: 'settled_old' };
    await postgres.swap({ target, ...names, asideOid: result.databaseOid });
    expect(await portrait(server, 'settled')).toBe(before);
    await taken.store.remove();
  });

  it('what changes while the dump runs is in it as of one instant', async () => {
    await createDatabase(
      server,
      'bank',
      `CREATE TABLE a (id int PRIMARY KEY, amount int); CREATE TABLE b (id int PRIMARY KEY, amount int);
       INSERT INTO a SELECT n, 1000 FROM generate_series(1, 20000) n; INSERT INTO b SELECT n, 1000 FROM generate_series(1, 20000) n;
       CREATE TABLE log (id serial PRIMARY KEY, filler text)`,
    );
    let running = true;
    let moves = 0;
    const writer = async (): Promise<void> => {
      for (; running; moves += 1) {
        const [from, to] = moves % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
        await server.query(
          `UPDATE ${from} SET amount = amount - 7 WHERE id = ${(moves % 20000) + 1}; UPDATE ${to} SET amount = amount + 7 WHERE id = 1;
           INSERT INTO log (filler) VALUES ('x')`,
          [],
          'bank',
        );
      }
    };
    const writing = writer();
    const postgres = postgresOf(server);
    const target = targetOf(server, 'bank');
    const taken = await takeDump(postgres, target, { bigTableBytes: 1 });
    running = false;
    await writing;
    expect(moves).toBeGreaterThan(3);
    const { checks } = await restoreDump(postgres, { target, asideDatabase: 'bank2', likeDatabase: 'bank' }, taken);
    expect(statuses(checks)).toEqual(['pass']);
    const { rows } = await server.query(
      'SELECT (SELECT sum(amount) FROM a) + (SELECT sum(amount) FROM b) AS total',
      [],
      'bank2',
    );
    expect(rows).toEqual([{ total: '40000000' }]);
    // The next number after a restore must be free.
    await server.query(`INSERT INTO log (filler) VALUES ('next')`, [], 'bank2');
    await taken.store.remove();
  });

  it('a TRUNCATE that comes before pg_dump has its locks never gives a backup with an empty table', async () => {
    await createDatabase(server, 'cut', `CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 5000)`);
    const store = await createStore();
    const given = new AbortController();
    let truncated: Promise<unknown> | undefined;
    const sink: ArtifactSink = async (artifact, source) => {
      // With one job `globals` comes first: only the snapshot holds locks by now.
      if (artifact.name === 'globals') {
        truncated = server.query('TRUNCATE t', [], 'cut');
        await until(() => waitingFor(server, 'TRUNCATE%'));
      }
      if (artifact.name === 'schema')
        void until(() => waitingFor(server, 'LOCK TABLE%')).then(() => given.abort(new Error('seen')));
      await store.sink(artifact, source);
    };
    const operation = { signal: given.signal, onProgress: () => undefined };
    const options = { jobs: 1, bigTableBytes: 1e9, zstdLevel: 0 };
    await expect(postgresOf(server).dump(targetOf(server, 'cut'), options, { sink, operation })).rejects.toThrow(
      'seen',
    );
    expect(store.artifacts.map((artifact) => artifact.name)).toEqual(['globals']);
    // The dump has let go of the table.
    await truncated;
    expect((await server.query('SELECT FROM t', [], 'cut')).rowCount).toBe(0);
    await store.remove();
  });

  it('a TRUNCATE that comes later waits until the dump is done, and all rows are in it', async () => {
    await createDatabase(
      server,
      'later',
      `CREATE TABLE t (id int, filler text); INSERT INTO t SELECT n, repeat(md5(n::text), 9) FROM generate_series(1, 50000) n`,
    );
    const store = await createStore();
    let truncated: Promise<unknown> | undefined;
    const sink: ArtifactSink = async (artifact, source) => {
      async function* held(): AsyncGenerator<Uint8Array> {
        for await (const chunk of source) {
          yield chunk;
          if (artifact.name !== 'data' || truncated !== undefined) continue;
          truncated = server.query('TRUNCATE t', [], 'later');
          await until(() => waitingFor(server, 'TRUNCATE%'));
        }
      }
      await store.sink(artifact, held());
    };
    const target = targetOf(server, 'later');
    const options = { jobs: 1, bigTableBytes: 1e9, zstdLevel: 0 };
    const facts = await postgresOf(server).dump(target, options, { sink, operation: untilDone });
    await truncated;
    const place = { target, asideDatabase: 'later2', likeDatabase: 'later' };
    await restoreDump(postgresOf(server), place, { facts, store });
    expect((await server.query('SELECT FROM t', [], 'later2')).rowCount).toBe(50_000);
    await store.remove();
  });

  it('surveys say what is in the way and change nothing', async () => {
    const postgres = postgresOf(server);
    await createDatabase(
      server,
      'surveyed',
      'CREATE EXTENSION hstore; CREATE TABLE t (id serial); CREATE VIEW v AS SELECT 1',
    );
    await createDatabase(server, 'vacant', 'CREATE EXTENSION hstore');
    const base = { serverVersion: 180006, canCreateDatabase: true };
    const survey = (name: string): Promise<unknown> => postgres.surveyTarget(server.target, name);
    expect(await survey('surveyed')).toEqual({ ...base, exists: true, userObjects: 3 });
    expect(await survey('vacant')).toEqual({ ...base, exists: true, userObjects: 0 });
    expect(await survey('nowhere')).toEqual({ ...base, exists: false, userObjects: 0 });
  });

  it('a damaged record of rows fails the restore, and the aside database is gone', async () => {
    await createDatabase(
      server,
      'proof',
      'CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)',
    );
    const postgres = postgresOf(server);
    const target = targetOf(server, 'proof');
    const taken = await takeDump(postgres, target);
    const facts = await readFile(taken.store.path('facts'), 'utf8');
    await writeFile(taken.store.path('facts'), facts.replace('"rows":10', '"rows":11'));
    await expect(
      restoreDump(postgres, { target, asideDatabase: 'proof2', likeDatabase: 'proof' }, taken),
    ).rejects.toMatchObject({ code: 'POSTGRES_RESTORE_MISMATCH', details: { failed: ['rows'] } });
    expect((await server.query(`SELECT FROM pg_database WHERE datname = 'proof2'`)).rowCount).toBe(0);
    expect((await server.query('SELECT FROM t', [], 'proof')).rowCount).toBe(10);
    await taken.store.remove();
  });
});

const suiteMoves = await whenAvailable('postgres 15', 'postgres 18');
suiteMoves('between servers', () => {
  let old: TestPostgres;
  let current: TestPostgres;
  beforeAll(async () => {
    [old, current] = await Promise.all([startPostgres({ major: 15 }), startPostgres()]);
  });
  afterAll(async () => Promise.all([old.stop(), current.stop()]));

  it('a fresh server gets the roles with their passwords, and the database with its properties', async () => {
    const source = await startPostgres();
    try {
      await createRichDatabase(source, 'auth');
      const before = await portrait(source, 'auth');
      const roles = `SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit,
        rolpassword, rolvaliduntil, shobj_description(oid, 'pg_authid') AS comment,
        (SELECT string_agg(concat(m.roleid::regrole, m.admin_option, m.inherit_option, m.set_option), ',') FROM pg_auth_members m WHERE m.member = a.oid) AS groups,
        (SELECT setconfig FROM pg_db_role_setting WHERE setrole = a.oid AND setdatabase = 0) AS settings
        FROM pg_authid a WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> 'postgres' ORDER BY 1`;
      const rolesBefore = (await source.query(roles)).rows;
      const taken = await takeDump(postgresOf(source), targetOf(source, 'auth'));
      const postgres = postgresOf(current);
      const target = targetOf(current, 'auth');
      const names = { database: 'auth', asideDatabase: 'auth__restoring', replacedDatabase: 'auth__replaced' };
      const result = await restoreDump(
        postgres,
        { target, likeDatabase: 'auth', asideDatabase: names.asideDatabase },
        taken,
      );
      expect(statuses(result.checks)).toEqual(['pass']);
      expect(result.rolesCreated.toSorted()).toEqual(['app owner', 'readers', 'signer', 'Über"leser'].toSorted());
      expect(await postgres.swap({ target, ...names, asideOid: result.databaseOid })).toEqual({
        replaced: null,
        replacedOid: null,
        skipped: [],
      });
      expect((await current.query(roles)).rows).toEqual(rolesBefore);
      expect(await portrait(current, 'auth')).toBe(before);
      await taken.store.remove();
    } finally {
      await source.stop();
    }
  });

  it('existing roles are left as they are', async () => {
    await old.query(`CREATE ROLE keeper LOGIN PASSWORD 'theirs'; CREATE ROLE newcomer IN ROLE keeper`);
    await createDatabase(
      old,
      'kept',
      'CREATE TABLE t (id int); ALTER TABLE t OWNER TO newcomer; GRANT SELECT ON t TO keeper',
    );
    await current.query(`CREATE ROLE keeper NOLOGIN CONNECTION LIMIT 3`);
    const taken = await takeDump(postgresOf(old), targetOf(old, 'kept'));
    const postgres = postgresOf(current);
    const target = targetOf(current, 'kept');
    const result = await restoreDump(postgres, { target, likeDatabase: 'kept', asideDatabase: 'kept_aside' }, taken);
    expect(result.rolesCreated).toContain('newcomer');
    expect(result.rolesCreated).not.toContain('keeper');
    const { rows } = await current.query(
      `SELECT rolcanlogin, rolconnlimit, rolpassword FROM pg_authid WHERE rolname = 'keeper'`,
    );
    expect(rows).toEqual([{ rolcanlogin: false, rolconnlimit: 3, rolpassword: null }]);
    await taken.store.remove();
  });

  it('a backup of 15 comes back on 18 with every row', async () => {
    await createRichDatabase(old, 'upgraded');
    const taken = await takeDump(postgresOf(old, current.tools), targetOf(old, 'upgraded'), { bigTableBytes: 20_000 });
    const postgres = postgresOf(current);
    const target = targetOf(current, 'upgraded');
    const result = await restoreDump(
      postgres,
      { target, likeDatabase: 'upgraded', asideDatabase: 'upgraded_aside' },
      taken,
    );
    expect(result.checks.filter((check) => check.status === 'fail')).toEqual([]);
    expect(result.checks.find((check) => check.name === 'rows')?.status).toBe('pass');
    await taken.store.remove();
  });

  it('a server of 15 is dumped and restored with the tools of 18', async () => {
    await createRichDatabase(old, 'mixed');
    const before = await portrait(old, 'mixed');
    const postgres = postgresOf(old, current.tools);
    const target = targetOf(old, 'mixed');
    const taken = await takeDump(postgres, target, { bigTableBytes: 20_000 });
    const result = await restoreDump(postgres, { target, likeDatabase: 'mixed', asideDatabase: 'mixed_aside' }, taken);
    expect(statuses(result.checks)).toEqual(['pass']);
    const names = { database: 'mixed', asideDatabase: 'mixed_aside', replacedDatabase: 'mixed_old' };
    await postgres.swap({ target, ...names, asideOid: result.databaseOid });
    expect(await portrait(old, 'mixed')).toBe(before);
    await taken.store.remove();
  });

  it('a backup of 18 is refused by a server of 15 before anything is changed', async () => {
    await createDatabase(current, 'newer');
    const taken = await takeDump(postgresOf(current), targetOf(current, 'newer'));
    const postgres = postgresOf(old, current.tools);
    const target = targetOf(old, 'newer');
    await expect(
      restoreDump(postgres, { target, likeDatabase: 'newer', asideDatabase: 'newer_aside' }, taken),
    ).rejects.toMatchObject({ code: 'POSTGRES_TARGET_TOO_OLD' });
    expect((await old.query(`SELECT FROM pg_database WHERE datname LIKE 'newer%'`)).rowCount).toBe(0);
    await taken.store.remove();
  });

  it('a locale, a tablespace and a collation provider that the target lacks give way, and a check says so', async () => {
    await createDatabase(old, 'local', "CREATE TABLE t (name text); INSERT INTO t VALUES ('é')");
    const taken = await takeDump(postgresOf(old), targetOf(old, 'local'));
    const path = taken.store.path('facts');
    const facts = JSON.parse(await readFile(path, 'utf8')) as {
      creation: Record<string, unknown>;
      tablespaces: string[];
    };
    Object.assign(facts.creation, { collate: 'xx_YY.UTF-8', ctype: 'xx_YY.UTF-8', tablespace: 'fast' });
    facts.tablespaces.push('fast');
    await writeFile(path, JSON.stringify(facts));
    const target = targetOf(current, 'local');
    const place = { target, likeDatabase: 'local', asideDatabase: `aside ${quoted('local')}` };
    const { checks } = await restoreDump(postgresOf(current), place, taken);
    expect(checks.filter((check) => check.status === 'skip').map((check) => check.name)).toEqual([
      'locale',
      'tablespaces',
    ]);
    await taken.store.remove();
  });
});
