import type { CopyResult, DataActivities, IncrementalPlan } from '../../contract/activities.ts';
import type { BackupRecord } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { REDIS_CHAIN_MAX, redisLayersOf, redisParentOf } from '../../domain/redis-chain.ts';
import type { Dependencies } from '../dependencies.ts';
import { openComponent } from '../open-component.ts';
import { configured } from '../sources.ts';

/** Which backup the keys are compared with, or why a full one must be taken. */
export function planRedisChanges(
  backups: readonly BackupRecord[],
  fullId: string,
): { readonly full: string } | Required<Pick<IncrementalPlan, 'redisParentId'>> {
  const parent = redisParentOf(backups, fullId);
  if (parent === undefined)
    throw new LifeboatError('INTERNAL', `${fullId} is not among the backups it was chosen from`);
  const links = redisLayersOf(parent.components.redis).length + 1;
  if (links >= REDIS_CHAIN_MAX) return { full: `${links} backups of redis stand on each other, which is long enough` };
  return { redisParentId: parent.id };
}

/** Copies what changed since another backup; the result says that it is of no single instant. */
export async function copyRedisChanges(
  deps: Dependencies,
  { backupId, codec, redisParentId }: Parameters<DataActivities['copyRedisChanges']>[0],
  operation: Operation,
): Promise<CopyResult> {
  const { target } = configured(deps.settings, 'redis');
  const repository = await deps.repository();
  const parent = await repository.load(redisParentId);
  const stored = parent.components.redis;
  if (stored?.digests === undefined) {
    throw new LifeboatError('REDIS_CHAIN_BROKEN', `${backupId}: ${redisParentId} has no digests to compare keys with`);
  }
  const base = {
    openIndex: () => repository.readArtifact(parent, 'redis', 'digests', operation),
    layers: [...redisLayersOf(stored), redisParentId],
    rdbVersion: stored.rdbVersion,
  };
  const component = await openComponent(repository, { backupId, name: 'redis', codec }, operation);
  const scratchDirectory = deps.settings.journal.spillDirectory;
  const context = { sink: component.write, operation, scratchDirectory };
  const facts = await deps.redis.exportChanges(target, base, context);
  const copied = await component.close(facts, { time: facts.snapshotAt });
  const warning = 'redis is copied key by key, not at one instant: only keys that changed are stored';
  return { ...copied, warnings: [...copied.warnings, warning] };
}
