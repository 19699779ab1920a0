import type { RestoreResult } from '../../contract/messages.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { targetRedisUrl } from '../../domain/target-redis.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { parseTime } from '../time.ts';
import { BACKUP_OR_LATEST, flag, required, value, values } from '../options.ts';
import { chosenComponents, describeChecks } from './describe-backup.ts';
import { describePlan, describePositions, unproved } from './describe-restored.ts';
import { restoreToDirectory } from './restore-to-directory.ts';
import { chosenSelection, parseTable, restoreSelection } from './restore-selection.ts';
import { runOperation } from './run-operation.ts';

/** `restore ID|latest`: loads beside the live data, proves it, then switches. */
export const restore = defineCommand({
  name: 'restore',
  summary: 'bring a backup back',
  description:
    'The data is loaded and proven beside the live data first; the live data changes last, in two short steps, and what it was is kept for `restore undo`. Nothing that holds data is replaced without --drop-existing.',
  arguments: { id: required('backup id, or latest', BACKUP_OR_LATEST) },
  options: {
    postgres: flag('only PostgreSQL'),
    redis: flag('only Redis'),
    dropExisting: flag('replace what the targets hold; it is kept for an undo'),
    targetDatabase: value('<name>', 'database that takes the data, instead of the one that was backed up'),
    stopServices: flag('stop the configured services before the switch and start them after it'),
    targetRedis: value('<url>', 'another Redis that takes the keys, `redis://user@host:port`', targetRedisUrl),
    targetDir: value(
      '<directory>',
      'write data directories to start servers on, on the host of the worker; nothing live is touched',
    ),
    toTime: value('<time>', 'an instant in the recovery window, in both components', parseTime),
    toLsn: value('<lsn>', 'a WAL position; Redis is brought to the moment at which the server was there', parseLsn),
    table: values(
      '<schema.table>',
      'only this table, beside the live one (in its place with --drop-existing)',
      parseTable,
    ),
    intoSchema: value('<schema>', 'schema that takes the tables; a new one named for the time without it'),
    keys: values('<glob>', 'only Redis keys that match, as with KEYS'),
    merge: flag('with --keys: keys of the backup replace present ones; all others stay'),
    fromTarget: value('<name>', 'read the copies of this target, instead of the repository'),
    dryRun: flag('only say what would be done'),
    yes: flag('do not ask'),
    detach: flag('start it and print the workflow id instead of waiting'),
  },
  examples: [
    'restore latest --dry-run',
    'restore backup-2024-01-15T10-30-00-000Z --drop-existing --target-database enterprise_auth_restored --stop-services',
    'restore latest --redis --drop-existing',
    'restore latest --to-time 2026-01-15T10:30:59Z --drop-existing',
    'restore latest --to-time 2026-01-15T10:30:59Z --target-dir /srv/copy',
    'restore latest --redis --target-redis redis://127.0.0.1:6390',
    'restore latest --table public.users --into-schema recovered',
    "restore latest --keys 'session:*' --merge",
    'restore latest --from-target us-west-2 --drop-existing',
  ],
  answers: [
    'restored {postgres, redis}',
    'recoveryPoint',
    'positions {postgres, redis, distanceMs}',
    'checks[]',
    'rtoMs',
    'rpoMs',
    'undo {command, expiresAt}',
    'goBack[]',
    'plan',
    'dryRun',
    'directory',
    'from',
    'workflowId',
    'runId',
  ],
  exits: [3, 4, 5, 6, 7, 130],
  run(context, { arguments: { id }, options }) {
    const { targetDir } = options;
    const selection = chosenSelection(options);
    refuseBoth(options.toTime, options.toLsn);
    refuseUnused(options);
    if (targetDir !== undefined) return restoreToDirectory(context, id, { ...options, targetDir });
    if (selection !== undefined) return restoreSelection(context, id, selection, options.detach);
    return runOperation(context, {
      detach: options.detach,
      start: (manager) => {
        const components = chosenComponents(options);
        const { dropExisting, stopServices, dryRun, targetDatabase, targetRedis, toTime, toLsn, fromTarget } = options;
        return manager.startRestore(id, {
          dropExisting,
          stopServices,
          dryRun,
          ...(components === undefined ? {} : { components }),
          ...(targetDatabase === undefined ? {} : { targetDatabase }),
          ...(targetRedis === undefined ? {} : { targetRedis }),
          ...(toTime === undefined ? {} : { toTime }),
          ...(toLsn === undefined ? {} : { toLsn }),
          ...(fromTarget === undefined ? {} : { fromTarget }),
        });
      },
      answer: (result) => describeRestore(context, result),
    });
  },
});

function parseLsn(text: string): string {
  if (/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(text)) return text.toUpperCase();
  throw new LifeboatError('USAGE_INVALID', `--to-lsn ${JSON.stringify(text)}: not a WAL position such as 0/16B3748`);
}

function refuseBoth(toTime: Date | undefined, toLsn: string | undefined): void {
  if (toTime === undefined || toLsn === undefined) return;
  throw new LifeboatError('USAGE_INVALID', '--to-time and --to-lsn: only one of them can be the target');
}

/** A server that nothing would go to. */
function refuseUnused({
  postgres,
  redis,
  targetRedis,
}: Record<'postgres' | 'redis', boolean> & { readonly targetRedis: string | undefined }): void {
  if (targetRedis === undefined || redis || !postgres) return;
  throw new LifeboatError('USAGE_INVALID', '--target-redis: with --postgres alone nothing goes into a Redis');
}

function describeRestore({ output }: CommandContext, result: RestoreResult): CommandResult {
  const { plan, restored, dryRun, checks, rtoMs, rpoMs, undo } = result;
  const { from = null, notice } = plan;
  if (notice != null) output.warn(notice);
  const json = { ...result, from };
  if (dryRun) return { json, text: () => describePlan(plan) };
  const { postgres, redis } = restored;
  const failed = checks.filter(({ status }) => status === 'fail');
  const shown = checks.length > SHOWN_CHECKS ? checks.filter(({ status }) => status !== 'pass') : checks;
  const passed = checks.filter(({ status }) => status === 'pass').length;
  return {
    json,
    ...(failed.length === 0 ? {} : { failure: unproved(failed) }),
    text: () =>
      [
        `${plan.backupId} is back as of ${result.recoveryPoint.time}${from === null ? '' : `, from target ${from}`}`,
        ...(postgres
          ? [`  postgres  ${postgres.database}${postgres.replaced ? `; the replaced one is ${postgres.replaced}` : ''}`]
          : []),
        ...(redis
          ? [
              `  redis     ${redis.keys} keys by ${redis.method}${redis.target ? ` in ${redis.target}` : ''}${redis.savedAs ? `; the replaced keys are ${redis.savedAs}` : ''}`,
            ]
          : []),
        ...describePositions(result),
        ...describeChecks(shown, output.colors),
        `  ${passed} of ${checks.length} checks passed; back in ${(rtoMs / 1_000).toFixed(1)} s, data is ${(rpoMs / 1_000).toFixed(0)} s old`,
        ...(undo ? [`  undo until ${undo.expiresAt}: ${undo.command}`] : []),
      ].join('\n'),
  };
}

/** A screen of them; beyond it only what did not pass is listed. */
const SHOWN_CHECKS = 20;
