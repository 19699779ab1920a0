import type { RetentionBackup, RetentionRules } from '../../../src/domain/retention/retention-rules.ts';

export const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 5, 30, 12);
export const NO_GFS = { hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
export const RULES: RetentionRules = { days: 7, maxBackups: 100, minFull: 1, gfs: NO_GFS, lockedMs: 0 };

export const idAt = (ms: number): string => `backup-${new Date(ms).toISOString().replaceAll(/[:.]/g, '-')}`;

export interface Made extends Partial<Omit<RetentionBackup, 'components'>> {
  readonly holdsOf?: readonly ('postgres' | 'redis')[];
  readonly layers?: readonly string[];
}

/** A backup as it is listed, `days` before now. */
export function made(
  daysAgo: number,
  { holdsOf = ['postgres', 'redis'], layers = [], ...more }: Made = {},
): RetentionBackup {
  const createdAt = new Date(NOW - daysAgo * DAY).toISOString();
  const redis = { digests: { layers, changed: 0, deleted: 0 } };
  const components = Object.fromEntries(holdsOf.map((name) => [name, name === 'redis' ? redis : {}]));
  return {
    id: idAt(NOW - daysAgo * DAY),
    kind: 'full',
    status: 'complete',
    parentId: null,
    createdAt,
    label: {},
    holds: [],
    verifiedAt: createdAt,
    components,
    ...more,
  };
}
