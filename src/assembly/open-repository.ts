import { existsSync } from 'node:fs';
import { zstdLevel } from '../config/compression-level.ts';
import type { Config } from '../config/schema/config.ts';
import { followKeyring } from '../encryption/followed-keyring.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { loadPublicKey } from '../encryption/minisign.ts';
import { ensureSigningKey } from '../encryption/signer.ts';
import { createRepository } from '../repository/create-repository.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Codec, Repository, RepositoryReader } from '../repository/repository.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { requireConditionalWrites } from '../storage/require-conditional-writes.ts';
import { openPrimaryStore } from './open-stores.ts';

/** The repository of a configuration, to read and write; made where there is none. @throws LifeboatError STORE_*, REPOSITORY_* */
export async function openConfiguredRepository(config: Config, tool: string): Promise<Repository> {
  return openRepositoryIn(openPrimaryStore(config), config, tool);
}

/** The same in another store. */
export async function openRepositoryIn(store: ObjectStore, config: Config, tool: string): Promise<Repository> {
  const keyring = await keyringOf(config);
  await requireConditionalWrites(store);
  return createRepository({
    store,
    group: config.group,
    signer: await ensureSigningKey(config.signing.keyPath),
    trustedKeys: await Promise.all(config.signing.trustedKeys.map(loadPublicKey)),
    ...(keyring === undefined ? {} : { keyring }),
    tool,
  });
}

/**
 * The same to read only: nothing is written, and no signing key is made where there is none. `other`: a keyring to open with, instead of
 * the configured one.
 * @throws LifeboatError REPOSITORY_MISSING
 */
export async function openConfiguredReader(config: Config, other?: Keyring): Promise<RepositoryReader> {
  const { signing, group } = config;
  const own = `${signing.keyPath}.pub`;
  const keyring = other ?? (await keyringOf(config));
  const trusted = [...signing.trustedKeys, ...(existsSync(own) ? [own] : [])];
  return openRepository({
    store: openPrimaryStore(config),
    group,
    trustedKeys: await Promise.all(trusted.map(loadPublicKey)),
    ...(keyring === undefined ? {} : { keyring }),
  });
}

/**
 * The keyring is needed to encrypt; where encryption is off, it still opens the encrypted backups of earlier days. It follows its
 * file: a worker that runs for months takes a new key when there is one.
 */
export async function keyringOf({ encryption }: Config): Promise<Keyring | undefined> {
  const { enabled, keyPath, escrow } = encryption;
  const { kms } = encryption;
  const isThere = existsSync(keyPath) || kms?.keyArn !== undefined;
  return enabled || isThere ? followKeyring({ path: keyPath, escrow, kms }) : undefined;
}

/** How the objects of new backups are made. */
export function codecOf({ compression, encryption }: Config): Codec {
  return {
    compression: compression.enabled ? 'zstd' : 'none',
    compressionLevel: zstdLevel(compression.level),
    encryption: encryption.enabled ? encryption.algorithm : 'none',
  };
}
