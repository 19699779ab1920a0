/**
 * Goal: a base that is not possible is refused before anything is read, a base that breaks is an error and leaves nothing on the
 * server or this machine, and a base that was changed is never unpacked to the end. Method: real servers; children and servers are
 * killed, settings and rights are taken away, stored pieces are changed byte by byte, a small file system runs full.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BaseSink, PhysicalBackup, PostgresServerTools } from '../../src/postgres/physical/physical.ts';
import { findServerTools } from '../../src/postgres/tools/server-tools.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { until } from './postgres-physical-support/bank.ts';
import { physicalOf, takeBase, toolsOf, unpack, untilDone, type TakenBase } from './postgres-physical-support/bases.ts';

const ROWS = `CREATE TABLE t AS SELECT g AS id, repeat(md5(g::text), 30) AS filler FROM generate_series(1, 30000) g; CHECKPOINT`;
const run = promisify(execFile);

const suite = await whenAvailable('postgres 18', 'postgres 15');
suite('when a physical base breaks', () => {
  let server: TestPostgres;
  let tools: PostgresServerTools;
  let physical: PhysicalBackup;
  let scratchDir: string;
  let folder: string;
  beforeAll(async () => {
    server = await startPostgres();
    tools = await toolsOf(server, 18);
    scratchDir = await mkdtemp(join(tmpdir(), 'lifeboat-scratch-'));
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-physical-'));
    physical = physicalOf(tools, scratchDir);
    await server.query(ROWS);
  });
  afterEach(async () => {
    expect(await childrenOf(server)).toEqual([]);
    await until(async () => (await server.query('SELECT FROM pg_replication_slots')).rowCount === 0);
    await until(
      async () =>
        (await server.query(`SELECT FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'`)).rowCount === 0,
    );
    expect(await readdir(scratchDir)).toEqual([]);
  });
  afterAll(async () => {
    await server.stop();
    for (const path of [scratchDir, folder]) await rm(path, { recursive: true, force: true });
  });

  /** Takes a base into a sink that must not be called, and gives the error. */
  const refused = async (
    from: PhysicalBackup = physical,
    of: TestPostgres = server,
    user?: string,
  ): Promise<unknown> => {
    const sink: BaseSink = async ({ name }) => {
      throw new Error(`${name} was read`);
    };
    const target = user === undefined ? of.target : { ...of.target, user };
    return caught(from.takeBase({ target }, { sink, operation: untilDone }));
  };

  it('a tablespace is named before anything is read', async () => {
    const place = join(server.dataDir, '..', 'fast');
    await run('install', ['-d', '-m', '700', place]);
    if (process.getuid?.() === 0) await run('chown', ['--reference', server.dataDir, place]);
    await server.query(`CREATE TABLESPACE "fast one" LOCATION '${place}'`);
    const survey = await physical.survey(server.target);
    expect(survey).toMatchObject({ possible: false, code: 'POSTGRES_TABLESPACES' });
    expect(survey.reason).toContain('"fast one"');
    expect(await refused()).toMatchObject({ code: 'POSTGRES_TABLESPACES' });
    await server.query('DROP TABLESPACE "fast one"');
    expect(await physical.survey(server.target)).toMatchObject({ possible: true, code: '', reason: '' });
  });

  it('a role without REPLICATION is refused by name, one with it is enough', async () => {
    await server.query(
      `CREATE ROLE plain LOGIN PASSWORD 'test-password'; CREATE ROLE copier LOGIN REPLICATION PASSWORD 'test-password'`,
    );
    expect(await refused(physical, server, 'plain')).toMatchObject({
      code: 'POSTGRES_BASE_IMPOSSIBLE',
      message: expect.stringContaining('plain'),
    });
    const base = await takeBase(physical, { ...server.target, user: 'copier' });
    await unpack(physical, base, join(folder, 'copier'));
    await base.store.remove();
  });

  it('a pg_hba.conf without a line for replication is found before anything is read', async () => {
    const hba = join(server.dataDir, 'pg_hba.conf');
    const text = await readFile(hba, 'utf8');
    await writeFile(hba, text.replaceAll(/^(local|host) +replication.*$/gm, ''));
    await server.query('SELECT pg_reload_conf()');
    try {
      await until(async () => !(await physical.survey(server.target)).possible);
      expect(await refused()).toMatchObject({ code: 'POSTGRES_BASE_IMPOSSIBLE' });
    } finally {
      await writeFile(hba, text);
      await server.query('SELECT pg_reload_conf()');
      await until(async () => (await physical.survey(server.target)).possible);
    }
  });

  it('used up slots and a level of WAL that is too low are refused', async () => {
    const small = await startPostgres({ settings: { max_replication_slots: '1', max_wal_senders: '2' } });
    try {
      await small.query(`SELECT pg_create_physical_replication_slot('taken')`);
      expect(await refused(physical, small)).toMatchObject({ code: 'POSTGRES_BASE_BUSY' });
    } finally {
      await small.stop();
    }
    const minimal = await startPostgres({ settings: { wal_level: 'minimal', max_wal_senders: '0' } });
    try {
      expect(await refused(physical, minimal)).toMatchObject({
        code: 'POSTGRES_BASE_IMPOSSIBLE',
        message: expect.stringContaining('wal_level'),
      });
    } finally {
      await minimal.stop();
    }
  });

  it('an older pg_basebackup is refused', async () => {
    const old = await findServerTools(15, { path: '', folders: [] });
    expect(await refused(physicalOf(old, scratchDir))).toMatchObject({ code: 'POSTGRES_TOOL_TOO_OLD' });
  });

  it('server programs that are not there are an error that says where was looked', async () => {
    const failure = await caught(findServerTools(9, { path: '', folders: ['/nowhere/bin'] }));
    expect(failure).toMatchObject({
      code: 'POSTGRES_SERVER_MISSING',
      message: expect.stringContaining('/nowhere/bin'),
    });
  });

  /** Takes a base and does something when the first bytes of an artifact came. */
  const broken = async (artifact: string, act: () => Promise<void>, signal = untilDone.signal): Promise<unknown> => {
    const stored: string[] = [];
    const sink: BaseSink = async ({ name }, source) => {
      let acted = false;
      for await (const _ of source) {
        if (name === artifact && !acted) await act();
        acted = true;
      }
      stored.push(name);
    };
    const request = { target: server.target, pieceBytes: 2_000_000 };
    const failure = await caught(physical.takeBase(request, { sink, operation: { ...untilDone, signal } }));
    expect(stored).not.toContain('manifest');
    return failure;
  };

  it('kill -9 of pg_basebackup is an error, in the files and in the WAL', async () => {
    for (const artifact of ['base-0002', 'wal']) {
      const failure = await broken(artifact, async () => {
        for (const pid of await childrenOf(server)) process.kill(pid, 'SIGKILL');
      });
      expect(failure).toMatchObject({ code: 'POSTGRES_BASE_FAILED' });
    }
  });

  it('a sink that fails ends the copy with its own error', async () => {
    const failure = await broken('base-0002', async () => Promise.reject(new Error('the store is full')));
    expect(failure).toMatchObject({ message: 'the store is full' });
  });

  it('an abort ends the copy with its reason', async () => {
    const abort = new AbortController();
    const failure = await broken('base-0001', async () => abort.abort(new Error('cancelled')), abort.signal);
    expect(failure).toMatchObject({ message: 'cancelled' });
  });

  it('a server that crashes in the middle is an error', async () => {
    const failure = await broken('base-0002', async () => server.kill());
    expect(failure).toMatchObject({ code: expect.stringMatching(/^POSTGRES_/) });
    await server.restart();
  }, 60_000);

  describe('in what was stored', () => {
    let base: TakenBase;
    beforeAll(async () => {
      base = await takeBase(physical, server.target);
    });
    afterAll(async () => base.store.remove());

    /** Unpacks with some stored artifacts replaced. */
    const unpackChanged = async (
      change: Readonly<Record<string, (bytes: Buffer) => Buffer | undefined>>,
    ): Promise<unknown> => {
      const directory = await mkdtemp(join(folder, 'changed-'));
      const bytesOf = async (name: string): Promise<Buffer | undefined> => {
        const bytes = await readFile(base.store.path(name));
        return name in change ? change[name]?.(bytes) : bytes;
      };
      const entries = await Promise.all(
        base.store.artifacts.map(async (artifact) => ({ artifact, bytes: await bytesOf(artifact.name) })),
      );
      const kept = new Map(entries.map(({ artifact, bytes }) => [artifact.name, bytes]));
      async function* source(name: string): AsyncGenerator<Uint8Array> {
        yield kept.get(name) ?? Buffer.alloc(0);
      }
      const artifacts = entries.filter(({ bytes }) => bytes !== undefined).map(({ artifact }) => artifact);
      const failure = await caught(
        physical.unpackBase({ directory, artifacts, jobs: 2 }, { source, operation: untilDone }),
      );
      expect(existsSync(join(directory, 'global/pg_control'))).toBe(false);
      return failure;
    };
    const last = (): string =>
      base.store.artifacts.filter(({ format }) => format === 'postgres-base-tar').at(-1)?.name ?? '';

    it('nothing changed is unpacked', async () => {
      await unpack(physical, base, join(folder, 'unchanged'));
      expect(existsSync(join(folder, 'unchanged/global/pg_control'))).toBe(true);
    });

    it('one flipped bit of a file is found, and the file is named', async () => {
      const failure = await unpackChanged({ 'base-0001': flip((bytes) => bytes.indexOf('START WAL LOCATION')) });
      expect(failure).toMatchObject({
        code: 'POSTGRES_BASE_DAMAGED',
        message: expect.stringContaining('backup_label'),
      });
    });

    it('a flipped bit of a header, of the manifest and a cut archive are found', async () => {
      expect(await unpackChanged({ 'base-0002': flip(() => 3) })).toMatchObject({ code: 'POSTGRES_BASE_DAMAGED' });
      expect(await unpackChanged({ manifest: flip((bytes) => bytes.indexOf('"Size"') - 5) })).toMatchObject({
        code: 'POSTGRES_BASE_DAMAGED',
      });
      expect(await unpackChanged({ 'base-0002': (bytes) => bytes.subarray(0, bytes.length / 2) })).toMatchObject({
        code: 'POSTGRES_BASE_DAMAGED',
      });
    });

    it('a piece that is missing is found, and its files are named', async () => {
      const failure = await unpackChanged({ [last()]: () => undefined });
      expect(failure).toMatchObject({ code: 'POSTGRES_BASE_DAMAGED', message: expect.stringMatching(/missing: \S+/) });
    });

    it('a file too many, a link and a path that leaves the folder are refused', async () => {
      const added = (name: string, type = '0') => ({
        [last()]: (bytes: Buffer) => Buffer.concat([tarHeader(name, type), bytes]),
      });
      expect(await unpackChanged(added('base/extra'))).toMatchObject({
        message: expect.stringContaining('base/extra'),
      });
      expect(await unpackChanged(added('base/link', '2'))).toMatchObject({
        message: expect.stringContaining('base/link'),
      });
      for (const name of ['../outside', '/etc/outside', 'base/../../outside']) {
        expect(await unpackChanged(added(name))).toMatchObject({
          code: 'POSTGRES_BASE_DAMAGED',
          message: expect.stringContaining(name),
        });
      }
      expect(existsSync(join(folder, 'outside'))).toBe(false);
    });

    it('WAL that ends too early is found', async () => {
      expect(await unpackChanged({ wal: () => Buffer.alloc(10) })).toMatchObject({ code: 'POSTGRES_BASE_DAMAGED' });
    });

    it('a folder that is in use is not touched', async () => {
      const directory = join(folder, 'used');
      await mkdir(directory);
      await writeFile(join(directory, 'mine'), 'mine');
      expect(await caught(unpack(physical, base, directory))).toMatchObject({ code: 'POSTGRES_DIRECTORY_IN_USE' });
      expect(await readdir(directory)).toEqual(['mine']);
    });

    const asRoot = process.getuid?.() === 0 ? it : it.skip;
    asRoot('a disk that runs full is said (needs root, for a file system of its own)', async () => {
      const small = join(folder, 'small');
      await mkdir(small);
      await run('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', small]);
      try {
        const failure = await caught(unpack(physical, base, join(small, 'data')));
        expect(failure).toMatchObject({
          code: 'POSTGRES_DIRECTORY_UNWRITABLE',
          message: expect.stringContaining('ENOSPC'),
        });
        expect(existsSync(join(small, 'data/global/pg_control'))).toBe(false);
      } finally {
        await run('umount', [small]);
      }
    });

    it('a folder that cannot be written is said', async () => {
      const file = join(folder, 'file');
      await copyFile(base.store.path('manifest'), file);
      await chmod(file, 0o400);
      expect(await caught(unpack(physical, base, join(file, 'data')))).toMatchObject({
        code: 'POSTGRES_DIRECTORY_UNWRITABLE',
      });
    });
  });
});

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => error,
  );
}

function flip(at: (bytes: Buffer) => number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const position = at(bytes);
    if (position < 0) throw new Error('there is no such place');
    const changed = Buffer.from(bytes);
    changed[position] = (changed[position] ?? 0) ^ 1;
    return changed;
  };
}

/** A member without content, with a right checksum. */
function tarHeader(name: string, type: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 'latin1');
  header.write('0000600\0', 100, 'latin1');
  header.write('00000000000\0', 124, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

async function childrenOf(server: TestPostgres): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [command, environment] = await Promise.all([
      readFile(`/proc/${entry}/comm`, 'utf8').catch(() => ''),
      readFile(`/proc/${entry}/environ`, 'utf8').catch(() => ''),
    ]);
    if (command.startsWith('pg_basebackup') && environment.includes(`PGPORT=${server.target.port}\0`))
      found.push(Number(entry));
  }
  return found;
}
