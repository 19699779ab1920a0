import type { RecoveryPoint } from './backup.ts';

/**
 * The points of the components of one backup as one. Each snapshot has its own instant; the joint time is the earliest, so
 * that everything acknowledged until then is in every component.
 */
export function joinRecoveryPoints(points: readonly RecoveryPoint[]): RecoveryPoint {
  const [first] = points.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  if (first === undefined) throw new RangeError('a backup has at least one component');
  const postgres = points.find((point) => point.postgres !== undefined)?.postgres;
  const redis = points.find((point) => point.redis !== undefined)?.redis;
  return { time: first.time, ...(postgres ? { postgres } : {}), ...(redis ? { redis } : {}) };
}
