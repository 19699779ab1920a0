import type { SourceSurvey } from '../contract/activities.ts';
import type { BackupInput } from '../contract/messages.ts';
import type { ComponentName } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { PostgresTarget } from '../postgres/postgres.ts';
import type { RedisTarget } from '../redis/redis.ts';
import type { Dependencies, WorkSettings } from './dependencies.ts';

type Configured<K extends ComponentName> = NonNullable<WorkSettings[K]>;

/** The settings of a component that must be there. @throws LifeboatError SOURCE_NOT_CONFIGURED */
export function configured<K extends ComponentName>(settings: WorkSettings, component: K): Configured<K> {
  const found = settings[component];
  if (found !== null) return found;
  throw new LifeboatError('SOURCE_NOT_CONFIGURED', `the configuration names no ${component} server`);
}

export const postgresTarget = (settings: WorkSettings): PostgresTarget => configured(settings, 'postgres').target;
export const redisTarget = (settings: WorkSettings): RedisTarget => configured(settings, 'redis').target;

/** Components that the configuration names a server for. */
export function configuredComponents(settings: WorkSettings): ComponentName[] {
  return (['postgres', 'redis'] as const).filter((name) => settings[name] !== null);
}

/** Connects to what a backup is asked to copy; refuses before anything is written. */
export async function surveySources(deps: Dependencies, input: BackupInput): Promise<SourceSurvey> {
  const wanted = componentsToCopy(deps.settings, input.components);
  const [postgres, redis] = await Promise.all([
    wanted.includes('postgres') ? surveyPostgres(deps) : null,
    wanted.includes('redis') ? surveyRedis(deps) : null,
  ]);
  const warnings = [...(postgres?.warnings ?? []), ...(redis?.warnings ?? [])];
  return { postgres: postgres?.survey ?? null, redis: redis?.survey ?? null, warnings };
}

export function componentsToCopy(settings: WorkSettings, wanted: BackupInput['components']): readonly ComponentName[] {
  const known = configuredComponents(settings);
  if (wanted === 'configured') {
    if (known.length > 0) return known;
    throw new LifeboatError('SOURCE_NOT_CONFIGURED', 'the configuration names neither a postgresql nor a redis server');
  }
  for (const name of wanted) configured(settings, name);
  return wanted;
}

async function surveyPostgres(deps: Dependencies): Promise<{
  survey: NonNullable<SourceSurvey['postgres']>;
  warnings: readonly string[];
}> {
  const { target, bigTableBytes } = configured(deps.settings, 'postgres');
  const postgres = await deps.postgres();
  const source = await postgres.inspect(target, { bigTableBytes });
  const { database, server, databaseBytes, tables, warnings } = source;
  return { survey: { database, server, bytes: databaseBytes, tables }, warnings };
}

async function surveyRedis(deps: Dependencies): Promise<{
  survey: NonNullable<SourceSurvey['redis']>;
  warnings: readonly string[];
}> {
  const settings = configured(deps.settings, 'redis');
  const source = await deps.redis.inspect(settings.target);
  const method = settings.method === 'auto' ? source.method : settings.method;
  if (method === 'replication' && source.method !== 'replication') {
    throw new LifeboatError('SOURCE_METHOD_UNAVAILABLE', `redis.method is replication: ${source.methodReason}`);
  }
  const { server, keys, usedMemoryBytes, warnings } = source;
  const unrecorded =
    method === 'dump' ? [`redis is copied key by key, not at one instant: ${reasonFor(source, settings.method)}`] : [];
  return { survey: { server, keys, method, bytes: usedMemoryBytes }, warnings: [...warnings, ...unrecorded] };
}

/** How Redis is copied, as `surveySources` would choose. */
export async function redisMethod(deps: Dependencies): Promise<'replication' | 'dump'> {
  const { target, method } = configured(deps.settings, 'redis');
  return method === 'auto' ? (await deps.redis.inspect(target)).method : method;
}

function reasonFor(source: { methodReason: string }, wanted: 'auto' | 'replication' | 'dump'): string {
  return wanted === 'dump' ? 'redis.method is dump' : source.methodReason;
}
