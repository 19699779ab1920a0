import type { RestoreInput } from '../../contract/messages.ts';
import type { ComponentName, Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { compareLsn } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow } from '../../domain/recovery-window.ts';
import { isRedisChange } from '../../domain/redis-chain.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import { isRefused, resolveTarget } from '../../domain/resolve-target.ts';
import type { RecoveryTarget } from '../../domain/resolve-target.ts';
import { componentsToRestore } from '../../domain/restore-plan.ts';
import { loadRedisLayers } from '../../recovery/open-redis-snapshot.ts';
import type { Dependencies } from '../dependencies.ts';
import { readRecoveryCatalog } from './catalog.ts';
import type { Catalog } from './catalog.ts';

export interface ResolvedRestore {
  /** What sizes and versions are taken from: the backup that is restored, or the one that is replayed on. */
  readonly manifest: Manifest;
  readonly components: readonly ComponentName[];
  /** Null for a backup as it is. */
  readonly replay: ReplayPlan | null;
}

/**
 * What a request means: a backup as it is, or a base and how far it is replayed.
 * @throws LifeboatError BACKUP_NOT_FOUND, RESTORE_COMPONENT_MISSING, JOURNAL_TARGET_OUTSIDE with the nearest instants
 */
export async function resolveReplay(
  deps: Dependencies,
  request: RestoreInput,
  operation: Operation,
): Promise<ResolvedRestore> {
  const repository = await deps.repository();
  const { to = null } = request;
  if (to === null) {
    const manifest = await repository.load(request.backup);
    const components = componentsToRestore(manifest, request.components);
    if (manifest.kind === 'full') return { manifest, components, replay: null };
    return ofIncremental(deps, { manifest, components }, operation);
  }
  const components = componentsOf(deps, request);
  const all = await readRecoveryCatalog(deps, components, operation);
  const catalog = request.backup === 'latest' ? all : { ...all, backups: only(all, request.backup) };
  const target = 'time' in to ? { atMs: Date.parse(to.time) } : { lsn: to.lsn, atMs: timeOfLsn(catalog, to.lsn) };
  const replay = resolve(catalog, target);
  const base = await repository.load(baseOf(replay));
  const recoveryPoint = { time: new Date(target.atMs).toISOString() };
  return { manifest: { ...base, recoveryPoint }, components, replay };
}

function resolve(catalog: Catalog, target: RecoveryTarget): ReplayPlan {
  const resolved = resolveTarget(recoveryWindow(catalog), target);
  if (!isRefused(resolved)) return resolved;
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
  deps: Dependencies,
  { manifest, components }: { readonly manifest: Manifest; readonly components: readonly ComponentName[] },
  operation: Operation,
): Promise<ResolvedRestore> {
  const { parentId, recoveryPoint } = manifest;
  // Redis by digests is in the backups themselves: nothing is replayed for it, and what is missing is found now.
  await loadRedisLayers(await deps.repository(), manifest);
  const byDigests = isRedisChange(manifest.components.redis);
  const replayed = byDigests ? components.filter((name) => name !== 'redis') : components;
  if (replayed.length === 0) return { manifest, components, replay: null };
  const catalog = await readRecoveryCatalog(deps, replayed, operation);
  const atMs = Date.parse(recoveryPoint.time);
  const lsn = components.includes('postgres') ? recoveryPoint.postgres?.lsn : undefined;
  const found = resolve(catalog, lsn === undefined ? { atMs } : { lsn, atMs });
  const offset = recoveryPoint.redis?.offset;
  const redis =
    found.redis && offset !== undefined ? { ...found.redis, target: { position: String(offset) } } : found.redis;
  const replay: ReplayPlan = { postgres: found.postgres, redis };
  const base = await (await deps.repository()).load(parentId ?? baseOf(replay));
  const { redis: changed } = manifest.components;
  const stored = byDigests && changed ? { ...base.components, redis: changed } : base.components;
  return { manifest: { ...base, id: manifest.id, recoveryPoint, components: stored }, components, replay };
}

function componentsOf({ settings }: Dependencies, { components }: RestoreInput): ComponentName[] {
  const configured = (['postgres', 'redis'] as const).filter((name) => settings[name] !== null);
  return components === 'stored' ? configured : [...components];
}

function only({ backups }: Catalog, id: string): Catalog['backups'] {
  const found = backups.filter((backup) => backup.id === id);
  if (found.length > 0) return found;
  throw new LifeboatError('BACKUP_NOT_FOUND', `backup ${id}: not in the repository`, { details: { backupId: id } });
}

/** The moment by which the journal had that position: Redis is brought to it. */
function timeOfLsn({ postgres }: Catalog, lsn: string): number {
  const entries = postgres
    .flatMap((epoch) => epoch.entries)
    .filter(({ kind }) => kind === 'piece' || kind === 'segment');
  const holder = entries.find(({ from, to }) => compareLsn(from, lsn) <= 0 && compareLsn(lsn, to) <= 0);
  return holder?.toMs ?? Date.now();
}

function baseOf({ postgres, redis }: ReplayPlan): string {
  const id = postgres?.baseId ?? redis?.snapshotId;
  if (id !== undefined) return id;
  throw new LifeboatError('INTERNAL', 'a replay of nothing');
}

const instant = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());
