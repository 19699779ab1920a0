import { rm } from 'node:fs/promises';
import { findPostgresTools } from '../../assembly/postgres-tools.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { Config } from '../../config/schema/config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { loadKeyring } from '../../encryption/keyring.ts';
import { loadPublicKey } from '../../encryption/minisign.ts';
import { defaultStateDir } from '../../embedded/places.ts';
import { createPrivateFolder } from '../../platform/files.ts';
import { createPostgres } from '../../postgres/create-postgres.ts';
import type { Postgres } from '../../postgres/postgres.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { RepositoryReader } from '../../repository/repository.ts';
import { openStore } from '../../storage/open-store.ts';
import type { CommandContext } from '../command.ts';

/** Opens a repository for reading, without Temporal and without the project's configuration; it creates nothing. */
export async function openRescue(
  context: CommandContext,
  options: { store: string | undefined; key: string | undefined; trustedKey: readonly string[] },
): Promise<RepositoryReader> {
  if (options.store === undefined) throw new LifeboatError('USAGE_INVALID', 'rescue: --store is missing');
  const keyring = options.key === undefined ? undefined : await loadKeyring(options.key);
  if (options.trustedKey.length === 0)
    context.output.warn('no --trusted-key: signatures are not checked, only digests');
  return openRepository({
    store: openStore(options.store, context.cwd),
    trustedKeys: await Promise.all(options.trustedKey.map(loadPublicKey)),
    ...(keyring === undefined ? {} : { keyring }),
  });
}

/** Variables that name client tools; everything else of the configuration is left alone. */
const TOOL_VARIABLES = ['LIFEBOAT_POSTGRES_BIN_DIR', 'PG_DUMP_PATH', 'PG_RESTORE_PATH'];

/** Defaults, and the programs that the environment names. */
export function rescueConfig({ env, cwd }: CommandContext): Config {
  const named = Object.fromEntries(TOOL_VARIABLES.map((name) => [name, env[name]]));
  return loadConfig({ flags: { config: null }, env: named, cwd }).config;
}

/** PostgreSQL's client tools, those that the environment names or the newest on this machine, for the time of `work`. */
export async function withRescuePostgres<T>(
  context: CommandContext,
  work: (postgres: Postgres) => Promise<T>,
): Promise<T> {
  const scratchDir = await createPrivateFolder('lifeboat-rescue');
  try {
    const tools = await findPostgresTools(rescueConfig(context), defaultStateDir());
    return await work(createPostgres({ tools, scratchDir }));
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

/** Progress of a library call as a row of the view. */
export function rescueOperation(context: CommandContext, name: string): Operation {
  return { signal: context.signal, onProgress: (progress) => context.progress.update([{ name, progress }]) };
}
