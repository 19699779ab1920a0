/**
 * Goal: what stands in the way of a backup is told with its code, a hint and the right exit code, and leaves nothing behind.
 * Method: a group for each trouble, all at once on shared servers, since patient retries are most of the time.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../../src/platform/ports.ts';
import { openLanes, type Lanes } from '../support/product/lanes.ts';
import { listFiles, type CliResult, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const run = promisify(execFile);
const describeTroubles = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const isRoot = process.getuid?.() === 0;

interface Told {
  readonly exit: number | null;
  readonly error: Record<string, unknown>;
  /** Files of the store afterwards, without what belongs to the store as a whole. */
  readonly left: readonly string[];
  readonly listed: number;
}

interface Trouble {
  readonly env?: (lanes: Lanes, folder: string) => Promise<Record<string, string>>;
  readonly redisUrl?: (right: string) => string;
  readonly args?: readonly string[];
  /** Before the backup is started; gives what puts it right again. */
  readonly prepare?: (store: string, product: Product) => Promise<() => Promise<void>>;
  readonly seed?: { readonly ballastMb: number };
}

/** The store is a mount of its own: bytes run out, or nothing can be written. */
async function mountTmpfs(store: string, options: string): Promise<void> {
  await mkdir(store, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', store]);
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  'wrong-postgres-password': {
    env: async ({ postgres }) => ({
      DATABASE_URL: `postgres://postgres:wrong@127.0.0.1:${postgres.target.port}/postgres`,
    }),
  },
  'wrong-redis-password': { redisUrl: (right) => right.replace(':right@', ':wrong@') },
  'missing-database': {
    env: async ({ postgres }) => ({
      DATABASE_URL: `postgres://postgres:${postgres.target.password}@127.0.0.1:${postgres.target.port}/nowhere`,
    }),
  },
  'locked-table': {
    seed: { ballastMb: 0 },
    async prepare(_store, product) {
      const blocker = new Client({ ...product.postgres.target, ssl: false, database: product.database });
      await blocker.connect();
      await blocker.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
      return async () => blocker.end();
    },
  },
  'missing-tool': {
    env: async (_lanes, folder) => {
      await mkdir(join(folder, 'empty'));
      // What is on PATH would be taken instead.
      return { LIFEBOAT_POSTGRES_BIN_DIR: join(folder, 'empty'), PATH: dirname(process.execPath) };
    },
  },
  'no-postgres': { env: async () => ({ DATABASE_URL: `postgres://postgres@127.0.0.1:${await freePort()}/auth` }) },
  'no-redis': { env: async () => ({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }) },
  'missing-key': {
    env: async (_lanes, folder) => ({
      BACKUP_ENCRYPTION_ENABLED: 'true',
      BACKUP_ENCRYPTION_KEY_PATH: join(folder, 'no.key'),
    }),
  },
  'read-only-store': {
    async prepare(store) {
      if (!isRoot) {
        await mkdir(store, { mode: 0o500 });
        return async () => chmod(store, 0o700);
      }
      await mountTmpfs(store, 'size=1m,ro');
      return async () => void (await run('umount', [store]));
    },
  },
  ...(isRoot
    ? {
        'full-disk': {
          seed: { ballastMb: 12 },
          async prepare(store: string) {
            await mountTmpfs(store, 'size=6m');
            return async () => void (await run('umount', [store]));
          },
        },
      }
    : {}),
};

async function meet(lanes: Lanes, name: string): Promise<Told> {
  const { env, args = [], prepare, seed, redisUrl } = TROUBLES[name]!;
  const scratch = await mkdtemp(join(tmpdir(), 'lifeboat-trouble-'));
  const more = await env?.(lanes, scratch);
  const product = await lanes.open(name, {
    seed: seed ?? 'none',
    redisPassword: 'right',
    env: (base) => ({
      BACKUP_PATH: join(scratch, 'store'),
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl(base['REDIS_URL']!) }),
      ...more,
    }),
  });
  if (seed === undefined) await lanes.postgres.query(`CREATE DATABASE "${product.database}"`);
  const store = join(scratch, 'store');
  const putRight = await prepare?.(store, product);
  try {
    const { exit, json }: CliResult = await product.cli(['backup', 'full', ...args]);
    const left = (await listFiles(store)).filter((key) => key !== 'lifeboat.json');
    const list = await product.cli(['backup', 'list']);
    return { exit, error: json['error'] ?? {}, left, listed: list.json['backups']?.length ?? 0 };
  } finally {
    await putRight?.();
    await product.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

describeTroubles('a backup that cannot be taken', () => {
  let lanes: Lanes;
  const told: Record<string, Promise<Told>> = {};

  beforeAll(async () => {
    lanes = await openLanes();
    for (const name of Object.keys(TROUBLES)) told[name] = meet(lanes, name);
    await Promise.allSettled(Object.values(told));
  }, 240_000);
  afterAll(async () => lanes?.stop());

  test.each<[string, number, string, RegExp]>([
    ['wrong-postgres-password', 7, 'POSTGRES_AUTH_FAILED', /password/],
    ['wrong-redis-password', 8, 'REDIS_AUTH_FAILED', /password/],
    ['missing-database', 5, 'POSTGRES_DATABASE_MISSING', /psql -l/],
    ['locked-table', 1, 'POSTGRES_LOCK_TIMEOUT', /pg_terminate_backend/],
    ['missing-tool', 2, 'POSTGRES_TOOL_MISSING', /binDir/],
    ['no-postgres', 7, 'POSTGRES_UNREACHABLE', /server up/],
    ['no-redis', 7, 'REDIS_UNREACHABLE', /REDIS_URL/],
    ['missing-key', 2, 'KEY_FILE_MISSING', /key generate/],
    ['read-only-store', 8, 'STORE_READ_ONLY', /read-write/],
  ])('%s: exit %i, %s, with a hint', async (name, exit, code, hint) => {
    const { error, ...rest } = await told[name]!;
    expect({ ...rest, code: error['code'] }).toEqual({ exit, code, left: [], listed: 0 });
    expect(error['hint']).toMatch(hint);
    expect(JSON.stringify(error)).not.toMatch(/:(wrong|right)@/);
  });

  (isRoot ? test : test.skip)('full-disk (needs root for its tmpfs): exit 1, STORE_FULL, with a hint', async () => {
    const { error, ...rest } = await told['full-disk']!;
    expect({ ...rest, code: error['code'] }).toEqual({ exit: 1, code: 'STORE_FULL', left: [], listed: 0 });
    expect(error['hint']).toMatch(/cleanup --dry-run/);
  });
});
