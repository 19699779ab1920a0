import type { LoadedConfig } from '../config/load-config.ts';
import { commandDefinitions, endpointDefinitions, notificationChannels } from '../config/plan-settings.ts';
import { openPlans, type PlanLibrary } from '../config/plans/plan-library.ts';
import { serviceDefinitions } from '../config/service-definitions.ts';
import { createNotifications } from '../notify/create-notifications.ts';
import type { Notifications } from '../notify/notify.ts';
import { createPostgres } from '../postgres/create-postgres.ts';
import { createPhysicalBackup } from '../postgres/physical/create-physical.ts';
import type { PhysicalBackup, PostgresServerTools } from '../postgres/physical/physical.ts';
import type { Postgres } from '../postgres/postgres.ts';
import { createWal } from '../postgres/wal/create-wal.ts';
import type { Wal } from '../postgres/wal/wal.ts';
import { createRedis } from '../redis/create-redis.ts';
import { createRedisJournal } from '../redis/journal/create-redis-journal.ts';
import type { RedisJournal } from '../redis/journal/journal.ts';
import type { Redis } from '../redis/redis.ts';
import type { Repository } from '../repository/repository.ts';
import { REPOSITORY_KEY } from '../repository/layout.ts';
import { createCommandServices } from '../services/command-services.ts';
import { createCommands, type Commands } from '../services/commands.ts';
import { createEndpoints, type Endpoints } from '../services/endpoints.ts';
import type { Services } from '../services/services.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { FailoverSite } from '../failover/site.ts';
import { openFailoverSite } from './failover-site.ts';
import { openConfiguredRepository } from './open-repository.ts';
import { openPrimaryStore } from './open-stores.ts';
import { type OpenTarget, openTargets } from './open-targets.ts';
import { findRedisServer } from './redis-server.ts';
import { findPostgresTools, findServerToolsOf } from './postgres-tools.ts';

/** The libraries of one configuration, made when they are first needed: each may be out of reach for a while. */
export interface Libraries {
  readonly redis: Redis;
  readonly redisJournal: RedisJournal;
  readonly wal: Wal;
  readonly services: Services;
  readonly commands: Commands;
  readonly endpoints: Endpoints;
  readonly notifications: Notifications;
  /** Files are read at each call. */
  readonly plans: PlanLibrary;
  postgres(): Promise<Postgres>;
  /** As `postgres`, with another folder for private files. */
  postgresIn(scratchDir: string): Promise<Postgres>;
  /** For a server of this major version. @throws LifeboatError POSTGRES_SERVER_MISSING */
  physical(major: number): Promise<PhysicalBackup>;
  /** @throws LifeboatError POSTGRES_SERVER_MISSING */
  serverTools(major: number): Promise<PostgresServerTools>;
  /** redis-server of this machine. @throws LifeboatError TOOL_MISSING and the like */
  redisServer(): Promise<string>;
  repository(): Promise<Repository>;
  /** Whether the store holds a repository now; nothing is made. @throws LifeboatError STORE_* */
  hasRepository(): Promise<boolean>;
  /** The store of the repository; nothing is asked or made. @throws LifeboatError STORE_UNKNOWN, STORE_URL_INVALID */
  primaryStore(): ObjectStore;
  readonly targets: readonly OpenTarget[];
  /** Null where no regions are configured. @throws LifeboatError STORE_UNKNOWN, CONFIG_INVALID */
  failoverSite(): FailoverSite | null;
}

export interface LibraryPlaces {
  /** Written into manifests: `lifeboat/1.0.0`. */
  readonly tool: string;
  /** Folder of provisioned programs. */
  readonly stateDir: string;
  /** Folder for passfiles and definitions while an operation runs. */
  readonly scratchDir: string;
}

export function openLibraries({ config }: Pick<LoadedConfig, 'config'>, places: LibraryPlaces): Libraries {
  const { stateDir, scratchDir } = places;
  const wal = createWal();
  const endpoints = endpointDefinitions(config);
  let site: FailoverSite | null = null;
  return {
    redis: createRedis(),
    redisJournal: createRedisJournal(),
    wal,
    serverTools: async (major) => findServerToolsOf(major, config, stateDir),
    physical: async (major) =>
      createPhysicalBackup({ tools: await findServerToolsOf(major, config, stateDir), wal, scratchDir }),
    services: createCommandServices(serviceDefinitions(config)),
    commands: createCommands(commandDefinitions(config)),
    endpoints: createEndpoints(endpoints.definitions, endpoints.unavailable),
    notifications: createNotifications(notificationChannels(config)),
    plans: openPlans(config),
    postgresIn: async (folder) =>
      createPostgres({ tools: await findPostgresTools(config, stateDir), scratchDir: folder }),
    postgres: onceWorking(async () => {
      const tools = await findPostgresTools(config, stateDir);
      return createPostgres({ tools, scratchDir });
    }),
    redisServer: async () => findRedisServer(stateDir),
    repository: onceWorking(() => openConfiguredRepository(config, places.tool)),
    hasRepository: async () => (await openPrimaryStore(config).head(REPOSITORY_KEY)) !== undefined,
    primaryStore: () => openPrimaryStore(config),
    targets: openTargets(config, places.tool),
    failoverSite: () => (site ??= openFailoverSite(config)),
  };
}

/** Calls `open` until it has worked once, and gives that answer from then on. */
function onceWorking<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}
