/**
 * Where the programs of the test servers are: provisioned by `npm test` into .lifeboat, or on PATH. Nothing is
 * downloaded here.
 */
import { access } from 'node:fs/promises';
import { defaultStateDir } from '../../src/embedded/places.ts';
import type { PythonProgram } from '../../src/embedded/provision-moto.ts';
import { createToolbox, type RedisPrograms } from '../../src/embedded/toolbox.ts';
import { runChild } from '../../src/platform/child-process.ts';

export type PostgresMajor = 15 | 16 | 17 | 18;
export type RedisVersion = '6.2' | '7';
const POSTGRES = { 'postgres 15': 15, 'postgres 16': 16, 'postgres 17': 17, 'postgres 18': 18 } as const;

export type Need = keyof typeof POSTGRES | `redis ${RedisVersion}` | 'redis' | 'temporal' | 's3' | 'kms' | 'versitygw';

/** Each rejects with the reason when the program cannot be had. */
export interface TestTools {
  postgres(major: PostgresMajor): Promise<{ readonly binDir: string }>;
  /** Without a version: the best there is. */
  redis(version?: RedisVersion): Promise<RedisPrograms>;
  temporalCli(): Promise<string>;
  /** `weed` of SeaweedFS. */
  s3Server(): Promise<string>;
  /** moto's server. */
  kmsServer(): Promise<PythonProgram>;
  versitygw(): Promise<string>;
}

export const PROVISIONED_STATE_DIR = defaultStateDir();

/** Debian's own place; no pinned build of PostgreSQL 15 exists. */
const DEBIAN_POSTGRES_15 = '/usr/lib/postgresql/15/bin';

/** The one place that knows where test servers come from. */
export function resolveTools(): TestTools {
  const signal = new AbortController().signal;
  const toolbox = createToolbox({ stateDir: PROVISIONED_STATE_DIR, signal, onPhase: () => undefined, download: false });
  return {
    async postgres(major) {
      if (major !== 15) return { binDir: await toolbox.pinnedPostgresBinDir(major) };
      await access(DEBIAN_POSTGRES_15);
      return { binDir: DEBIAN_POSTGRES_15 };
    },
    async redis(version) {
      if (version === '6.2') return toolbox.pinnedRedis();
      const programs = await toolbox.redis();
      if (version === '7') await requireRedis7(programs.serverPath);
      return programs;
    },
    temporalCli: async () => toolbox.temporalCli(),
    s3Server: async () => toolbox.pinnedS3Server(),
    kmsServer: async () => toolbox.pinnedKmsServer(),
    versitygw: async () => toolbox.pinnedVersitygw(),
  };
}

async function requireRedis7(serverPath: string): Promise<void> {
  const signal = new AbortController().signal;
  const { stdout } = await runChild({ name: 'redis-server', command: serverPath, args: ['--version'], signal });
  const version = /v=(\S+)/.exec(stdout)?.[1] ?? 'an unknown version';
  if (Number.parseInt(version, 10) < 7) throw new Error(`${serverPath} is ${version}, not 7 or newer`);
}

/** What is built on the machine, which may lack what it takes: skipped with CI=true as well. */
const OPTIONAL: readonly Need[] = ['versitygw'];

/**
 * `describe` where everything named can be had. Otherwise the tests are skipped with the reason in their title, and with
 * CI=true the file fails, unless only optional ones lack: a server that is missing there is a defect.
 */
export async function whenAvailable(...needs: readonly Need[]): Promise<(name: string, tests: () => void) => void> {
  const missing = await Promise.all(needs.map(async (need) => ({ need, reason: await missingReason(need) })));
  const reasons = missing.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  if (reasons.length === 0) return describe;
  const isDefect = missing.some(({ need, reason }) => reason !== undefined && !OPTIONAL.includes(need));
  if (process.env['CI'] === 'true' && isDefect) throw new Error(`servers are missing: ${reasons.join('; ')}`);
  return (name, tests) => describe.skip(`${name} (skipped: ${reasons.join('; ')})`, tests);
}

async function missingReason(need: Need): Promise<string | undefined> {
  return find(need).then(
    () => undefined,
    (error: unknown) => `${need}: ${error instanceof Error ? error.message : String(error)}`,
  );
}

async function find(need: Need): Promise<unknown> {
  const tools = resolveTools();
  if (need === 'temporal') return tools.temporalCli();
  if (need === 's3') return tools.s3Server();
  if (need === 'kms') return tools.kmsServer();
  if (need === 'versitygw') return tools.versitygw();
  if (need === 'redis') return tools.redis();
  if (need === 'redis 6.2') return tools.redis('6.2');
  if (need === 'redis 7') return tools.redis('7');
  return tools.postgres(POSTGRES[need]);
}
