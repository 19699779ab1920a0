/** Servers that a person starts on what a restore has left: by their own programs, with the configuration that is there. */
import { join } from 'node:path';
import { startGuarded } from '../../../src/embedded/local-server.ts';
import { postgresCommand } from '../../../src/embedded/postgres-server.ts';
import { redisCommand } from '../../../src/embedded/redis-server.ts';
import { freePort } from '../../../src/platform/ports.ts';
import { unprivilegedUser } from '../../../src/platform/unprivileged-user.ts';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';
import { fingerprintPostgres, type Fingerprint } from '../../support/product/fingerprint-postgres.ts';
import { fingerprintRedis } from '../../support/product/fingerprint-redis.ts';
import type { Product } from '../../support/product.ts';
import { resolveTools, type RedisVersion } from '../../support/tools.ts';

export interface StartedPostgres {
  readonly target: PostgresTarget;
  fingerprint(database: string): Promise<Fingerprint>;
  stop(): Promise<void>;
}

/** `postgres -D <directory>`, on another port; nothing else is set but where its socket is. */
export async function startPostgresOn({ postgres }: Product, directory: string): Promise<StartedPostgres> {
  const port = await freePort();
  const password = postgres.target.password ?? '';
  const user = (await unprivilegedUser()) ?? undefined;
  const command = postgresCommand({ binDir: postgres.binDir, folder: directory, password, user }, port, {});
  // The command is for a cluster of our own layout: `data` below its folder.
  const args = command.args?.map((arg) => (arg === join(directory, 'data') ? directory : arg)) ?? [];
  const child = await startGuarded({ ...command, args });
  const target = { ...postgres.target, port };
  return {
    target,
    fingerprint: async (database) => fingerprintPostgres({ target }, database),
    stop: async () => void (await child.end()),
  };
}

/** `redis-server <directory>/redis.conf`, on another port. */
export async function startRedisOn(
  directory: string,
  version: RedisVersion,
): Promise<{ fingerprint(): Promise<Fingerprint>; stop(): Promise<void> }> {
  const { serverPath } = await resolveTools().redis(version);
  const port = await freePort();
  const configFile = join(directory, 'redis.conf');
  const { isReady } = redisCommand({ serverPath, folder: directory, port, configFile });
  const args = [configFile, '--port', String(port)];
  const child = await startGuarded({ name: 'redis-server', command: serverPath, args, cwd: '/', isReady });
  const target = { host: '127.0.0.1', port };
  return {
    fingerprint: async () => fingerprintRedis({ target }),
    stop: async () => void (await child.end()),
  };
}

/** All that is in both. */
export async function readDirectory(
  product: Product,
  directory: string,
  redisVersion: RedisVersion,
): Promise<Fingerprint> {
  const postgres = await startPostgresOn(product, join(directory, 'postgres'));
  try {
    const redis = await startRedisOn(join(directory, 'redis'), redisVersion);
    try {
      return { ...(await postgres.fingerprint(product.database)), ...(await redis.fingerprint()) };
    } finally {
      await redis.stop();
    }
  } finally {
    await postgres.stop();
  }
}
