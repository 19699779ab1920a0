/**
 * Real servers for tests: each on a free port, in a private folder, and gone with the test process, however it ends.
 * A server that cannot be had makes its tests skip with the reason, and fail with CI=true (see `whenAvailable`).
 */
import { appendFile, chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type QueryResult, type QueryResultRow } from 'pg';
import { startGuarded, type ServerCommand } from '../../src/embedded/local-server.ts';
import { temporaryPlace } from '../../src/embedded/places.ts';
import { createCluster, postgresCommand, type PostgresCluster } from '../../src/embedded/postgres-server.ts';
import { redisCommand } from '../../src/embedded/redis-server.ts';
import { temporalCommand } from '../../src/embedded/temporal-server.ts';
import { runChild, type Child } from '../../src/platform/child-process.ts';
import { freePort } from '../../src/platform/ports.ts';
import { unprivilegedUser } from '../../src/platform/unprivileged-user.ts';
import type { PostgresTarget, PostgresTools } from '../../src/postgres/postgres.ts';
import type { RedisTarget } from '../../src/redis/redis.ts';
import type { ServerPlace } from './regions.ts';
import { resolveTools, type PostgresMajor, type RedisVersion } from './tools.ts';

const NEVER = new AbortController().signal;
const POSTGRES_TEST_SETTINGS = {
  fsync: 'off',
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
};

interface Running {
  readonly pid: number;
  /** Ends the server politely and removes its folder. */
  stop(): Promise<void>;
  /** kill -9 of the whole server, and waits; the data stays. */
  kill(): Promise<void>;
}

export interface TestPostgres extends Running {
  /** Superuser `postgres`, with a password. */
  readonly target: PostgresTarget;
  readonly tools: PostgresTools;
  readonly binDir: string;
  readonly dataDir: string;
  /** One statement in a session of its own. */
  query<Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    params?: readonly unknown[],
    database?: string,
  ): Promise<QueryResult<Row>>;
  /** Same port, same data; also after kill(). Settings given here are added to those of the start. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
}

export interface TestRedis extends Running {
  readonly target: RedisTarget;
  readonly port: number;
  /** Working folder of the server: dump.rdb, appendonlydir. */
  readonly folder: string;
  /** Runs redis-cli and gives what it prints, without the last line break. Rejects when it exits other than 0. */
  cli(...args: readonly string[]): Promise<string>;
  restart(): Promise<void>;
}

export interface TestTemporal extends Running {
  readonly address: string;
  /** Same port; the same state too where it has a database file. */
  restart(): Promise<void>;
}

export async function startPostgres(
  options: {
    readonly major?: PostgresMajor;
    readonly settings?: Readonly<Record<string, string>>;
    readonly place?: ServerPlace;
  } = {},
): Promise<TestPostgres> {
  const { binDir } = await resolveTools().postgres(options.major ?? 18);
  const user = await unprivilegedUser();
  if (user === null)
    throw new Error('postgresql does not run as root, and /etc/passwd has neither postgres nor nobody');
  const folder = await privateFolder('postgres');
  const cluster: PostgresCluster = { binDir, folder, password: 'test-password', user };
  await createCluster(cluster, NEVER);
  const { place } = options;
  if (place !== undefined) await admitEverybody(cluster);

  let settings = { ...POSTGRES_TEST_SETTINGS, ...options.settings };
  const command = (port: number): ServerCommand => commandAt(place, cluster, { port, settings });
  const { child: first, port } = await startOnFreePort(command);
  const life = createLife(first, folder);
  const target: PostgresTarget = {
    host: place?.host ?? '127.0.0.1',
    port,
    user: 'postgres',
    password: cluster.password,
    database: 'postgres',
  };
  const tool = (name: string): string => join(binDir, name);
  return {
    ...life,
    get pid() {
      return life.pid;
    },
    target,
    binDir,
    dataDir: join(folder, 'data'),
    tools: {
      pgDump: tool('pg_dump'),
      pgRestore: tool('pg_restore'),
      pgDumpall: tool('pg_dumpall'),
      psql: tool('psql'),
    },
    query: async (sql, params = [], database = 'postgres') => queryOnce(sql, params, { ...target, database }),
    async restart(more = {}) {
      settings = { ...settings, ...more };
      await life.replace(async () => startAgain(command(port)));
    },
  };
}

/** The command of a cluster, on the loopback or where else it runs. */
export function commandAt(
  place: ServerPlace | undefined,
  cluster: PostgresCluster,
  { port, settings }: { readonly port: number; readonly settings: Readonly<Record<string, string>> },
): ServerCommand {
  if (place === undefined) return postgresCommand(cluster, port, settings);
  return place.enter(postgresCommand(cluster, port, { ...settings, listen_addresses: place.host }));
}

