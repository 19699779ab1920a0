/** States of both databases at an instant, made by the libraries beside the product: nothing live is involved. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client as Session } from 'pg';
import { Client } from 'pg';
import type { Redis } from 'ioredis';
import type { Dependencies } from '../../../src/activities/dependencies.ts';
import { findRedisCut } from '../../../src/activities/replay/replay-redis.ts';
import { unpackPostgres } from '../../../src/activities/replay/unpack-postgres.ts';
import { openLibraries } from '../../../src/assembly/libraries.ts';
import { codecOf } from '../../../src/assembly/open-repository.ts';
import { alertSettings } from '../../../src/config/alert-settings.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { postgresTarget } from '../../../src/config/postgres-target.ts';
import { redisTarget, redisTargetAt } from '../../../src/config/redis-target.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import { readRecoveryCatalog } from '../../../src/recovery/read-catalog.ts';
import { openRedisReplay } from '../../../src/recovery/replay/open-redis-replay.ts';
import { recoveryWindow, type RecoveryWindow } from '../../../src/domain/recovery-window.ts';
import { isRefused, resolveTarget } from '../../../src/domain/resolve-target.ts';
import type { ReplayPlan } from '../../../src/domain/replay.ts';
import { temporaryPlace } from '../../../src/embedded/places.ts';
import { unprivilegedUser } from '../../../src/platform/unprivileged-user.ts';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';
import { RESTORE_FROM_FOLDER } from '../../../src/postgres/scratch/prepare-directory.ts';
import { startScratch } from '../../../src/postgres/scratch/start-scratch.ts';
import type { RedisTarget } from '../../../src/redis/redis.ts';
import { startScratchRedis } from '../../../src/redis/scratch/scratch-redis.ts';
import { openRedis } from '../../support/product/redis-client.ts';
import type { Product } from '../../support/product.ts';
import { PROVISIONED_STATE_DIR, resolveTools } from '../../support/tools.ts';

const operation: Operation = { signal: new AbortController().signal, onProgress: () => undefined };

export interface Copies {
  readonly deps: Dependencies;
  window(): Promise<RecoveryWindow>;
  /** PostgreSQL as it was at the instant, open for `look`; removed afterwards. */
  postgresAt<T>(atMs: number, look: (session: Session, target: PostgresTarget) => Promise<T>): Promise<T>;
  redisAt<T>(atMs: number, look: (redis: Redis, target: RedisTarget) => Promise<T>): Promise<T>;
}

export function openCopies(product: Product): Copies {
  const deps = dependenciesOf(product);
  const window = async (): Promise<RecoveryWindow> =>
    recoveryWindow(await readRecoveryCatalog(await deps.repository(), ['postgres', 'redis'], operation));
  const partFor = async <K extends keyof ReplayPlan>(kind: K, atMs: number): Promise<NonNullable<ReplayPlan[K]>> => {
    const all = recoveryWindow(await readRecoveryCatalog(await deps.repository(), [kind], operation));
    const plan = resolveTarget(all, { atMs });
    if (isRefused(plan)) throw new Error(`${kind}: ${plan.message}`);
    return plan[kind]!;
  };
  return {
    deps,
    window,
    async postgresAt(atMs, look) {
      const folder = await serverFolder();
      try {
        const replay = await partFor('postgres', atMs);
        const unpacked = await unpackPostgres(deps, { replay, directory: join(folder, 'data') }, operation);
        const { tools, directory, recovery } = unpacked;
        const { user, database } = product.postgres.target;
        const how = { ...recovery, restoreCommand: RESTORE_FROM_FOLDER, action: 'promote' } as const;
        const scratch = await startScratch({ directory, tools, user, database, recovery: how }, operation);
        try {
          await scratch.waitForRecovery();
          const target = { ...scratch.target, database: product.database };
          const session = new Client({ ...target, ssl: false });
          await session.connect();
          try {
            return await look(session, target);
          } finally {
            await session.end();
          }
        } finally {
          await scratch.stop();
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async redisAt(atMs, look) {
      const folder = await mkdtemp(join(product.folder, 'redis-copy-'));
      try {
        const replay = await partFor('redis', atMs);
        const cut = await findRedisCut(deps, replay, operation);
        const { snapshot, stream } = await openRedisReplay(deps, replay, operation);
        const directory = join(folder, 'data');
        await deps.redisJournal.writeAppendOnlyDirectory({ directory, cut }, { snapshot, stream, operation });
        const { serverPath } = await resolveTools().redis('7');
        const scratch = await startScratchRedis({ directory, serverPath }, operation);
        try {
          const redis = await openRedis(scratch.target);
          return await look(redis, scratch.target).finally(() => redis.disconnect());
        } finally {
          await scratch.end();
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Below a folder that the account of the servers may enter. */
async function serverFolder(): Promise<string> {
  const user = (await unprivilegedUser()) ?? undefined;
  const folder = await mkdtemp(join(await temporaryPlace(user), 'lifeboat-test-copy-'));
  await mkdir(folder, { recursive: true });
  const { chmod } = await import('node:fs/promises');
  await chmod(folder, 0o711);
  return folder;
}

/** What a worker with this environment has. */
export function dependenciesOf(product: Pick<Product, 'env' | 'folder'>): Dependencies {
  const loaded = loadConfig({ env: product.env, cwd: product.folder });
  const { config } = loaded;
  const scratchDir = product.folder;
  const codec = codecOf(config);
  return {
    ...openLibraries(loaded, { tool: 'test', stateDir: PROVISIONED_STATE_DIR, scratchDir }),
    temporal: {
      runs: async () => ({ ended: [], open: [], waiting: null }),
      journals: async () => [],
      schedules: async () => [],
    },
    settings: {
      group: config.group,
      codec,
      postgres: {
        target: postgresTarget(loaded),
        physical: 'auto',
        jobs: 2,
        bigTableBytes: config.postgres.bigTableBytes,
        zstdLevel: 1,
        lockTimeoutMs: 10_000,
      },
      redis: { target: redisTarget(loaded), method: 'auto', agentHost: undefined, preferReplica: true },
      redisAt: (url) => redisTargetAt(loaded, url),
      journal: { enabled: true, flushMs: 1_000, slot: config.postgres.slot, spillDirectory: scratchDir },
      scratchFolder: async () => scratchDir,
      keepReplacedMs: 3_600_000,
      cleanup: {
        retention: {
          days: 30,
          maxBackups: 100,
          minFull: 1,
          gfs: { hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 },
          lockedMs: 0,
        },
        graceMs: 86_400_000,
      },
      alerts: alertSettings(config),
      drill: { everyMs: null, checks: [], objectives: { rtoMs: null, rpoMs: null } },
      stallAfterMs: 60_000,
    },
  };
}
