import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import { chosenComponents, describeChecks } from '../commands/describe-backup.ts';
import { BACKUP_OR_LATEST, flag, required, value } from '../options.ts';
import { parseTime } from '../time.ts';
import { RESCUE_OPTIONS } from './rescue-options.ts';

/** `rescue restore ID`: from a repository and its key into servers named on the command line. */
export const rescueRestore = defineCommand({
  name: 'rescue restore',
  summary: 'restore from a repository, without Temporal and without configuration',
  description:
    'Runs in this process: it must stay alive until the end, and can be started again. Passwords come from PGPASSWORD or a password file and from REDISCLI_AUTH, never from the command line. Replaced databases stay under a new name; replaced Redis keys are gone.',
  arguments: { id: required('backup id, or latest', BACKUP_OR_LATEST) },
  options: {
    ...RESCUE_OPTIONS,
    targetPostgres: value('<url>', 'PostgreSQL server, `postgres://user@host:port`'),
    targetDatabase: value('<name>', 'database that takes the data, instead of the one that was backed up'),
    targetRedis: value('<url>', 'Redis server, `redis://user@host:port`'),
    dropExisting: flag('replace what the targets hold'),
    targetDir: value('<directory>', 'write data directories to start servers on, instead of loading into servers'),
    toTime: value('<time>', 'an instant in the recovery window, in both components; with --target-dir', parseTime),
    postgres: flag('only PostgreSQL, with --target-dir'),
    redis: flag('only Redis, with --target-dir'),
  },
  examples: [
    'rescue restore latest --store /mnt/backups --key keyring.json --trusted-key signing.pub --target-postgres postgres://postgres@127.0.0.1:5432',
    'rescue restore latest --to-time 2026-01-15T10:30:59Z --target-dir /srv/copy --store /mnt/backups --key keyring.json --trusted-key signing.pub',
  ],
  answers: [
    'restored {postgres, redis}',
    'recoveryPoint',
    'checks[]',
    'directory',
    'positions {postgres, redis, distanceMs}',
    'rtoMs',
    'rpoMs',
  ],
  exits: [3, 4, 5, 7, 130],
  async run(context, { arguments: { id }, options }) {
    const { targetPostgres, targetRedis, targetDir, toTime } = options;
    refuseUnclear(options);
    const { openRescue } = await import('./open-rescue.ts');
    const { rescuePostgres, rescueRedis } = await import('./rescue-targets.ts');
    const repository = await openRescue(context, options);
    if (targetDir !== undefined) {
      const { rescueDirectory } = await import('./rescue-directory.ts');
      const components = chosenComponents(options) ?? 'stored';
      return rescueDirectory(context, repository, { id, targetDir, components, toTime });
    }
    const manifest = await repository.load(id);
    const into = { repository, manifest, dropExisting: options.dropExisting };
    const postgres =
      targetPostgres === undefined
        ? null
        : await rescuePostgres(context, { ...into, url: targetPostgres, database: options.targetDatabase });
    const redis = targetRedis === undefined ? null : await rescueRedis(context, { ...into, url: targetRedis });
    const checks: readonly Check[] = [...(postgres?.checks ?? []), ...(redis?.checks ?? [])];
    const restored = {
      postgres: postgres && { database: postgres.database, replaced: postgres.replaced },
      redis: redis && { keys: redis.keys, method: redis.method },
    };
    return {
      json: { restored, recoveryPoint: manifest.recoveryPoint, checks },
      text: () =>
        [
          `${manifest.id} is back as of ${manifest.recoveryPoint.time}`,
          ...describeChecks(checks, context.output.colors),
        ].join('\n'),
    };
  },
});

interface Targets {
  readonly targetPostgres: string | undefined;
  readonly targetRedis: string | undefined;
  readonly targetDatabase: string | undefined;
  readonly targetDir: string | undefined;
  readonly dropExisting: boolean;
  readonly toTime: Date | undefined;
  readonly postgres: boolean;
  readonly redis: boolean;
}

/** Servers or a directory: each has options of its own. */
function refuseUnclear(options: Targets): void {
  const { targetPostgres, targetRedis, targetDatabase, targetDir, dropExisting, toTime, postgres, redis } = options;
  const server = targetPostgres ?? targetRedis;
  if (server === undefined && targetDir === undefined) {
    const none = 'rescue restore: none of --target-postgres, --target-redis and --target-dir is given';
    throw new LifeboatError('USAGE_INVALID', none);
  }
  if (targetDir !== undefined && (server !== undefined || targetDatabase !== undefined || dropExisting)) {
    throw new LifeboatError('USAGE_INVALID', 'rescue restore: options of servers have no meaning with --target-dir');
  }
  if (targetDir === undefined && (toTime !== undefined || postgres || redis)) {
    throw new LifeboatError('USAGE_INVALID', 'rescue restore: --to-time, --postgres and --redis need --target-dir', {
      hint: 'write a directory at that time, start its servers, and take from them what you need',
    });
  }
}
