import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import { describeChecks } from '../commands/describe-backup.ts';
import { BACKUP_OR_LATEST, flag, required, value } from '../options.ts';
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
  },
  examples: [
    'rescue restore latest --store /mnt/backups --key keyring.json --trusted-key signing.pub --target-postgres postgres://postgres@127.0.0.1:5432',
  ],
  answers: ['restored {postgres, redis}', 'recoveryPoint', 'checks[]'],
  exits: [4, 5, 7, 130],
  async run(context, { arguments: { id }, options }) {
    const { targetPostgres, targetRedis } = options;
    if (targetPostgres === undefined && targetRedis === undefined) {
      throw new LifeboatError('USAGE_INVALID', 'rescue restore: neither --target-postgres nor --target-redis is given');
    }
    const { openRescue } = await import('./open-rescue.ts');
    const { rescuePostgres, rescueRedis } = await import('./rescue-targets.ts');
    const repository = await openRescue(context, options);
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
