import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../platform/files.ts';
import { freePortNear, withPorts } from '../platform/ports.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import type { PostgresTarget } from '../postgres/postgres.ts';
import type { RedisTarget } from '../redis/redis.ts';
import { startGuarded, type ServerCommand } from './local-server.ts';
import { serverPlace } from './places.ts';
import { createCluster, postgresCommand, type PostgresCluster } from './postgres-server.ts';
import { redisCommand } from './redis-server.ts';
import type { Toolbox } from './toolbox.ts';

/** A PostgreSQL and a Redis on this machine for trying things out: loopback only, with generated passwords. */
export interface LocalDatabases {
  readonly postgres: PostgresTarget;
  readonly redis: RedisTarget;
}

export interface DemoServerOptions {
  readonly stateDir: string;
  readonly toolbox: Toolbox;
  readonly signal: AbortSignal;
  /** The port of an earlier start; by default a free one beside the usual one, which a real server may hold. */
  readonly port?: number | undefined;
}

const FIRST_POSTGRES_PORT = 54320;
const FIRST_REDIS_PORT = 63790;
const PASSWORD_BYTES = 18;

/**
 * Starts both as children that end with this process; data and passwords are kept for the next time.
 * Throws what provisioning throws, and SERVER_NOT_STARTED.
 */
export async function startDatabases(
  options: Omit<DemoServerOptions, 'port'>,
): Promise<LocalDatabases & { stop(): Promise<void> }> {
  // Downloads and initdb happen before ports are looked for: others may have to wait for those.
  await Promise.all([demoPostgres(options), options.toolbox.redis()]);
  return withPorts(async () => {
    const [postgres, redis] = await Promise.all([demoPostgres(options), demoRedis(options)]);
    const first = await startGuarded(postgres.command);
    const second = await startGuarded(redis.command).catch(async (error: unknown) => {
      await first.end();
      throw error;
    });
    return {
      postgres: postgres.target,
      redis: redis.target,
      async stop() {
        await Promise.all([first.end(), second.end()]);
      },
    };
  });
}

/** Makes the cluster where it is missing; gives the command that runs it and the way in. */
export async function demoPostgres(
  options: DemoServerOptions,
): Promise<{ command: ServerCommand; target: PostgresTarget }> {
  const binDir = await options.toolbox.postgresBinDir();
  const place = await serverPlace(options.stateDir);
  const folder = join(place.folder, 'demo', 'postgres');
  const password = await keptPassword(options.stateDir, 'postgres');
  const cluster: PostgresCluster = { binDir, folder, password, user: place.user };
  const isMade = await access(join(folder, 'data', 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (!isMade) await createCluster(cluster, options.signal);
  const port = options.port ?? (await freePortNear(FIRST_POSTGRES_PORT));
  const command = postgresCommand(cluster, port, { wal_level: 'replica', max_wal_senders: '10' });
  return { command, target: { host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' } };
}

/** Gives the command that runs the demo Redis and the way in; it keeps its keys in an append-only file, and lets no replica wait. */
export async function demoRedis(options: DemoServerOptions): Promise<{ command: ServerCommand; target: RedisTarget }> {
  const { serverPath } = await options.toolbox.redis();
  const folder = join(options.stateDir, 'demo', 'redis');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const password = await keptPassword(options.stateDir, 'redis');
  const port = options.port ?? (await freePortNear(FIRST_REDIS_PORT));
  const configFile = join(folder, 'redis.conf');
  await writeFileAtomic(configFile, `requirepass ${password}\nappendonly yes\nrepl-diskless-sync-delay 0\n`);
  return {
    command: redisCommand({ serverPath, folder, port, configFile }),
    target: { host: '127.0.0.1', port, password },
  };
}

async function keptPassword(stateDir: string, name: string): Promise<string> {
  const folder = join(stateDir, 'demo');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.password`);
  await writeFile(file, randomBytes(PASSWORD_BYTES).toString('base64url'), { flag: 'wx', mode: 0o600 }).catch(
    (error: unknown) => {
      // It was made on an earlier start; the cluster knows that one.
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    },
  );
  return readFile(file, 'utf8');
}
