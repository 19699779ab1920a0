import type { Manifest, RedisComponent } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import { isRedisChange, redisLayersOf } from '../domain/redis-chain.ts';
import { composeDump, type DumpLayer } from '../redis/digests/compose-dump.ts';
import type { RepositoryReader } from '../repository/repository.ts';

type Reader = Pick<RepositoryReader, 'load' | 'readArtifact'>;

/** What a backup holds of Redis, as a restore takes it. */
export interface StoredSnapshot {
  readonly format: 'redis-rdb' | 'redis-dump';
  readonly facts: RedisComponent;
  /** From its first byte; may be called again. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/**
 * The snapshot of a backup. Of an incremental one by digests it is put together from those that it takes values from.
 * @throws LifeboatError RESTORE_COMPONENT_MISSING, REDIS_CHAIN_BROKEN, REDIS_INDEX_DAMAGED and errors of the repository
 */
export async function openRedisSnapshot(
  repository: Reader,
  manifest: Manifest,
  operation: Operation,
): Promise<StoredSnapshot> {
  const facts = manifest.components.redis;
  if (facts === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no redis`);
  if (!isRedisChange(facts)) {
    const stored = facts.artifacts.find(({ name }) => name === 'snapshot');
    const format = stored?.format === 'redis-dump' ? 'redis-dump' : 'redis-rdb';
    return { format, facts, open: () => repository.readArtifact(manifest, 'redis', 'snapshot', operation) };
  }
  const manifests = [...(await loadRedisLayers(repository, manifest)), manifest];
  const layers = manifests.map((one) => layerOf(repository, one, operation));
  const index = repository.readArtifact(manifest, 'redis', 'digests', operation);
  return { format: 'redis-dump', facts, open: await composeDump(index, layers) };
}

/**
 * Manifests of the backups that an incremental one takes values of Redis from, oldest first; none for any other.
 * @throws LifeboatError REDIS_CHAIN_BROKEN where one is missing or is not what the incremental one says
 */
export async function loadRedisLayers(repository: Pick<Reader, 'load'>, manifest: Manifest): Promise<Manifest[]> {
  const ids = redisLayersOf(manifest.components.redis);
  const manifests: Manifest[] = [];
  for (const [at, id] of ids.entries()) {
    const layer = await loadLayer(repository, { id, of: manifest.id });
    if (redisLayersOf(layer.components.redis).join() !== ids.slice(0, at).join()) {
      throw broken(manifest.id, `${id}, which stands on other backups than it says`);
    }
    manifests.push(layer);
  }
  return manifests;
}

async function loadLayer(
  repository: Pick<Reader, 'load'>,
  { id, of }: { readonly id: string; readonly of: string },
): Promise<Manifest> {
  try {
    return await repository.load(id);
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'BACKUP_NOT_FOUND')) throw error;
    throw broken(of, `${id}, which is not there`, error);
  }
}

function layerOf(repository: Reader, manifest: Manifest, operation: Operation): DumpLayer {
  const { id: backupId } = manifest;
  const { redis } = manifest.components;
  if (redis?.digests === undefined) throw broken(backupId, `${backupId}, which has no digests`);
  const name = isRedisChange(redis) ? 'changes' : 'snapshot';
  const open = (): AsyncIterable<Uint8Array> => repository.readArtifact(manifest, 'redis', name, operation);
  return { backupId, keys: redis.digests.changed, open };
}

function broken(backupId: string, what: string, cause?: unknown): LifeboatError {
  const message = `${backupId}: its copy of redis takes values from ${what}`;
  return new LifeboatError('REDIS_CHAIN_BROKEN', message, { cause, details: { backupId } });
}
