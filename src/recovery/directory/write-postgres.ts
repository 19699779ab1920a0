import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/backup.ts';
import type { DirectoryPlan, WrittenDirectory } from '../../domain/directory-plan.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { readEffectiveSetting } from '../../postgres/scratch/effective-setting.ts';
import { prepareTargetDirectory, RESTORE_FROM_FOLDER, WAL_FOLDER } from '../../postgres/scratch/prepare-directory.ts';
import { giveTo, serverAccount } from '../../postgres/scratch/server-account.ts';
import type { Recovered } from '../../postgres/scratch/scratch.ts';
import { startScratch } from '../../postgres/scratch/start-scratch.ts';
import { unpackPostgres, type UnpackedPostgres } from '../replay/unpack-postgres.ts';
import type { DirectoryContext } from './directory-context.ts';

/** Name of the data directory in the directory of a restore. */
export const POSTGRES_FOLDER = 'postgres';

export interface WrittenPostgres {
  readonly facts: Omit<NonNullable<WrittenDirectory['postgres']>, 'directory'>;
  readonly checks: readonly Check[];
}

/**
 * A data directory at the target: unpacked, replayed and promoted by an instance of our own, shut down, and cut off from its
 * source. The replay ends on a new timeline, so that nothing the copy writes can be taken for the source's.
 */
export async function writePostgres(
  { sources, user }: DirectoryContext,
  { plan, folder }: { readonly plan: NonNullable<DirectoryPlan['postgres']>; readonly folder: string },
  operation: Operation,
): Promise<WrittenPostgres> {
  const directory = join(folder, POSTGRES_FOLDER);
  await requireEntry(directory);
  const unpacked = await unpackPostgres(sources, { replay: plan, directory }, operation);
  const { tools, base, manifest } = unpacked;
  const reached = await replay(unpacked, { user, database: plan.database }, operation);
  await prepareTargetDirectory({ directory, tools, operation });
  const { lsn, timeline, lastCommitAt } = reached;
  const position = { position: lsn, timeline, at: lastCommitAt ?? (plan.target === null ? base.endAt : null) };
  const server = manifest.components.postgres?.server ?? '';
  const { systemIdentifier } = base;
  const checks = [...unpacked.checks, timelineCheck(base.timeline, timeline), await archiveCheck(unpacked)];
  return { facts: { database: plan.database, server, systemIdentifier, position }, checks };
}

/** Hours of unpacking are for nothing where the server's account cannot get there. */
async function requireEntry(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 });
  try {
    await giveTo(await serverAccount(), directory);
  } catch (cause) {
    if (!(cause instanceof LifeboatError) || cause.code !== 'POSTGRES_SCRATCH_FAILED') throw cause;
    throw new LifeboatError('RESTORE_DIRECTORY_UNUSABLE', cause.message, { cause, hint: cause.hint });
  }
  await rm(directory, { recursive: true });
}

async function replay(
  { directory, tools, recovery }: UnpackedPostgres,
  { user, database }: { readonly user: string; readonly database: string },
  operation: Operation,
): Promise<Recovered> {
  const promoted = { ...recovery, restoreCommand: RESTORE_FROM_FOLDER, action: 'promote' } as const;
  const scratch = await startScratch({ directory, tools, user, database, recovery: promoted }, operation);
  try {
    const reached = await scratch.waitForRecovery();
    await scratch.shutDown();
    await rm(join(directory, WAL_FOLDER), { recursive: true, force: true });
    return reached;
  } finally {
    await scratch.stop();
  }
}

function timelineCheck(source: number, own: number): Check {
  return {
    name: 'postgres timeline',
    status: own > source ? 'pass' : 'fail',
    expected: `later than ${source}`,
    actual: String(own),
    message: 'the copy goes on in a history of its own',
  };
}

/** Asked of the server's own program, with the configuration that it will start with. */
async function archiveCheck({ directory, tools }: UnpackedPostgres): Promise<Check> {
  const common = { name: 'postgres archiving', expected: 'archive_mode off' };
  const mode = await readEffectiveSetting(tools, directory, 'archive_mode');
  // Files of the source that its configuration names may be missing on this host.
  if ('problem' in mode) return { ...common, status: 'skip', actual: '', message: mode.problem };
  const actual = `archive_mode ${mode.value}`;
  const message = 'nothing is written into the repository that it came from';
  return { ...common, status: mode.value === 'off' ? 'pass' : 'fail', actual, message };
}
