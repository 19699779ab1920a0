import { join } from 'node:path';
import { writeFileAtomic } from '../platform/files.ts';
import type { LocalDatabases } from './databases.ts';
import { DEMO_DATABASE, seedPostgres } from './demo-data/seed-postgres.ts';
import { seedRedis } from './demo-data/seed-redis.ts';
import { ensureDatabases } from './stack.ts';
import { NO_PROFILE_FILE } from './temporal-server.ts';

const DEFAULT_SEED = 1;

export interface SeedOptions {
  readonly databases: LocalDatabases;
  readonly signal: AbortSignal;
  /** Told what is done, one line each. */
  readonly onPhase: (line: string) => void;
  /** The same seed gives the same rows and values. */
  readonly seed?: number;
}

/**
 * Fills both servers with generated data of an authentication backend, where they do not have it yet: users, roles, refresh
 * tokens and audit events; sessions, rate limits, devices and an event stream.
 */
export async function seedDatabases({ databases, signal, onPhase, seed = DEFAULT_SEED }: SeedOptions): Promise<void> {
  const startedAt = Date.now();
  const made = await Promise.all([
    seedPostgres(databases.postgres, seed, signal),
    seedRedis(databases.redis, seed, signal),
  ]);
  if (made.includes(true)) onPhase(`generated data in ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
}

/** DATABASE_URL and REDIS_URL of the seeded databases; they hold passwords. */
export function databaseVariables({ postgres, redis }: LocalDatabases): Record<string, string> {
  const { user, password = '', host, port } = postgres;
  return {
    DATABASE_URL: `postgres://${user}:${password}@${host}:${port}/${DEMO_DATABASE}`,
    REDIS_URL: `redis://:${redis.password ?? ''}@${redis.host}:${redis.port}`,
  };
}

/**
 * Starts a PostgreSQL and a Redis in the background, fills them when they are empty, and writes a file (0600) that a shell can
 * source to point Lifeboat at them.
 */
export async function startSeededDatabases(options: {
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly onPhase: (line: string) => void;
}): Promise<{ environmentFile: string }> {
  const databases = await ensureDatabases(options);
  await seedDatabases({ ...options, databases });
  const environmentFile = join(options.stateDir, 'demo', 'environment');
  await writeEnvironmentFile(environmentFile, databaseVariables(databases));
  // The variables hold passwords: whoever wants them reads the file.
  return { environmentFile };
}

/** What would lead away from the local stack, which holds the worker for these databases. */
const OWN_STACK = `unset TEMPORAL_ADDRESS TEMPORAL_PROFILE\nexport TEMPORAL_CONFIG_FILE='${NO_PROFILE_FILE}'\n`;

/** A file for `source`; mode 0600. */
export async function writeEnvironmentFile(file: string, variables: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(variables).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`,
  );
  await writeFileAtomic(file, `${lines.join('')}${OWN_STACK}`);
}
