import { type BackupRecord, isTakenAside, type RedisFacts } from './backup.ts';

/** A chain is read as a whole when it is restored; one of so many backups is long enough. */
export const REDIS_CHAIN_MAX = 1000;

/** Backups that the Redis part of a backup takes values from, oldest first, without itself. Empty for one that stands alone. */
export function redisLayersOf(redis: Pick<RedisFacts, 'digests'> | undefined): readonly string[] {
  return redis?.digests?.layers ?? [];
}

/** Is the Redis part what changed since another backup? */
export function isRedisChange(redis: Pick<RedisFacts, 'method'> | undefined): boolean {
  return redis?.method === 'dump-incremental';
}

/** Can the Redis part of the next backup be what changed since this one, or since those that stand on it? */
export function isDigestBase({ kind, status, label, components: { redis } }: BackupRecord): boolean {
  const stored = redis?.method === 'dump' && redis.digests !== undefined;
  return stored && kind === 'full' && status === 'complete' && !isTakenAside({ label });
}

/**
 * The backup whose digests the next one is compared with: the newest that stands on `fullId`, or that one itself.
 *
 * @param backups newest first
 */
export function redisParentOf(backups: readonly BackupRecord[], fullId: string): BackupRecord | undefined {
  return backups.find(({ id, status, components: { redis } }) => {
    if (status !== 'complete') return false;
    return id === fullId || (isRedisChange(redis) && redisLayersOf(redis)[0] === fullId);
  });
}
