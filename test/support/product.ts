/**
 * The whole product as a person runs it, private to one test file: PostgreSQL, Redis and Temporal, a worker and the command
 * line as processes of their own, a configuration by environment, a store in a folder.
 */
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBackupManager, type BackupManager } from '../../src/client/backup-manager.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { Client } from '@temporalio/client';
import { fingerprintPostgres, type Fingerprint } from './product/fingerprint-postgres.ts';
import { fingerprintRedis } from './product/fingerprint-redis.ts';
import { runCli, type CliResult } from './product/run-cli.ts';
import { DATABASE, quote, seedPostgres, type PostgresSeed } from './product/seed-postgres.ts';
import { seedRedis, type RedisSeed } from './product/seed-redis.ts';
import { createWarmCli } from './product/warm-cli.ts';
import { createWorkerProcess, type WorkerProcess } from './product/worker-process.ts';
import { openRedis } from './product/redis-client.ts';
import {
  startPostgres,
  startRedis,
  startTemporal,
  type TestPostgres,
  type TestRedis,
  type TestTemporal,
} from './servers.ts';
import { PROVISIONED_STATE_DIR, type PostgresMajor, type RedisVersion } from './tools.ts';

export type { CliResult } from './product/run-cli.ts';
export type { Fingerprint } from './product/fingerprint-postgres.ts';

export interface ProductOptions {
  readonly postgresMajor?: PostgresMajor;
  readonly redisVersion?: RedisVersion;
  readonly redisPassword?: string;
  /** Servers that several products share: each has a database, a Redis, a group and a worker of its own. */
  readonly shared?: { readonly postgres: TestPostgres; readonly temporal: TestTemporal };
  /** Recovery group, and name of the database where the PostgreSQL server is shared. */
  readonly group?: string;
  readonly encrypted?: boolean;
  /** Added to the environment of the worker and of the command line; wins. */
  readonly env?:
    | Readonly<Record<string, string>>
    | ((base: Readonly<Record<string, string>>) => Readonly<Record<string, string>>);
  /** Added to the environment of the first worker only. */
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** Modules that are loaded before the worker. */
  readonly preload?: readonly string[];
  /** config/backup.json of the product's folder. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly seed?: (PostgresSeed & RedisSeed) | 'none';
  /** Puts something between the product and its databases: gives the port to use instead. */
  readonly via?: (name: 'postgres' | 'redis', port: number) => Promise<number>;
}

