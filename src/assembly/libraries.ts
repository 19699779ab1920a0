import { existsSync } from 'node:fs';
import { zstdLevel } from '../config/compression-level.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { Config } from '../config/schema/config.ts';
import { serviceDefinitions } from '../config/service-definitions.ts';
import { loadKeyring } from '../encryption/keyring.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { loadPublicKey } from '../encryption/minisign.ts';
import { ensureSigningKey } from '../encryption/signer.ts';
import { createPostgres } from '../postgres/create-postgres.ts';
import type { Postgres } from '../postgres/postgres.ts';
import { createRedis } from '../redis/create-redis.ts';
import type { Redis } from '../redis/redis.ts';
import { createRepository } from '../repository/create-repository.ts';
import type { Codec, Repository } from '../repository/repository.ts';
import { createCommandServices } from '../services/command-services.ts';
import type { Services } from '../services/services.ts';
import { openStore } from '../storage/open-store.ts';
import { findPostgresTools } from './postgres-tools.ts';

/** The libraries of one configuration, made when they are first needed: each may be out of reach for a while. */
export interface Libraries {
  readonly redis: Redis;
  readonly services: Services;
  postgres(): Promise<Postgres>;
  repository(): Promise<Repository>;
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
  return {
    redis: createRedis(),
    services: createCommandServices(serviceDefinitions(config)),
    postgres: onceWorking(async () => {
      const tools = await findPostgresTools(config, places.stateDir);
      return createPostgres({ tools, scratchDir: places.scratchDir });
    }),
    repository: onceWorking(() => openRepository(config, places.tool)),
  };
}

async function openRepository(config: Config, tool: string): Promise<Repository> {
  const keyring = await keyringOf(config);
  return createRepository({
    store: openStore(config.storage.localPath),
    group: config.group,
    signer: await ensureSigningKey(config.signing.keyPath),
    trustedKeys: await Promise.all(config.signing.trustedKeys.map(loadPublicKey)),
    ...(keyring === undefined ? {} : { keyring }),
    tool,
  });
}

/** The keyring is needed to encrypt; where encryption is off, it still opens the encrypted backups of earlier days. */
export async function keyringOf({ encryption }: Config): Promise<Keyring | undefined> {
  return encryption.enabled || existsSync(encryption.keyPath) ? loadKeyring(encryption.keyPath) : undefined;
}

/** How the objects of new backups are made. */
export function codecOf({ compression, encryption }: Config): Codec {
  return {
    compression: compression.enabled ? 'zstd' : 'none',
    compressionLevel: zstdLevel(compression.level),
    encryption: encryption.enabled ? encryption.algorithm : 'none',
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
