import type { WorkSettings } from '../activities/dependencies.ts';
import { configuredComponents, postgresTarget, redisTarget } from '../activities/sources.ts';
import { within } from '../activities/within.ts';
import type { ComponentName } from '../domain/backup.ts';
import { toLifeboatError } from '../domain/errors.ts';
import type { Look, Sample } from '../monitoring/sample.ts';
import { checkPostgres } from '../postgres/health.ts';
import { checkRedis } from '../redis/health.ts';

/** As long as other looks at the state wait for a server. */
const ANSWER_MS = 5_000;
const READ_ONLY = { writable: false };

/** Whether the databases answer, each by itself. That one does not is a result, and no error. */
export async function sampleDatabases(settings: WorkSettings, signal: AbortSignal): Promise<Sample> {
  const names = configuredComponents(settings);
  const looks = await Promise.all(names.map((name) => lookAt(settings, name, signal)));
  signal.throwIfAborted();
  return {
    looks,
    gauges: looks.map(({ name, up }) => ({
      metric: 'lifeboat_database_up',
      labels: { component: name },
      value: up ? 1 : 0,
    })),
  };
}

async function lookAt(settings: WorkSettings, name: ComponentName, outer: AbortSignal): Promise<Look> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(ANSWER_MS)]);
  const asking: Promise<object> =
    name === 'postgres'
      ? checkPostgres(postgresTarget(settings), READ_ONLY, { signal })
      : checkRedis(redisTarget(settings), READ_ONLY, { signal });
  try {
    await within(ANSWER_MS, { doing: name, code: 'MONITORING_SOURCE_SLOW' }, asking);
    return { what: 'database', name, up: true, problem: null };
  } catch (error) {
    const { code, message } = toLifeboatError(error);
    return { what: 'database', name, up: false, problem: `${code}: ${message}` };
  }
}
