/**
 * Goal: what archive_command was answered 0 for can be recovered by restore_command, and nothing but the end is ever taken for the end.
 * Method: a real server archives through `wal push` and another one recovers through `wal fetch`; pushes are killed, repeated and
 * run at once, the store is taken away, keys are wrong.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openConfiguredRepository } from '../../src/assembly/open-repository.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import { inheritedEnvironment } from '../../src/platform/environment.ts';
import { runChild } from '../../src/platform/child-process.ts';
import { unprivilegedUser, type UnixUser } from '../../src/platform/unprivileged-user.ts';
import { giveTo } from '../../src/postgres/scratch/server-account.ts';
import { startScratch } from '../../src/postgres/scratch/start-scratch.ts';
import { findServerTools } from '../../src/postgres/tools/server-tools.ts';
import { runCli, type CliResult } from '../support/product/run-cli.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';

const OPERATION = { signal: new AbortController().signal, onProgress: () => undefined };
const MAIN = join(PROJECT_DIR, 'src/cli/main.ts');

let folder: string;
let env: Record<string, string>;
let server: TestPostgres;
let base: string;
/** As root the server has an account of its own: its archive_command and restore_command run under it, and so do we. */
let account: UnixUser | undefined;

const cli = async (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  runCli({ args, cwd: server.dataDir, env: { ...env, ...more }, account });
const walFile = (name: string): string => join(server.dataDir, 'pg_wal', name);

/** A command that runs us with the test's configuration, under whatever account. */
async function writeCommand(name: string, words: string): Promise<string> {
  const path = join(folder, name);
  const exports = Object.entries(env).map(([key, value]) => `export ${key}='${value}'`);
  await writeFile(path, ['#!/bin/sh', ...exports, `exec '${process.execPath}' '${MAIN}' ${words} "$@"`, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

async function archived(): Promise<{ last_archived_wal: string | null; failed_count: string }> {
  const { rows } = await server.query<{ last_archived_wal: string | null; failed_count: string }>(
    'select last_archived_wal, failed_count::text from pg_stat_archiver',
  );
  return rows[0] as { last_archived_wal: string | null; failed_count: string };
}

/** Ends the present segment, and waits until it is archived. */
async function switchAndWait(): Promise<string> {
  // A segment in which nothing was written is not ended.
  await server.query("select pg_logical_emit_message(false, 'test', 'something')");
  const sql = 'select pg_walfile_name(pg_switch_wal()) as name';
  const name = (await server.query<{ name: string }>(sql)).rows[0]?.name ?? '';
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 100) {
    if (((await archived()).last_archived_wal ?? '') >= name) return name;
    await delay(100);
  }
  throw new Error(`${name} was not archived: ${JSON.stringify(await archived())}`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-wal-'));
  await chmod(folder, 0o755);
  account = (await unprivilegedUser()) ?? undefined;
  env = {
    BACKUP_PATH: join(folder, 'store'),
    LIFEBOAT_HOME: join(folder, 'home'),
    LIFEBOAT_SIGNING_KEY_PATH: join(folder, 'keys', 'signing.key'),
    BACKUP_ENCRYPTION_KEY_PATH: join(folder, 'keys', 'encryption.key'),
    BACKUP_ENCRYPTION_ENABLED: 'true',
  };
  await Promise.all(['store', 'home', 'keys'].map(async (name) => mkdir(join(folder, name))));
  await runCli({ args: ['key', 'generate'], cwd: folder, env });
  const push = await writeCommand('push', 'wal push');
  await giveTo(account, folder);
  server = await startPostgres({
    major: 18,
    settings: { archive_mode: 'on', archive_command: `${push} "%p"`, wal_keep_size: '1GB' },
  });
  await server.query('create table marks (n int)');
  base = join(folder, 'base');
  const { exit } = await runChild({
    name: 'pg_basebackup',
    command: join(server.binDir, 'pg_basebackup'),
    args: [
      '-D',
      base,
      '-X',
      'none',
      '-c',
      'fast',
      '-h',
      '127.0.0.1',
      '-p',
      String(server.target.port),
      '-U',
      'postgres',
    ],
    env: { PGPASSWORD: server.target.password ?? '', LD_LIBRARY_PATH: join(server.binDir, '..', 'lib') },
    signal: OPERATION.signal,
  });
  if (exit.code !== 0) throw new Error(exit.stderrTail);
}, 120_000);

afterAll(async () => {
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

describe('wal push and wal fetch', () => {
  test('a server that archives through us is recovered through us', async () => {
    for (let n = 1; n <= 3; n += 1) {
      await server.query('insert into marks values ($1)', [n]);
      await switchAndWait();
    }
    expect((await archived()).failed_count).toBe('0');

    const fetch = await writeCommand('fetch', 'wal fetch');
    await giveTo((await unprivilegedUser()) ?? undefined, base);
    const scratch = await startScratch(
      {
        directory: base,
        tools: await findServerTools(18, { binDir: server.binDir, path: '', folders: [] }),
        user: 'postgres',
        database: 'postgres',
        recovery: { restoreCommand: `${fetch} "%f" "%p"`, target: 'end', action: 'promote' },
      },
      OPERATION,
    );
    try {
      await scratch.waitForRecovery();
      const { Client } = await import('pg');
      const client = new Client({ ...scratch.target, ssl: false });
      await client.connect();
      const { rows } = await client.query<{ n: number }>('select n from marks order by n');
      await client.end();
      expect(rows.map(({ n }) => n)).toEqual([1, 2, 3]);
    } finally {
      await scratch.stop();
    }
  }, 120_000);

  test('a file that was kept is given back byte for byte, and the same again is a success', async () => {
    const name = await switchAndWait();
    const destination = join(folder, 'fetched');
    expect((await cli(['wal', 'fetch', name, destination])).exit).toBe(0);
    expect((await readFile(destination)).equals(await readFile(walFile(name)))).toBe(true);
    const again = await cli(['wal', 'push', join('pg_wal', name)]);
    expect([again.exit, again.json['outcome']]).toEqual([0, 'kept-before']);
  }, 60_000);

  test('another file under the name of a kept one is refused, and the kept one stays', async () => {
    const name = await switchAndWait();
    const altered = await readFile(walFile(name));
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    await mkdir(join(folder, 'other'), { recursive: true });
    await writeFile(join(folder, 'other', name), altered);
    const refused = await cli(['wal', 'push', join(folder, 'other', name)]);
    expect([refused.exit, refused.json['error'].code]).toEqual([4, 'JOURNAL_SEGMENT_EXISTS']);
    const destination = join(folder, 'fetched-original');
    expect((await cli(['wal', 'fetch', name, destination])).exit).toBe(0);
    expect((await readFile(destination)).equals(await readFile(walFile(name)))).toBe(true);
  }, 60_000);

  test('a push that is killed anywhere loses nothing when it is repeated', async () => {
    await server.restart({ archive_command: 'false' });
    const { rows } = await server.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
    const name = rows[0]?.name ?? '';
    await copyFile(walFile(name), join(folder, name));
    for (const afterMs of [120, 200, 260, 320, 400, 520]) {
      const child = spawn(process.execPath, [MAIN, 'wal', 'push', join(folder, name)], {
        env: { ...inheritedEnvironment(), ...env },
        stdio: 'ignore',
        ...(account && { uid: account.uid, gid: account.gid }),
      });
      await Promise.race([delay(afterMs), once(child, 'exit')]);
      child.kill('SIGKILL');
    }
    const pushed = await cli(['wal', 'push', join(folder, name)]);
    expect(pushed.exit).toBe(0);
    const destination = join(folder, 'fetched-after-kills');
    expect((await cli(['wal', 'fetch', name, destination])).exit).toBe(0);
    expect((await readFile(destination)).equals(await readFile(walFile(name)))).toBe(true);
    await server.restart({ archive_command: `${join(folder, 'push')} "%p"` });
  }, 120_000);

  test('several pushes at once keep all their files', async () => {
    await server.restart({ archive_command: 'false' });
    const names: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      await server.query('insert into marks values (100)');
      const { rows } = await server.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
      names.push(rows[0]?.name ?? '');
    }
    // The first begins where the journal ends; the others then find a place each.
    const [first = '', ...others] = names;
    expect((await cli(['wal', 'push', walFile(first)])).exit).toBe(0);
    const twice = [...others, ...others];
    const results = await Promise.all(twice.map(async (name) => cli(['wal', 'push', walFile(name)])));
    expect(results.map(({ exit, stderr }) => [exit, stderr])).toEqual(twice.map(() => [0, '']));
    for (const name of names) {
      const destination = join(folder, `fetched-${name}`);
      expect((await cli(['wal', 'fetch', name, destination])).exit).toBe(0);
      expect((await readFile(destination)).equals(await readFile(walFile(name)))).toBe(true);
    }
    await server.restart({ archive_command: `${join(folder, 'push')} "%p"` });
  }, 120_000);

  test('only a file that no journal has is answered with 1', async () => {
    const destination = join(folder, 'nothing');
    const fetch = async (more: Readonly<Record<string, string>> = {}): Promise<number | null> =>
      (await cli(['wal', 'fetch', '0000000100000000000000FE', destination], more)).exit;
    expect(await fetch()).toBe(1);
    expect((await cli(['wal', 'fetch', '00000002.history', destination])).exit).toBe(1);

    const last = await switchAndWait();
    const kept = async (more: Readonly<Record<string, string>>): Promise<number | null> =>
      (await cli(['wal', 'fetch', last, destination], more)).exit;
    expect(await kept({ BACKUP_PATH: join(folder, 'no-such-store') })).toBe(126);
    expect(await kept({ BACKUP_COMPRESSION_LEVEL: 'much' })).toBe(126);
    expect((await cli(['wal', 'fetch', last])).exit).toBe(126);
    expect((await cli(['--nonsense', 'wal', 'fetch', last, destination])).exit).toBe(126);

    const keys = { BACKUP_ENCRYPTION_KEY_PATH: join(folder, 'other-keys', 'encryption.key') };
    const signing = { LIFEBOAT_SIGNING_KEY_PATH: join(folder, 'other-keys', 'signing.key') };
    expect((await cli(['key', 'generate'], { ...keys, ...signing })).exit).toBe(0);
    expect(await kept(keys)).toBe(126);
    expect(await kept(signing)).toBe(126);
    expect((await readdir(folder)).filter((name) => name.startsWith('nothing'))).toEqual([]);
  }, 120_000);

  test('a store that is away is no success, and the server archives when it is back', async () => {
    const before = await archived();
    await rename(join(folder, 'store'), join(folder, 'away'));
    await writeFile(join(folder, 'store'), 'a file where the store was');
    await server.query("select pg_logical_emit_message(false, 'test', 'something')");
    const { rows } = await server.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
    for (let waitedMs = 0; (await archived()).failed_count === before.failed_count; waitedMs += 100) {
      if (waitedMs > 30_000) throw new Error('the server did not notice');
      await delay(100);
    }
    await rm(join(folder, 'store'));
    await rename(join(folder, 'away'), join(folder, 'store'));
    await server.restart();
    await switchAndWait();
    const destination = join(folder, 'fetched-late');
    expect((await cli(['wal', 'fetch', rows[0]?.name ?? '', destination])).exit).toBe(0);
  }, 120_000);

  test('a server gets no file of another cluster, and two that archive under the same names keep their own', async () => {
    const name = await switchAndWait();
    const other = await startPostgres({ major: 18 });
    try {
      const destination = join(other.dataDir, 'pg_wal', 'RECOVERYXLOG');
      expect((await cli(['wal', 'fetch', name, destination])).exit).toBe(1);
      expect(await readdir(join(other.dataDir, 'pg_wal'))).not.toContain('RECOVERYXLOG');
      const position = async (): Promise<string> =>
        (await other.query<{ name: string }>('select pg_walfile_name(pg_current_wal_lsn()) as name')).rows[0]!.name;
      while ((await position()) <= name) {
        await other.query("select pg_logical_emit_message(true, 'test', 'something')");
        await other.query('select pg_switch_wal()');
      }
      const theirs = join(other.dataDir, 'pg_wal', name);
      const pushed = await cli(['wal', 'push', theirs]);
      expect([pushed.exit, pushed.json['outcome']]).toEqual([0, 'kept']);
      expect((await cli(['wal', 'fetch', name, destination])).exit).toBe(0);
      expect((await readFile(destination)).equals(await readFile(theirs))).toBe(true);
      const ours = join(server.dataDir, 'pg_wal', 'FETCHED');
      expect((await cli(['wal', 'fetch', name, ours])).exit).toBe(0);
      expect((await readFile(ours)).equals(await readFile(walFile(name)))).toBe(true);
      await rm(ours);
    } finally {
      await other.stop();
    }
  }, 60_000);

  test('the journal that the files make is sound, and a removed one is named and never taken for the end', async () => {
    // From here on this process reads, and the keys are for one account only.
    const { uid, gid } = userInfo();
    for (const name of await readdir(join(folder, 'keys'))) await chown(join(folder, 'keys', name), uid, gid);
    account = undefined;
    const { config } = loadConfig({ env, cwd: folder });
    const { journals } = await openConfiguredRepository(config, 'test');
    expect(await journals.verify('postgres', OPERATION)).toEqual([]);
    const { epochs } = await journals.catalog('postgres');
    // Pushes at once may have begun an epoch each; most files are in one.
    const longest = epochs.toSorted((a, b) => b.entries.length - a.entries.length)[0];
    const victim = longest?.entries[2];
    if (victim === undefined) throw new Error('too few files');
    await rename(join(folder, 'store', victim.key), join(folder, 'removed'));
    expect((await journals.verify('postgres', OPERATION)).map(({ code, key }) => [code, key])).toEqual([
      ['OBJECT_MISSING', victim.key],
    ]);
    const name = victim.key.slice(victim.key.lastIndexOf('/') + 1).slice(0, 24);
    expect((await cli(['wal', 'fetch', name, join(folder, 'gone')])).exit).toBe(126);
    await rename(join(folder, 'removed'), join(folder, 'store', victim.key));

    const chapter = victim.key.replace(/[^/]*$/, 'chapter-000003.json');
    await rename(join(folder, 'store', chapter), join(folder, 'removed'));
    expect((await journals.verify('postgres', OPERATION)).map(({ key }) => key)).toContain(chapter);
    expect((await cli(['wal', 'fetch', name, join(folder, 'gone')])).exit).toBe(126);
    await rename(join(folder, 'removed'), join(folder, 'store', chapter));
  }, 60_000);
});
