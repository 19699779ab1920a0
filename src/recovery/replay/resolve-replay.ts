import type { ComponentName, Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow } from '../../domain/recovery-window.ts';
import { isRedisChange } from '../../domain/redis-chain.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import { isRefused, resolveTarget } from '../../domain/resolve-target.ts';
import type { RecoveryTarget } from '../../domain/resolve-target.ts';
import { componentsToRestore } from '../../domain/restore-plan.ts';
import type { RepositoryReader } from '../../repository/repository.ts';
import { loadRedisLayers } from '../open-redis-snapshot.ts';
import { readRecoveryCatalog, type RecoveryCatalog } from '../read-catalog.ts';
import { describeChain, requireWholeChains } from './describe-chain.ts';
import type { ReplaySources } from './replay-sources.ts';
import { timeOfPosition } from './time-of-position.ts';

export interface ReplayRequest {
  /** A backup id or `latest`. */
  readonly backup: string;
  readonly components: readonly ComponentName[] | 'stored';
  /** An instant (ISO 8601) or a WAL position; null for the backup's own point. */
  readonly to?: { readonly time: string } | { readonly lsn: string } | null;
}

export interface ResolvedRestore {
  /** What sizes and versions are taken from: the backup that is restored, or the one that is replayed on. */
  readonly manifest: Manifest;
  readonly components: readonly ComponentName[];
  /** Null for a backup as it is. */
  readonly replay: ReplayPlan | null;
}

/**
 * What a request means: a backup as it is, or a base and how far it is replayed. `known`: the catalog of the components that are asked for,
 * where the caller has just read it.
 * @throws LifeboatError BACKUP_NOT_FOUND, RESTORE_COMPONENT_MISSING, JOURNAL_TARGET_OUTSIDE with the nearest instants
 */
export async function resolveReplay(
  sources: ReplaySources,
  request: ReplayRequest,
  operation: Operation,
  known?: RecoveryCatalog,
): Promise<ResolvedRestore> {
  const repository = await sources.repository();
  const { to = null } = request;
  if (to === null) {
    const manifest = await repository.load(request.backup);
    const components = componentsToRestore(manifest, request.components);
    if (manifest.kind === 'full') return { manifest, components, replay: null };
    return ofIncremental(sources, { manifest, components }, operation);
  }
  const wanted = request.components === 'stored' ? sources.components : request.components;
  const all = known ?? (await readRecoveryCatalog(repository, wanted, operation));
  const { components } = all;
  const lineage = all.backups;
  const catalog = request.backup === 'latest' ? all : { ...all, lineage, backups: only(all, request.backup) };
  const target = 'time' in to ? { atMs: Date.parse(to.time) } : { lsn: to.lsn, atMs: timeOfPosition(catalog, to.lsn) };
  const replay = resolve(catalog, target);
  const base = await underneath(repository, replay);
  const recoveryPoint = { time: new Date(target.atMs).toISOString() };
  return { manifest: { ...base, recoveryPoint }, components, replay };
}

function resolve(catalog: RecoveryCatalog, target: RecoveryTarget): ReplayPlan {
  const resolved = resolveTarget(recoveryWindow(catalog), target);
  if (!isRefused(resolved)) return describeChain(catalog, resolved, target);
  requireWholeChains(catalog, target, resolved.message);
  const { code, message, nearestBeforeMs, nearestAfterMs } = resolved;
  const [before, after] = [instant(nearestBeforeMs), instant(nearestAfterMs)];
  const nearest = [before && `before it: ${before}`, after && `after it: ${after}`].filter((part) => part !== null);
  throw new LifeboatError(code, message, {
    details: { nearestBefore: before, nearestAfter: after },
    hint:
      nearest.length === 0
        ? 'take a full backup with a journal first'
        : `the nearest that can be had ${nearest.join(', ')}`,
  });
}

/** A position in both journals, which its full backup is replayed to. */
async function ofIncremental(
  sources: ReplaySources,
  { manifest, components }: { readonly manifest: Manifest; readonly components: readonly ComponentName[] },
  operation: Operation,
): Promise<ResolvedRestore> {
  const { parentId, recoveryPoint } = manifest;
  const repository = await sources.repository();
  // Redis by digests is in the backups themselves: nothing is replayed for it, and what is missing is found now.
  await loadRedisLayers(repository, manifest);
  const byDigests = isRedisChange(manifest.components.redis);
  const replayed = byDigests ? components.filter((name) => name !== 'redis') : components;
  if (replayed.length === 0) return { manifest, components, replay: null };
  const catalog = await readRecoveryCatalog(repository, replayed, operation);
  const atMs = Date.parse(recoveryPoint.time);
  const lsn = components.includes('postgres') ? recoveryPoint.postgres?.lsn : undefined;
  const found = resolve(catalog, lsn === undefined ? { atMs } : { lsn, atMs });
  const offset = recoveryPoint.redis?.offset;
  const redis =
    found.redis && offset !== undefined ? { ...found.redis, target: { position: String(offset) } } : found.redis;
  const replay: ReplayPlan = { postgres: found.postgres, redis };
  const base = await repository.load(parentId ?? baseOf(replay));
  const { redis: changed } = manifest.components;
  const stored = byDigests && changed ? { ...base.components, redis: changed } : base.components;
  return { manifest: { ...base, id: manifest.id, recoveryPoint, components: stored }, components, replay };
}

function only({ backups }: RecoveryCatalog, id: string): RecoveryCatalog['backups'] {
  const found = backups.filter((backup) => backup.id === id);
  if (found.length > 0) return found;
  throw new LifeboatError('BACKUP_NOT_FOUND', `backup ${id}: not in the repository`, { details: { backupId: id } });
}

/** Its sizes and components are those of a backup that stands alone. */
async function underneath(repository: Pick<RepositoryReader, 'load'>, replay: ReplayPlan): Promise<Manifest> {
  const id = baseOf(replay);
  return { ...(await repository.load(replay.postgres?.chain?.[0] ?? id)), id };
}

function baseOf({ postgres, redis }: ReplayPlan): string {
  const id = postgres?.baseId ?? redis?.snapshotId;
  if (id !== undefined) return id;
  throw new LifeboatError('INTERNAL', 'a replay of nothing');
}

const instant = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());
