/** Servers whose WAL is followed: primaries that keep it all, standbys, and load. */
import { chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { startGuarded } from '../../../src/embedded/local-server.ts';
import { createPrivateFolder } from '../../../src/platform/files.ts';
import { runChild } from '../../../src/platform/child-process.ts';
import { freePort } from '../../../src/platform/ports.ts';
import { unprivilegedUser } from '../../../src/platform/unprivileged-user.ts';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';
import { createWal } from '../../../src/postgres/wal/create-wal.ts';
import type { ReceiveWal, WalEvent, WalIdentity, WalReception } from '../../../src/postgres/wal/wal.ts';
import type { ServerPlace } from '../../support/regions.ts';
import { commandAt, startPostgres, type TestPostgres } from '../../support/servers.ts';
import type { PostgresMajor } from '../../support/tools.ts';

export const wal = createWal();

/** Nothing is removed or recycled, so that all that was received can be compared. */
export const KEEP_ALL = { wal_keep_size: '4GB', max_wal_size: '4GB', checkpoint_timeout: '1h' };

export async function startKeeping(
  major: PostgresMajor,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgres> {
  return startPostgres({ major, settings: { ...KEEP_ALL, ...settings } });
}

export async function flushedLsn(server: Pick<TestPostgres, 'query'>): Promise<string> {
  const { rows } = await server.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
  return rows[0]?.lsn ?? '';
}

/** About `mib` MiB of WAL. */
export async function writeWal(server: Pick<TestPostgres, 'query'>, mib: number): Promise<void> {
  await server.query('create table if not exists filler (id bigint, body text)');
  await server.query('insert into filler select g, repeat(md5(g::text), 30) from generate_series(1, $1::int) g', [
    mib * 1_000,
  ]);
}

export interface Reception {
  readonly events: WalEvent[];
  readonly reception: WalReception;
  /** Settles when the reception has ended; gives its error. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

/** Receives in the background and confirms at once; `onEvent` may take its time. */
export function receive(
  server: { readonly target: PostgresTarget },
  identity: WalIdentity,
  request: Pick<ReceiveWal, 'slot' | 'from'> & Partial<ReceiveWal>,
  onEvent: (event: WalEvent) => Promise<void> | void = () => undefined,
): Reception {
  const abort = new AbortController();
  const reception = wal.receive(
    { target: server.target, flushMs: 200, expect: identity, ...request },
    { signal: abort.signal, onProgress: () => undefined },
  );
  const events: WalEvent[] = [];
  const run = async (): Promise<void> => {
    for await (const event of reception) {
      events.push(event.event === 'piece' ? { ...event, bytes: new Uint8Array() } : event);
      await onEvent(event);
      if (event.event === 'piece') reception.confirm(event.to);
    }
  };
  const ended = run().then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    events,
    reception,
    ended,
    async stop() {
      abort.abort(new Error('the test is over'));
      await ended;
    },
  };
}

/** Waits until `condition` holds; half a minute at most. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 30_000,
): Promise<void> {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await delay(50)) {
    if (await condition()) return;
  }
  throw new Error(`waited ${limitMs / 1_000} s in vain until ${what}`);
}

/** A program of the server's own folder, run as the account of the servers. */
export async function runServerTool(
  { binDir, dataDir, target }: Pick<TestPostgres, 'binDir' | 'dataDir' | 'target'>,
  name: string,
  args: readonly string[],
): Promise<void> {
  const user = (await unprivilegedUser()) ?? undefined;
  const { exit } = await runChild({
    name,
    command: join(binDir, name),
    args: [...args],
    env: { LD_LIBRARY_PATH: join(binDir, '..', 'lib'), PGPASSWORD: target.password ?? '' },
    cwd: join(dataDir, '..'),
    signal: AbortSignal.timeout(90_000),
    ...(user === undefined ? {} : { user }),
  });
  if (exit.code !== 0) throw new Error(`${name}: exit ${exit.code}: ${exit.stderrTail}`);
}

export async function stopFast(server: Pick<TestPostgres, 'binDir' | 'dataDir' | 'target'>): Promise<void> {
  await runServerTool(server, 'pg_ctl', ['stop', '-m', 'fast', '-w', '-t', '60', '-D', server.dataDir]);
}

export interface TestCopy {
  readonly target: PostgresTarget;
  readonly dataDir: string;
  promote(): Promise<void>;
  query: TestPostgres['query'];
  stop(): Promise<void>;
}

/** A streaming standby of a primary. */
export async function startStandby(primary: TestPostgres, place?: ServerPlace): Promise<TestCopy> {
  const copy = await copyCluster(primary, place);
  const { host, port, user, password = '' } = primary.target;
  const conninfo = `host=${host} port=${port} user=${user} password=${password}`;
  return copy.start('standby.signal', { primary_conninfo: conninfo });
}

export interface CopiedCluster {
  /** Starts it with this signal file; once. */
  start(signalFile: string, settings: Readonly<Record<string, string>>): Promise<TestCopy>;
}

/** A base backup with the WAL that makes it consistent, not started yet. */
export async function copyCluster(primary: TestPostgres, at?: ServerPlace): Promise<CopiedCluster> {
  const user = (await unprivilegedUser()) ?? undefined;
  const own = async (path: string): Promise<void> => (user === undefined ? undefined : chown(path, user.uid, user.gid));
  const folder = await createPrivateFolder('lifeboat-test-copy');
  await own(folder);
  const { host, password = '', user: role } = primary.target;
  const { binDir } = primary;
  const dataDir = join(folder, 'data');
  const from = ['-h', host, '-p', String(primary.target.port), '-U', role];
  const place = { binDir, dataDir, target: primary.target };
  await runServerTool(place, 'pg_basebackup', [...from, '-D', dataDir, '-X', 'stream', '-c', 'fast']);
  return {
    async start(name, settings) {
      await writeFile(join(dataDir, name), '');
      await own(join(dataDir, name));
      const port = await freePort();
      const all = { ...KEEP_ALL, fsync: 'off', ...settings };
      const cluster = { binDir, folder, password, user };
      const child = await startGuarded(commandAt(at, cluster, { port, settings: all }));
      const target = { ...primary.target, host: at?.host ?? '127.0.0.1', port };
      const query = queryOf(target);
      return {
        target,
        dataDir,
        query,
        promote: async () => void (await query('select pg_promote(true, 60)')),
        async stop() {
          await child.end();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

function queryOf(target: PostgresTarget): TestPostgres['query'] {
  return async (sql, params = [], database = 'postgres') => {
    const client = new Client({ ...target, database, ssl: false });
    await client.connect();
    try {
      return await client.query(sql, [...params]);
    } finally {
      await client.end();
    }
  };
}
