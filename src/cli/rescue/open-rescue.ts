import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgresTools } from '../../assembly/postgres-tools.ts';
import { configSchema } from '../../config/schema/config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { loadKeyring } from '../../encryption/keyring.ts';
import { loadPublicKey } from '../../encryption/minisign.ts';
import { defaultStateDir } from '../../embedded/places.ts';
import { createPostgres } from '../../postgres/create-postgres.ts';
import type { Postgres } from '../../postgres/postgres.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { RepositoryReader } from '../../repository/repository.ts';
import { openStore } from '../../storage/open-store.ts';
import type { CommandContext } from '../command.ts';
import { flag, value, values } from '../options.ts';

/** Options of every rescue command: the repository and its keys, and nothing else. */
export const RESCUE_OPTIONS = {
  store: value('<url>', 'the repository: a folder or a store URL'),
  key: value('<file>', 'keyring, for encrypted backups'),
  trustedKey: values('<key>', 'public key (or its file) that must have signed the manifests, repeatable'),
} as const;

export const ANY_SIGNATURE = flag('accept manifests whose signature cannot be checked');

/** Opens a repository for reading, without Temporal and without the project's configuration; it creates nothing. */
export async function openRescue(
  context: CommandContext,
  options: { store: string | undefined; key: string | undefined; trustedKey: readonly string[] },
): Promise<RepositoryReader> {
  if (options.store === undefined) throw new LifeboatError('USAGE_INVALID', 'rescue: --store is missing');
  const keyring = options.key === undefined ? undefined : await loadKeyring(options.key);
  if (options.trustedKey.length === 0) context.output.warn('no --trusted-key: signatures are not checked, only digests');
  return openRepository({
    store: openStore(options.store, context.cwd),
    trustedKeys: await Promise.all(options.trustedKey.map(loadPublicKey)),
    ...(keyring === undefined ? {} : { keyring }),
  });
}

/** PostgreSQL's client tools, the newest on this machine. */
export async function openRescuePostgres(): Promise<Postgres> {
  const scratchDir = join(tmpdir(), `lifeboat-rescue-${process.pid}`);
  await mkdir(scratchDir, { recursive: true, mode: 0o700 });
  return createPostgres({ tools: await findPostgresTools(configSchema.parse({}), defaultStateDir()), scratchDir });
}
