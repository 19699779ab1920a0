import { configSchema } from '../../config/schema/config.ts';
import { loadConfig } from '../../config/load-config.ts';
import { postgresTarget } from '../../config/postgres-target.ts';
import { redisTarget } from '../../config/redis-target.ts';
import type { Check, Manifest } from '../../domain/backup.ts';
import { componentsToRestore, planRestore } from '../../domain/restore-plan.ts';
import type { PostgresTarget } from '../../postgres/postgres.ts';
import { openRedisSnapshot } from '../../recovery/open-redis-snapshot.ts';
import { createRedis } from '../../redis/create-redis.ts';
import type { RedisTarget } from '../../redis/redis.ts';
import type { RepositoryReader } from '../../repository/repository.ts';
import type { CommandContext } from '../command.ts';
import { rescueOperation, withRescuePostgres } from './open-rescue.ts';

interface Into {
  readonly repository: RepositoryReader;
  readonly manifest: Manifest;
  readonly dropExisting: boolean;
  readonly url: string;
}

/** Loads the database aside, proves it and renames it in: the same steps as a durable restore, in this process. */
export async function rescuePostgres(
  context: CommandContext,
  { repository, manifest, dropExisting, url, database: wanted }: Into & { readonly database: string | undefined },
): Promise<{ checks: readonly Check[]; database: string; replaced: string | null }> {
  const target = readPostgresUrl(context, url);
  const operation = rescueOperation(context, 'load postgres');
  return withRescuePostgres(context, async (postgres) => {
    componentsToRestore(manifest, ['postgres']);
    const stored = manifest.components.postgres as NonNullable<Manifest['components']['postgres']>;
    const request = {
      components: ['postgres' as const],
      dropExisting,
      targetDatabase: wanted ?? null,
      stopServices: false,
    };
    const survey = {
      postgres: await postgres.surveyTarget(target, wanted ?? stored.database),
      redis: null,
      services: [],
    };
    const restoreId = `restore-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    const plan = planRestore(manifest, request, { survey, restoreId }).postgres as NonNullable<
      ReturnType<typeof planRestore>['postgres']
    >;
    const source = (name: string): AsyncIterable<Uint8Array> =>
      repository.readArtifact(manifest, 'postgres', name, operation);
    const { asideDatabase, database } = plan;
    const aside = {
      target,
      asideDatabase,
      likeDatabase: database,
      facts: stored,
      artifacts: stored.artifacts,
      jobs: configSchema.parse({}).postgres.jobs,
    };
    const { checks } = await postgres.restoreAside(aside, { source, operation });
    const { replaced } = await postgres.swap({ target, ...plan });
    return { checks, database, replaced };
  });
}

/** Reads the snapshot to its end first, then loads it. */
export async function rescueRedis(
  context: CommandContext,
  { repository, manifest, dropExisting, url }: Into,
): Promise<{ checks: readonly Check[]; keys: number; method: string }> {
  componentsToRestore(manifest, ['redis']);
  const target = readRedisUrl(context, url);
  const redis = createRedis();
  const operation = rescueOperation(context, 'load redis');
  const request = { components: ['redis' as const], dropExisting, targetDatabase: null, stopServices: false };
  planRestore(manifest, request, {
    survey: { postgres: null, redis: await redis.surveyTarget(target), services: [] },
    restoreId: '',
  });
  const { format, facts, open } = await openRedisSnapshot(repository, manifest, operation);
  await redis.checkSnapshot(format, open(), operation);
  return redis.importSnapshot({ target, format, facts, method: 'auto', dropExisting }, { open, operation });
}

/** libpq's variables (PGPASSWORD, PGPASSFILE, PGSSLMODE) fill what the URL leaves out. */
function readPostgresUrl({ env, cwd }: CommandContext, url: string): PostgresTarget {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('PG')));
  return postgresTarget(loadConfig({ flags: { config: null }, env: { ...kept, DATABASE_URL: url }, cwd }));
}

/** The password may come from REDISCLI_AUTH, as redis-cli takes it. */
function readRedisUrl({ env, cwd }: CommandContext, url: string): RedisTarget {
  const target = redisTarget(loadConfig({ flags: { config: null }, env: { REDIS_URL: url }, cwd }));
  const password = env['REDISCLI_AUTH'];
  return password === undefined ? target : { ...target, password };
}
