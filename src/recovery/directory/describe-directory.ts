import { join } from 'node:path';
import type { DirectoryPlan, WrittenDirectory } from '../../domain/directory-plan.ts';

/** Text for whoever finds the directory: what it is, how its servers are started, what is different from their source. */
export function describeDirectory(plan: DirectoryPlan, { postgres, redis }: WrittenDirectory): string {
  const { backupId, recoveryPoint } = plan;
  return [
    `Restored from ${backupId}, as of ${recoveryPoint.time}. Facts for programs: restored.json.`,
    ...(postgres === null ? [] : ['', ...describePostgres(postgres)]),
    ...(redis === null ? [] : ['', ...describeRedis(redis)]),
    '',
  ].join('\n');
}

function describePostgres({
  directory,
  server,
  database,
  position,
}: NonNullable<WrittenDirectory['postgres']>): string[] {
  const major = server.split('.')[0];
  return [
    `PostgreSQL ${server}, database ${database}, replayed to ${position.position}; it goes on on timeline ${position.timeline}.`,
    `  start it with the programs of PostgreSQL ${major}, as the account that owns ${directory}:`,
    `    postgres -D ${directory}`,
    '  Archiving is off, and standbys, primary and subscriptions of the source are cut off: see the end of',
    '  postgresql.auto.conf. Everything else is as the source had it: roles and their passwords, pg_hba.conf, port,',
    '  extensions and what they do by themselves. Beside the source give it another port (`-p 5433`).',
  ];
}

function describeRedis({ directory, server, position }: NonNullable<WrittenDirectory['redis']>): string[] {
  return [
    `Redis ${server}, up to offset ${position.position} of its source.`,
    `  start it with redis-server of that version or a later one, as an account that may read and write ${directory}:`,
    `    redis-server ${join(directory, 'redis.conf')}`,
    '  It listens on 127.0.0.1 without a password. If you move the folder, change `dir` in redis.conf.',
  ];
}
