import type { Environment } from '../../config/environment.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { findWithoutEffect } from '../../config/without-effect.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { checkChannels } from './check-channels.ts';
import { checkPostgres } from './check-postgres.ts';
import { checkRedis } from './check-redis.ts';
import { checkRepository } from './check-repository.ts';
import { checkTargets } from './check-targets.ts';
import { checkServices } from './check-services.ts';
import { type ConfigCheck, fail, pass, skip } from './check.ts';

/** Everything that can be tried without Temporal. Servers are only read; the store gets one small object for a moment. */
export async function checkConfiguration(loaded: LoadedConfig, env: Environment): Promise<readonly ConfigCheck[]> {
  const [postgres, redis, services] = await Promise.all([
    checkPostgres(loaded),
    checkRedis(loaded),
    checkServices(loaded.config, env),
  ]);
  const repository = await checkRepository(loaded.config, postgres.databaseBytes);
  return [
    checkValues(loaded),
    ...checkEffects(loaded),
    ...checkSources([...postgres.checks, ...redis]),
    ...repository,
    ...(await checkTargets(loaded.config)),
    ...services,
    ...(await checkChannels(loaded.config, env)),
  ];
}

function checkValues({ file, warnings }: LoadedConfig): ConfigCheck {
  const source = file ?? 'no file; environment and defaults';
  return pass('configuration', warnings.length === 0 ? source : `${source}; ${warnings.length} warnings`);
}

/** What was written down in the belief that it does something must not pass in silence. */
function checkEffects(loaded: LoadedConfig): readonly ConfigCheck[] {
  return findWithoutEffect(loaded).map(({ line, set }) => {
    const keys = set.map(({ key, origin }) => `${key} (${origin.name})`).join(', ');
    const hint =
      'do not rely on it: leave it out, or keep it for a version that acts on it; README.md says what is missing';
    return skip(`without effect: ${line}`, `nothing in this version acts on ${keys}`, hint);
  });
}

/** Without anything to protect no backup is possible, so two skips are one failure. */
function checkSources(checks: readonly ConfigCheck[]): readonly ConfigCheck[] {
  const connections = checks.filter((check) => check.name.endsWith('connection'));
  const nothing =
    connections.length === 2 &&
    connections.every((check) => check.status === 'skip' && check.message.startsWith('no '));
  const error = new LifeboatError('CONFIG_INCOMPLETE', 'neither PostgreSQL nor Redis is configured');
  return nothing ? [fail('sources', error), ...checks] : checks;
}
