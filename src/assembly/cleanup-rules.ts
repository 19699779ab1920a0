import type { Config } from '../config/schema/config.ts';
import { type ConfiguredTarget, REMOTE_TARGET } from '../config/targets.ts';
import { durationMs } from '../domain/duration.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { CleanupRules } from '../recovery/cleanup/plan-cleanup.ts';

const NO_PERIODS = { hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

/** What the configuration says about retention. @throws LifeboatError CONFIG_INVALID */
export function cleanupRules({ retention, storage: { primary }, stores }: Config): CleanupRules {
  const store = primary === undefined ? undefined : stores[primary];
  if (store?.retention !== undefined) {
    const facts = `it holds the repository, for which \`retention\` itself counts`;
    throw new LifeboatError('CONFIG_INVALID', `stores.${primary}.retention: ${facts}`);
  }
  return rulesOf(retention, store);
}

/** What counts at a target: its own rules, and those of the group where it says nothing. */
export function targetCleanupRules(config: Config, { name, place }: ConfiguredTarget): CleanupRules {
  const { retention, stores } = config;
  const own = ownRetention(config, { name, place }) ?? {};
  const days = own.days ?? retention.days;
  const maxBackups = own.maxBackups ?? retention.maxBackups;
  const minFull = own.minFull ?? retention.minFull;
  const gfs = own.gfs ?? retention.gfs;
  const grace = own.grace ?? retention.grace;
  const store = 'store' in place ? stores[place.store] : undefined;
  return rulesOf({ days, maxBackups, minFull, grace, ...(gfs === undefined ? {} : { gfs }) }, store);
}

function ownRetention(
  { stores, storage: { remoteStorage } }: Config,
  { name, place }: Pick<ConfiguredTarget, 'name' | 'place'>,
): Config['stores'][string]['retention'] {
  if ('store' in place) return stores[place.store]?.retention;
  return name === REMOTE_TARGET ? remoteStorage.retention : undefined;
}

function rulesOf(
  { days, maxBackups, minFull, gfs, grace }: Config['retention'],
  store: Pick<Config['stores'][string], 'objectLock'> | undefined,
): CleanupRules {
  const { hourly, daily, weekly, monthly, yearly } = gfs ?? NO_PERIODS;
  const periods = { hourly, daily, weekly, monthly, yearly };
  const lockedMs = store?.objectLock === undefined ? 0 : durationMs(store.objectLock.period);
  return { retention: { days, maxBackups, minFull, gfs: periods, lockedMs }, graceMs: durationMs(grace) };
}
