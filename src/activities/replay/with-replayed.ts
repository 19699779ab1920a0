import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayedPosition, ReplayPlan } from '../../domain/replay.ts';
import type { PostgresTarget } from '../../postgres/postgres.ts';
import { RESTORE_FROM_FOLDER } from '../../postgres/scratch/prepare-directory.ts';
import { startScratch } from '../../postgres/scratch/start-scratch.ts';
import type { Dependencies } from '../dependencies.ts';
import { postgresTarget } from '../sources.ts';
import { unpackPostgres } from './unpack-postgres.ts';

const PROMOTED = { restoreCommand: RESTORE_FROM_FOLDER, action: 'promote' } as const;

/** A server of our own at the target of a replay. */
export interface Replayed {
  readonly target: PostgresTarget;
  /** Removed in the end, and as readable as the data directory in it. */
  readonly folder: string;
}

/**
 * Replays a base to its target in an instance of its own for as long as `use` runs; what is there afterwards is what `use` gives, with the
 * checks of the base before its own and where the replay ended.
 *
 * @param name of the folder below `restore.scratchDir`: the same for each attempt, so that nothing of an earlier one stays
 */
export async function withReplayed<T extends { readonly checks: readonly Check[] }>(
  deps: Dependencies,
  { replay, name }: { readonly replay: NonNullable<ReplayPlan['postgres']>; readonly name: string },
  run: { readonly operation: Operation; use(replayed: Replayed): Promise<T> },
): Promise<T & { readonly position: ReplayedPosition }> {
  const { operation, use } = run;
  const folder = join(await deps.settings.scratchFolder(), name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o711 });
  try {
    const directory = join(folder, 'data');
    const unpacked = await unpackPostgres(deps, { replay, directory }, operation);
    const { manifest, tools, recovery } = unpacked;
    const configured = postgresTarget(deps.settings);
    const { database } = manifest.components.postgres ?? configured;
    const start = { directory, tools, user: configured.user, database, recovery: { ...recovery, ...PROMOTED } };
    const scratch = await startScratch(start, operation);
    try {
      const { lsn, timeline, lastCommitAt } = await scratch.waitForRecovery();
      const used = await use({ target: scratch.target, folder });
      const position = { position: lsn, timeline, at: lastCommitAt };
      return { ...used, checks: [...unpacked.checks, ...used.checks], position };
    } finally {
      await scratch.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
