/**
 * Goal: whatever breaks during a dump or a restore is an error with the right code, and leaves no child, no session and no database.
 * Method: real servers and tools; children are killed, passwords are wrong, streams end early, signals abort.
 */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../src/platform/ports.ts';
import { createPostgres } from '../../src/postgres/create-postgres.ts';
import type { ArtifactSink, Postgres } from '../../src/postgres/postgres.ts';
import { resolveTools } from '../../src/postgres/tools/client-tools.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  createDatabase,
  DUMP,
  postgresOf,
  restoreDump,
  takeDump,
  targetOf,
  until,
  untilDone,
  waitingFor,
} from './postgres-support/round-trip.ts';
import { createStore } from './postgres-support/stored-artifacts.ts';

const ROWS = `CREATE TABLE t (id serial PRIMARY KEY, filler text); INSERT INTO t (filler) SELECT repeat(md5(n::text), 30) FROM generate_series(1, 30000) n;
  CREATE TABLE u (id int); INSERT INTO u VALUES (1)`;

const suite = await whenAvailable('postgres 18', 'postgres 15');
suite('when something breaks', () => {
  let server: TestPostgres;
  let postgres: Postgres;
  let scratchDir: string;
  beforeAll(async () => {
    server = await startPostgres();
    scratchDir = await mkdtemp(join(tmpdir(), 'lifeboat-scratch-'));
    postgres = createPostgres({ tools: server.tools, scratchDir });
    await createDatabase(server, 'data', ROWS);
  });
  afterEach(async () => {
    expect(await childrenOf(server)).toEqual([]);
    await until(async () => (await sessions(server)) === 0);
    expect(await readdir(scratchDir)).toEqual([]);
  });
  afterAll(async () => {
    await server.stop();
    await rm(scratchDir, { recursive: true, force: true });
  });

  it('kill -9 of pg_dump in mid-stream rejects its source, and no facts are written', async () => {
    const store = await createStore();
    const seen: unknown[] = [];
    const killDumps = async (): Promise<void> => {
      for (const pid of await childrenOf(server, 'pg_dump')) process.kill(pid, 'SIGKILL');
    };
    const sink: ArtifactSink = async (artifact, source) => {
      async function* watched(): AsyncGenerator<Uint8Array> {
        try {
          for await (const chunk of source) {
            if (artifact.name === 'data') await killDumps();
            yield chunk;
          }
        } catch (error) {
          seen.push([artifact.name, error instanceof Error && 'code' in error && error.code]);
          throw error;
        }
      }
      await store.sink(artifact, watched());
    };
    const options = { ...DUMP, jobs: 1, bigTableBytes: 1e12, zstdLevel: 0 };
    await expect(
      postgres.dump(targetOf(server, 'data'), options, { sink, operation: untilDone }),
    ).rejects.toMatchObject({
      code: 'POSTGRES_DUMP_FAILED',
      details: { tool: 'pg_dump', signal: 'SIGKILL' },
    });
    expect(seen).toEqual([['data', 'POSTGRES_DUMP_FAILED']]);
    expect(store.artifacts.map((artifact) => artifact.name)).toEqual(['globals', 'schema']);
    await store.remove();
  });

  it('a sink that fails ends the dump with its own error', async () => {
    const sink: ArtifactSink = async (artifact, source) => {
      for await (const _ of source) if (artifact.name === 'data') throw new Error('the store is full');
    };
    await expect(postgres.dump(targetOf(server, 'data'), DUMP, { sink, operation: untilDone })).rejects.toThrow(
      'the store is full',
    );
  });

  it('an abort in mid-dump rejects with its reason', async () => {
    const given = new AbortController();
    const sink: ArtifactSink = async (artifact, source) => {
      for await (const _ of source) if (artifact.name === 'data') given.abort(new Error('enough'));
    };
    const operation = { signal: given.signal, onProgress: () => undefined };
    await expect(postgres.dump(targetOf(server, 'data'), DUMP, { sink, operation })).rejects.toThrow('enough');
  });

  it('an abort while a table is locked rejects, and nothing waits on the server any more', async () => {
    const locker = new Client({ ...connection(server), database: 'data' });
    await locker.connect();
    await locker.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    const given = new AbortController();
    const operation = { signal: given.signal, onProgress: () => undefined };
    const sink: ArtifactSink = async (_, source) => {
      for await (const _ of source);
    };
    const dump = postgres.dump(targetOf(server, 'data'), DUMP, { sink, operation });
    void until(() => waitingFor(server, 'LOCK TABLE%')).then(() => given.abort(new Error('stalled')));
    await expect(dump).rejects.toThrow('stalled');
    expect(await waitingFor(server, 'LOCK TABLE%')).toBe(false);
    await locker.end();
  });

  it('progress tells the phase, the table and growing bytes', async () => {
    const seen: { phase: string; bytes: number }[] = [];
    const operation = {
      signal: untilDone.signal,
      onProgress: (progress: { phase: string; bytes: number }) => void seen.push(progress),
    };
    const store = await createStore();
    const facts = await postgres.dump(
      targetOf(server, 'data'),
      { ...DUMP, bigTableBytes: 1e6 },
      { sink: store.sink, operation },
    );
    const place = { target: targetOf(server, 'data'), asideDatabase: 'seen', likeDatabase: 'data' };
    await postgres.restoreAside(
      { ...place, facts, artifacts: store.artifacts, jobs: 2 },
      { source: store.source, operation },
    );
    await postgres.dropDatabase(server.target, 'seen');
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual([
      'taking a snapshot',
      'dumping',
      'preparing',
      'loading definitions',
      'loading data',
      'building indexes and constraints',
      'checking',
    ]);
    expect(Math.max(...seen.map(({ bytes }) => bytes))).toBeGreaterThan(100_000);
    expect(Math.max(...seen.map((progress) => JSON.stringify(progress).length))).toBeLessThan(1_000);
    await store.remove();
  });

  it('a wrong password, a missing database and a server that is not there have codes of their own', async () => {
    const target = targetOf(server, 'data');
    const inspect = (other: Partial<typeof target>): Promise<unknown> =>
      postgres.inspect({ ...target, ...other }, { bigTableBytes: 1 });
    await expect(inspect({ password: 'wr0ng' })).rejects.toMatchObject({ code: 'POSTGRES_AUTH_FAILED' });
    await expect(inspect({ password: 'wr0ng' })).rejects.not.toThrow('wr0ng');
    await expect(inspect({ database: 'nowhere' })).rejects.toMatchObject({ code: 'POSTGRES_DATABASE_MISSING' });
    await expect(inspect({ port: await freePort() })).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await expect(inspect({ host: 'no-such-host.invalid' })).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await expect(inspect({ ssl: { mode: 'require' } })).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    await expect(inspect({ ssl: { mode: 'disable' } })).resolves.toMatchObject({ database: 'data' });
  });

  it('a missing and an old tool are found before anything is read', async () => {
    const missing = { ...server.tools, pgDump: '/nowhere/pg_dump' };
    await expect(
      postgresOf(server, missing).inspect(targetOf(server, 'data'), { bigTableBytes: 1 }),
    ).rejects.toMatchObject({
      code: 'TOOL_MISSING',
    });
    expect(() => resolveTools({ path: '/nowhere' })).toThrow(
      expect.objectContaining({ code: 'POSTGRES_TOOL_MISSING' }),
    );
    const old = resolveTools({ binDir: '/usr/lib/postgresql/15/bin' });
    await expect(postgresOf(server, old).inspect(targetOf(server, 'data'), { bigTableBytes: 1 })).rejects.toMatchObject(
      {
        code: 'POSTGRES_TOOL_TOO_OLD',
        details: { toolMajor: 15, serverMajor: 18 },
      },
    );
  });

  it('a role that cannot read everything is told what it cannot read, at once', async () => {
    await server.query(
      `CREATE ROLE reader LOGIN PASSWORD 'r'; CREATE TABLE hidden (id serial); CREATE TABLE filtered (id int);
       ALTER TABLE filtered ENABLE ROW LEVEL SECURITY; GRANT SELECT ON filtered TO reader; SELECT lo_create(4711)`,
      [],
      'data',
    );
    const target = { ...targetOf(server, 'data'), user: 'reader', password: 'r' };
    await expect(postgres.inspect(target, { bigTableBytes: 1 })).rejects.toMatchObject({
      code: 'POSTGRES_RIGHTS_MISSING',
      details: { objects: ['public.filtered', 'public.hidden', 'public.t', 'public.u', 'large object 4711'] },
    });
    await server.query(`DROP TABLE hidden, filtered; SELECT lo_unlink(4711)`, [], 'data');
  });

  it('an owner without special rights protects its own database', async () => {
    await server.query(`CREATE ROLE tenant LOGIN CREATEDB PASSWORD 't'`);
    await server.query('CREATE DATABASE tenancy OWNER tenant');
    const target = { ...targetOf(server, 'tenancy'), user: 'tenant', password: 't' };
    const client = new Client({ ...connection(server), database: 'tenancy', user: 'tenant', password: 't' });
    await client.connect();
    await client.query(
      `CREATE EXTENSION citext; CREATE TABLE users (id serial PRIMARY KEY, name citext); INSERT INTO users (name) VALUES ('a'), ('b')`,
    );
    await client.end();
    expect((await postgres.inspect(target, { bigTableBytes: 1 })).warnings).toEqual([
      expect.stringContaining('no superuser'),
    ]);
    const taken = await takeDump(postgres, target);
    const result = await restoreDump(postgres, { target, asideDatabase: 'tenancy2', likeDatabase: 'tenancy' }, taken);
    expect(result.checks.filter((check) => check.status !== 'pass')).toEqual([]);
    await postgres.swap({ target, database: 'tenancy', asideDatabase: 'tenancy2', replacedDatabase: 'tenancy_old' });
    expect((await server.query('SELECT FROM users', [], 'tenancy')).rowCount).toBe(2);
    expect(await readFile(taken.store.path('globals'), 'utf8')).not.toContain('SCRAM');
    await taken.store.remove();
  });

  it.each([
    ['ends early', 'POSTGRES_RESTORE_FAILED', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['is damaged', 'POSTGRES_RESTORE_FAILED', (bytes: Buffer) => bytes.fill(0x5a, 2_000, 60_000)],
    ['is empty', 'POSTGRES_RESTORE_FAILED', () => Buffer.alloc(0)],
  ])('a piece that %s fails the restore and leaves no database', async (_, code, damage) => {
    const target = targetOf(server, 'data');
    const taken = await takeDump(postgres, target);
    const path = taken.store.path('data');
    await writeFile(path, damage(await readFile(path)));
    await expect(
      restoreDump(postgres, { target, asideDatabase: 'broken', likeDatabase: 'data' }, taken),
    ).rejects.toMatchObject({ code });
    expect(await databaseCount(server, 'broken')).toBe(0);
    await taken.store.remove();
  });

  it('a source that fails in mid-restore gives its own error and leaves no database', async () => {
    const target = targetOf(server, 'data');
    const taken = await takeDump(postgres, target);
    const source = (name: string): AsyncIterable<Uint8Array> =>
      name === 'data' ? failing(taken.store.source(name)) : taken.store.source(name);
    const request = {
      target,
      asideDatabase: 'broken',
      likeDatabase: 'data',
      facts: taken.facts,
      artifacts: taken.store.artifacts,
      jobs: 2,
    };
    await expect(postgres.restoreAside(request, { source, operation: untilDone })).rejects.toThrow(
      'digest of the object is wrong',
    );
    expect(await databaseCount(server, 'broken')).toBe(0);
    await taken.store.remove();
  });

  it('an abort in mid-restore leaves no database; one left by a killed attempt is replaced', async () => {
    const target = targetOf(server, 'data');
    const taken = await takeDump(postgres, target);
    const given = new AbortController();
    const operation = {
      signal: given.signal,
      onProgress: ({ phase }: { phase: string }) => phase === 'loading data' && given.abort(new Error('stop')),
    };
    const request = {
      target,
      asideDatabase: 'aborted',
      likeDatabase: 'data',
      facts: taken.facts,
      artifacts: taken.store.artifacts,
      jobs: 2,
    };
    await expect(postgres.restoreAside(request, { source: taken.store.source, operation })).rejects.toThrow('stop');
    expect(await databaseCount(server, 'aborted')).toBe(0);
    await createDatabase(server, 'aborted', 'CREATE TABLE half (id int)');
    const { checks } = await restoreDump(postgres, { target, asideDatabase: 'aborted', likeDatabase: 'data' }, taken);
    expect(checks.every((check) => check.status === 'pass')).toBe(true);
    await postgres.dropDatabase(server.target, 'aborted');
    await taken.store.remove();
  });

  it('the live database is never taken for an aside one', async () => {
    const target = targetOf(server, 'data');
    const taken = await takeDump(postgres, target);
    await expect(
      restoreDump(postgres, { target, asideDatabase: 'data', likeDatabase: 'other' }, taken),
    ).rejects.toMatchObject({
      code: 'POSTGRES_NAME_TAKEN',
    });
    expect(await databaseCount(server, 'data')).toBe(1);
    await taken.store.remove();
  });

  it('the password is in no argument and no environment of a child, and what a killed process left is removed', async () => {
    const orphan = join(scratchDir, `lifeboat-pg-${(await import('node:os')).hostname()}-999999999-abcdef`);
    await mkdir(orphan);
    await writeFile(join(orphan, 'passfile'), 'secret');
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      for (const pid of await childrenOf(server)) {
        seen.push(
          await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
          await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
        );
      }
    };
    const sink: ArtifactSink = async (_, source) => {
      for await (const _ of source) await look();
    };
    // Small pieces are over before their first byte is read, so the children are looked at all the while.
    let done = false;
    const watching = (async () => {
      while (!done) {
        await look();
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await postgres.dump(targetOf(server, 'data'), DUMP, { sink, operation: untilDone }).finally(() => (done = true));
    await watching;
    expect(seen.join('\n')).toContain('PGPASSFILE');
    expect(seen.join('\n')).not.toContain(server.target.password);
  });

  it('a role whose objects are elsewhere is no obstacle, and a tool that cannot run is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-tools-'));
    await writeFile(join(folder, 'pg_dump'), '#!/bin/sh\nexit 3\n');
    await chmod(join(folder, 'pg_dump'), 0o755);
    const broken = postgresOf(server, { ...server.tools, pgDump: join(folder, 'pg_dump') });
    await expect(broken.inspect(targetOf(server, 'data'), { bigTableBytes: 1 })).rejects.toMatchObject({
      code: 'POSTGRES_TOOL_MISSING',
    });
    await rm(folder, { recursive: true });
  });
});

const connection = ({ target }: TestPostgres): { host: string; port: number; user: string; password: string } => ({
  host: target.host,
  port: target.port,
  user: target.user,
  password: target.password ?? '',
});

async function* failing(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunks = 0;
  for await (const chunk of source) {
    yield chunk;
    if ((chunks += 1) === 3) throw new Error('digest of the object is wrong');
  }
}

/** Client tools below this test process that talk to the server; `name` restricts them. */
async function childrenOf(server: TestPostgres, name = 'pg_'): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [command, environment] = await Promise.all([
      readFile(`/proc/${entry}/comm`, 'utf8').catch(() => ''),
      readFile(`/proc/${entry}/environ`, 'utf8').catch(() => ''),
    ]);
    if (command.startsWith(name) && environment.includes(`PGPORT=${server.target.port}\0`)) found.push(Number(entry));
  }
  return found;
}

async function sessions(server: TestPostgres): Promise<number> {
  return (await server.query(`SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'`)).rowCount ?? 0;
}

async function databaseCount(server: TestPostgres, name: string): Promise<number> {
  return (await server.query('SELECT FROM pg_database WHERE datname = $1', [name])).rowCount ?? 0;
}
