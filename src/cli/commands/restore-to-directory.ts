import { resolve } from 'node:path';
import type { DirectoryResult } from '../../contract/directory.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { flagName } from '../options.ts';
import { chosenComponents, describeChecks } from './describe-backup.ts';
import { describePlan, describePositions, unproved } from './describe-restored.ts';
import { describeWritten } from './describe-written.ts';
import { runOperation } from './run-operation.ts';

export interface DirectoryOptions {
  readonly targetDir: string;
  readonly postgres: boolean;
  readonly redis: boolean;
  readonly dropExisting: boolean;
  readonly targetDatabase: string | undefined;
  readonly targetRedis: string | undefined;
  readonly stopServices: boolean;
  readonly toTime: Date | undefined;
  readonly toLsn: string | undefined;
  readonly fromTarget: string | undefined;
  readonly dryRun: boolean;
  readonly detach: boolean;
}

/** `restore ID --target-dir D`: D/postgres and D/redis, for servers that are started without Lifeboat. */
export async function restoreToDirectory(
  context: CommandContext,
  id: string,
  options: DirectoryOptions,
): Promise<CommandResult> {
  refuseLiveOptions(options);
  return runOperation(context, {
    detach: options.detach,
    start: (manager) => {
      const components = chosenComponents(options);
      const { targetDir, dryRun, toTime, toLsn, fromTarget } = options;
      return manager.startRestoreToDirectory(id, {
        directory: resolve(context.cwd, targetDir),
        dryRun,
        ...(components === undefined ? {} : { components }),
        ...(toTime === undefined ? {} : { toTime }),
        ...(toLsn === undefined ? {} : { toLsn }),
        ...(fromTarget === undefined ? {} : { fromTarget }),
      });
    },
    answer: (result) => describe(context, result),
  });
}

/** Each says something about live data, which is not touched here. */
function refuseLiveOptions(options: DirectoryOptions): void {
  for (const key of ['dropExisting', 'targetDatabase', 'targetRedis', 'stopServices'] as const) {
    if (options[key] === false || options[key] === undefined) continue;
    throw new LifeboatError('USAGE_INVALID', `restore: ${flagName(key)} has no meaning with --target-dir`, {
      hint: 'leave it out: a directory is written beside the live data, and nothing is replaced',
    });
  }
}

function describe({ output }: CommandContext, result: DirectoryResult): CommandResult {
  const { plan, dryRun, checks, restored, rtoMs } = result;
  const { from = null, notice } = plan;
  if (notice != null) output.warn(notice);
  const json = { ...result, from };
  if (dryRun) return { json, text: () => describePlan(plan) };
  const failed = checks.filter(({ status }) => status === 'fail');
  return {
    json,
    ...(failed.length === 0 ? {} : { failure: unproved(failed) }),
    text: () =>
      [
        `${plan.directory} holds ${plan.backupId} as of ${result.recoveryPoint.time}${from === null ? '' : `, from target ${from}`}`,
        ...describeWritten(restored),
        ...describePositions(result),
        ...describeChecks(checks, output.colors),
        `  written in ${(rtoMs / 1_000).toFixed(1)} s; how to start it: ${plan.directory}/README`,
      ].join('\n'),
  };
}