/** With the password, also for replication, from wherever the packets come. */
async function admitEverybody({ folder }: PostgresCluster): Promise<void> {
  const lines = ['all', 'replication'].map((database) => `host ${database} all samenet scram-sha-256\n`);
  await appendFile(join(folder, 'data', 'pg_hba.conf'), lines.join(''));
}

export async function startRedis(
  options: { readonly version?: RedisVersion; readonly args?: readonly string[]; readonly password?: string } = {},
): Promise<TestRedis> {
  const { serverPath, cliPath } = await resolveTools().redis(options.version);
  const folder = await privateFolder('redis');
  const configFile = join(folder, 'redis.conf');
  const password = options.password === undefined ? '' : `requirepass ${options.password}\n`;
  await writeFile(configFile, `save ""\nrepl-diskless-sync-delay 0\n${password}`, { mode: 0o600 });
  const command = (port: number): ServerCommand =>
    redisCommand({
      serverPath,
      folder,
      port,
      configFile,
      ...(options.args === undefined ? {} : { args: options.args }),
    });

  const { child: first, port } = await startOnFreePort(command);
  const life = createLife(first, folder);
  return {
    ...life,
    get pid() {
      return life.pid;
    },
    port,
    folder,
    target: { host: '127.0.0.1', port, ...(options.password === undefined ? {} : { password: options.password }) },
    async cli(...args) {
      const { stdout, exit } = await runChild({
        name: 'redis-cli',
        command: cliPath,
        args: ['-h', '127.0.0.1', '-p', String(port), ...args],
        env: options.password === undefined ? {} : { REDISCLI_AUTH: options.password },
        signal: NEVER,
      });
      if (exit.code !== 0) throw new Error(`redis-cli ${args[0]}: exit ${exit.code}: ${exit.stderrTail}`);
      return stdout.replace(/\n$/, '');
    },
    restart: async () => life.replace(async () => startGuarded(command(port))),
  };
}

/** A Temporal dev server with the project's search attributes; state in memory unless `dbFilename` is given. */
export async function startTemporal(options: { readonly dbFilename?: string } = {}): Promise<TestTemporal> {
  const cliPath = await resolveTools().temporalCli();
  const folder = await privateFolder('temporal');
  const command = (port: number): ServerCommand =>
    temporalCommand({
      cliPath,
      port,
      folder,
      ...(options.dbFilename === undefined ? {} : { databaseFile: options.dbFilename }),
    });
  const { child: first, port } = await startOnFreePort(command);
  const life = createLife(first, folder);
  return {
    ...life,
    get pid() {
      return life.pid;
    },
    address: `127.0.0.1:${port}`,
    restart: async () => life.replace(async () => startGuarded(command(port))),
  };
}

/** Somebody may take a free port between looking and binding: then look again. */
async function startOnFreePort(command: (port: number) => ServerCommand): Promise<{ child: Child; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { child: await startGuarded(command(port)), port };
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

const RESTART_ATTEMPTS = 20;
const RESTART_PAUSE_MS = 200;

/** After kill -9 of a postmaster its backends hold the shared memory until they notice; a start is refused until then. */
async function startAgain(command: ServerCommand): Promise<Child> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startGuarded(command);
    } catch (error) {
      if (attempt === RESTART_ATTEMPTS) throw error;
      await delay(RESTART_PAUSE_MS);
    }
  }
}

function createLife(first: Child, folder: string): Running & { replace(start: () => Promise<Child>): Promise<void> } {
  let child = first;
  return {
    get pid() {
      return child.pid;
    },
    async stop() {
      await child.end();
      await rm(folder, { recursive: true, force: true });
    },
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
    async replace(start) {
      await child.end();
      child = await start();
    },
  };
}

async function queryOnce<Row extends QueryResultRow>(
  sql: string,
  params: readonly unknown[],
  target: PostgresTarget,
): Promise<QueryResult<Row>> {
  const client = new Client({ ...target, ssl: false });
  await client.connect();
  try {
    return await client.query<Row>(sql, [...params]);
  } finally {
    await client.end();
  }
}

/** A 0700 folder that the account of the servers owns. */
async function privateFolder(name: string): Promise<string> {
  const user = name === 'postgres' ? ((await unprivilegedUser()) ?? undefined) : undefined;
  const parent = await temporaryPlace(user);
  const folder = await mkdtemp(join(parent, `lifeboat-test-${name}-`));
  await chmod(folder, 0o700);
  if (user) await chown(folder, user.uid, user.gid);
  return folder;
}