export interface Product {
  /** Working folder of the command line and the worker. */
  readonly folder: string;
  /** The store. */
  readonly store: string;
  readonly database: string;
  readonly group: string;
  readonly postgres: TestPostgres;
  readonly redis: TestRedis;
  readonly temporal: TestTemporal;
  readonly worker: WorkerProcess;
  readonly client: Client;
  readonly manager: BackupManager;
  /** Environment of the command line and of the worker. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `lifeboat … --json` in the folder: in a process of its own the first time, and wherever `env` is given. */
  cli(args: readonly string[], options?: { readonly env?: Readonly<Record<string, string>> }): Promise<CliResult>;
  /** As `cli`, and throws with all it printed where it exits other than 0. */
  succeed(...args: readonly string[]): Promise<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any
  /** Everything in both databases; `database` another one than the product's. */
  fingerprint(database?: string): Promise<Fingerprint>;
  /** Connects the client and manager anew, after Temporal was restarted. */
  reconnect(): Promise<void>;
  /** Drops the database and empties Redis. */
  destroy(): Promise<void>;
  /** Changes data in both: rows, a table, keys, an expiry. */
  spoil(): Promise<void>;
  /** Keys of all objects in the store, sorted. */
  storedKeys(): Promise<string[]>;
  /** Databases of the server that a restore loads or has replaced. */
  strayDatabases(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-product-'));
  const started: (() => Promise<void>)[] = [async () => rm(folder, { recursive: true, force: true })];
  try {
    return await assemble(options, folder, started);
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

async function stopAll(started: (() => Promise<void>)[]): Promise<void> {
  for (const stop of started.splice(0).toReversed()) await stop();
}

/** Starts the parts; each adds how it ends to `started`. */
async function assemble(options: ProductOptions, folder: string, started: (() => Promise<void>)[]): Promise<Product> {
  const ending = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    started.push(async () => part.stop());
    return part;
  };
  const group = options.group ?? 'default';
  const database = options.shared === undefined ? DATABASE : `${DATABASE}_${group.replaceAll('-', '_')}`;
  const [postgres, redis, temporal] = await Promise.all([
    options.shared?.postgres ?? ending(startPostgres({ major: options.postgresMajor ?? 18 })),
    ending(
      startRedis({
        ...(options.redisVersion === undefined ? {} : { version: options.redisVersion }),
        ...(options.redisPassword === undefined ? {} : { password: options.redisPassword }),
      }),
    ),
    options.shared?.temporal ?? ending(startTemporal({ dbFilename: join(folder, 'temporal.db') })),
  ]);
  const store = join(folder, 'store');
  await prepareHome(folder);
  const env = await environment(options, { folder, store, group, database, postgres, redis, temporal });
  if (options.config !== undefined) {
    await mkdir(join(folder, 'config'));
    await writeFile(join(folder, 'config', 'backup.json'), JSON.stringify(options.config));
  }
  const warm = createWarmCli({ cwd: folder, env });
  started.push(async () => warm.stop());
  // The first one, and one with an environment of its own, is a process of its own.
  let runs = 0;
  const cli = async (
    args: readonly string[],
    more: { readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<CliResult> =>
    (runs += 1) > 1 && more.env === undefined
      ? warm.run(args)
      : runCli({ args, cwd: folder, env: { ...env, ...more.env } });
  if (options.encrypted === true) requireSuccess(['key', 'generate'], await cli(['key', 'generate']));
  if (options.seed !== 'none') {
    await Promise.all([seedPostgres(postgres, database, options.seed), seedRedis(redis, options.seed)]);
  }
  const worker = createWorkerProcess({
    cwd: folder,
    env,
    ...(options.preload === undefined ? {} : { preload: options.preload }),
  });
  started.push(async () => worker.stop());
  await worker.start(options.workerEnv);
  let connected = await connect(temporal, group);
  started.push(async () => connected.close().catch(() => undefined));
  return {
    folder,
    store,
    database,
    group,
    postgres,
    redis,
    temporal,
    worker,
    env,
    get client() {
      return connected.client;
    },
    get manager() {
      return connected.manager;
    },
    cli,
    succeed: async (...args) => requireSuccess(args, await cli(args)),
    fingerprint: async (other = database) => ({
      ...(await fingerprintPostgres(postgres, other)),
      ...(await fingerprintRedis(redis)),
    }),
    async reconnect() {
      await connected.close().catch(() => undefined);
      connected = await connect(temporal, group);
    },
    async destroy() {
      await Promise.all([postgres.query(`DROP DATABASE ${quote(database)} WITH (FORCE)`), emptyRedis(redis)]);
    },
    async spoil() {
      await Promise.all([spoilPostgres(postgres, database), spoilRedis(redis)]);
    },
    storedKeys: async () => listFiles(store),
    async strayDatabases() {
      const sql = 'SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY 1';
      const { rows } = await postgres.query<{ datname: string }>(sql, [`${database}__`]);
      return rows.map(({ datname }) => datname);
    },
    stop: async () => stopAll(started),
  };
}

/** Programs of the project and the workflow bundle, which is named after its sources, are shared; the rest is private. */
async function prepareHome(folder: string): Promise<void> {
  const home = join(folder, 'home');
  // As root, programs below a folder that the account of PostgreSQL cannot enter are not looked for.
  await chmod(folder, 0o711);
  const bundles = join(tmpdir(), `lifeboat-test-workflows-${process.getuid?.() ?? 0}`);
  await Promise.all([mkdir(home, { mode: 0o711 }), mkdir(bundles, { recursive: true, mode: 0o700 })]);
  await symlink(join(PROVISIONED_STATE_DIR, 'tools'), join(home, 'tools'));
  await symlink(bundles, join(home, 'workflows'));
}

interface Places extends Pick<Product, 'folder' | 'store' | 'group' | 'database' | 'postgres' | 'redis' | 'temporal'> {}

async function environment(options: ProductOptions, places: Places): Promise<Record<string, string>> {
  const { folder, store, group, database, postgres, redis, temporal } = places;
  const via = options.via ?? (async (_name: string, port: number): Promise<number> => port);
  const { user, password, port } = postgres.target;
  const login = redis.target.password === undefined ? '' : `:${encodeURIComponent(redis.target.password)}@`;
  const base = {
    DATABASE_URL: `postgres://${user}:${encodeURIComponent(password ?? '')}@127.0.0.1:${await via('postgres', port)}/${database}?sslmode=disable`,
    REDIS_URL: `redis://${login}127.0.0.1:${await via('redis', redis.port)}`,
    BACKUP_PATH: store,
    LIFEBOAT_HOME: join(folder, 'home'),
    LIFEBOAT_GROUP: group,
    TEMPORAL_ADDRESS: temporal.address,
    LIFEBOAT_SIGNING_KEY_PATH: join(folder, 'keys', 'signing.key'),
    BACKUP_ENCRYPTION_KEY_PATH: join(folder, 'keys', 'encryption.key'),
    ...(options.encrypted === true ? { BACKUP_ENCRYPTION_ENABLED: 'true' } : {}),
    LIFEBOAT_LOG_PATH: join(folder, 'logs', 'worker.log'),
    // At every half hour the servers would be asked, and an object written, in the middle of what a test compares.
    LIFEBOAT_EVALUATE_PLANS_EVERY: '0s',
  };
  return { ...base, ...(typeof options.env === 'function' ? options.env(base) : options.env) };
}

async function connect(
  temporal: TestTemporal,
  group: string,
): Promise<{ client: Client; manager: BackupManager; close(): Promise<void> }> {
  const { client, close } = await connectPatiently(temporal.address);
  return { client, manager: createBackupManager({ client, group, requestedBy: 'test@here' }), close };
}

/** A server that has started may yet be slower with its first answer than an operator has to accept, where many start at once. */
async function connectPatiently(address: string, attempts = 3): ReturnType<typeof connectClient> {
  try {
    return await connectClient({ address }, 'test');
  } catch (error) {
    if (attempts === 1) throw error;
    return connectPatiently(address, attempts - 1);
  }
}

function requireSuccess(args: readonly string[], { exit, json, stdout, stderr }: CliResult): Record<string, unknown> {
  if (exit === 0) return json;
  throw new Error(`lifeboat ${args.join(' ')}: exit ${exit}\n${stdout}\n${stderr}`);
}

async function emptyRedis(server: TestRedis): Promise<void> {
  const redis = await openRedis(server.target);
  try {
    await redis.flushall();
    // Redis 6.2 knows no functions.
    await redis.call('FUNCTION', 'FLUSH').catch(() => undefined);
  } finally {
    redis.disconnect();
  }
}

async function spoilPostgres(postgres: TestPostgres, database: string): Promise<void> {
  const sql = `DROP TABLE tokens CASCADE; UPDATE users SET email = 'stolen' || id; DELETE FROM users WHERE id % 3 = 0;
    CREATE TABLE intruder (id int); SELECT nextval('"ticket No"'); REVOKE SELECT ON users FROM app_reader; SELECT lo_unlink(900001)`;
  await postgres.query(sql, [], database);
}

async function spoilRedis(server: TestRedis): Promise<void> {
  const redis = await openRedis(server.target);
  try {
    await redis.set('session:1', 'stolen');
    await redis.del('set:words', 'stream');
    await redis.persist('session:2');
    await redis.set('intruder', 'here');
    await redis.select(5);
    await redis.set('intruder', 'in a database of its own');
  } finally {
    redis.disconnect();
  }
}

/** Files below a folder, relative and sorted; a folder that is not there holds none. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
