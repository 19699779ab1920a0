import type { Config } from '../config/schema/config.ts';
import { durationMs } from '../domain/duration.ts';
import type { CleanupRules } from '../recovery/cleanup/plan-cleanup.ts';

const NO_PERIODS = { hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

/** What the configuration says about retention. */
export function cleanupRules({ retention, storage, stores }: Config): CleanupRules {
  const { days, maxBackups, minFull, gfs, grace } = retention;
  const { hourly, daily, weekly, monthly, yearly } = gfs ?? NO_PERIODS;
  const periods = { hourly, daily, weekly, monthly, yearly };
  const lock = storage.primary === undefined ? undefined : stores[storage.primary]?.objectLock;
  const lockedMs = lock === undefined ? 0 : durationMs(lock.period);
  return { retention: { days, maxBackups, minFull, gfs: periods, lockedMs }, graceMs: durationMs(grace) };
}
