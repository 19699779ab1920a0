import { resolve } from 'node:path';
import { findServerToolsOf } from '../../assembly/postgres-tools.ts';
import { configSchema } from '../../config/schema/config.ts';
import type { ComponentName } from '../../domain/backup.ts';
import { achieved } from '../../domain/objectives.ts';
import { distanceOf } from '../../domain/replay.ts';
import { restoreIdAt } from '../../domain/restore-id.ts';
import { defaultStateDir } from '../../embedded/places.ts';
import { createPhysicalBackup } from '../../postgres/physical/create-physical.ts';
import { createWal } from '../../postgres/wal/create-wal.ts';
import { planRestoreToDirectory } from '../../recovery/directory/plan-directory.ts';
import { restoreToDirectory } from '../../recovery/directory/restore-to-directory.ts';
import type { ReplaySources } from '../../recovery/replay/replay-sources.ts';
import type { RepositoryReader } from '../../repository/repository.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { describeChecks } from '../commands/describe-backup.ts';
import { describePositions, unproved } from '../commands/describe-restored.ts';
import { describeWritten } from '../commands/describe-written.ts';
import { rescueConfig, rescueOperation } from './open-rescue.ts';

export interface RescueDirectory {
  readonly id: string;
  readonly targetDir: string;
  readonly components: readonly ComponentName[] | 'stored';
  readonly toTime: Date | undefined;
}

/** As `restore --target-dir`, in this process: a repository, its key and the servers' programs are all that it needs. */
export async function rescueDirectory(
  context: CommandContext,
  repository: RepositoryReader,
  { id, targetDir, components, toTime }: RescueDirectory,
): Promise<CommandResult> {
  const startedAt = new Date();
  const sources = rescueSources(context, repository);
  const request = {
    backup: id,
    components,
    to: toTime === undefined ? null : { time: toTime.toISOString() },
    directory: resolve(context.cwd, targetDir),
    restoreId: restoreIdAt(startedAt.toISOString()),
  };
  const operation = rescueOperation(context, 'write directory');
  const plan = await planRestoreToDirectory(sources, request, operation);
  const written = await restoreToDirectory({ sources, user: context.env['PGUSER'] ?? 'postgres' }, plan, operation);
  context.progress.stop();
  const { postgres, redis, checks } = written;
  const { directory, recoveryPoint, backupId } = plan;
  const positions = distanceOf(postgres?.position ?? null, redis?.position ?? null);
  const times = achieved({ startedAt, finishedAt: new Date(), recoveryPoint: recoveryPoint.time });
  const failed = checks.filter(({ status }) => status === 'fail');
  return {
    json: { restored: { postgres, redis }, recoveryPoint, positions, checks, directory, ...times },
    ...(failed.length === 0 ? {} : { failure: unproved(failed) }),
    text: () =>
      [
        `${directory} holds ${backupId} as of ${recoveryPoint.time}`,
        ...describeWritten(written),
        ...describePositions({ positions }),
        ...describeChecks(checks, context.output.colors),
        `  how to start it: ${directory}/README`,
      ].join('\n'),
  };
}

/** Server programs of the major version that was backed up: those that the environment names, or any on this machine. */
function rescueSources(context: CommandContext, repository: RepositoryReader): ReplaySources {
  const config = rescueConfig(context);
  const serverTools: ReplaySources['serverTools'] = async (major) =>
    findServerToolsOf(major, config, defaultStateDir());
  return {
    repository: async () => repository,
    serverTools,
    // Nothing is taken from a server here: no passfile is written.
    physical: async (major) =>
      createPhysicalBackup({ tools: await serverTools(major), wal: createWal(), scratchDir: context.cwd }),
    jobs: configSchema.parse({}).postgres.jobs,
    components: 'stored',
  };
}
