import type { ControlActivities, DataActivities, IncrementalPlan, MarkedPoint } from '../../contract/activities.ts';
import type {
  BackupRecord,
  BaseBackupFacts,
  ComponentName,
  JournalRange,
  Manifest,
  PostgresFacts,
  RedisFacts,
} from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { isDigestBase } from '../../domain/redis-chain.ts';
import type { Codec, ComponentRef, Repository } from '../../repository/repository.ts';
import type { Dependencies } from '../dependencies.ts';
import { openComponent } from '../open-component.ts';
import { withOperation } from '../operation.ts';
import { componentsToCopy, configured, redisMethod } from '../sources.ts';
import { awaitJournal } from './await-journal.ts';
import { latestEpoch } from './journal-start.ts';
import { copyRedisChanges, planRedisChanges } from './redis-changes.ts';

type IncrementalActivities = Pick<ControlActivities, 'planIncremental' | 'markRecoveryPoint' | 'publishIncremental'> &
  Pick<DataActivities, 'awaitJournal' | 'copyRedisChanges'>;

export function createIncrementalActivities(deps: Dependencies): IncrementalActivities {
  const { settings } = deps;
  return {
    planIncremental: (input) => withOperation(settings, () => planIncremental(deps, input)),
    markRecoveryPoint: (input) => withOperation(settings, () => markRecoveryPoint(deps, input)),
    copyRedisChanges: (input) => withOperation(settings, (operation) => copyRedisChanges(deps, input, operation)),
    awaitJournal: (wanted) => withOperation(settings, (operation) => awaitJournal(deps, wanted, operation)),
    publishIncremental: (input) => withOperation(settings, (operation) => publishIncremental(deps, input, operation)),
  };
}

async function planIncremental(
  deps: Dependencies,
  { request, redisByDigests = false }: Parameters<ControlActivities['planIncremental']>[0],
): Promise<IncrementalPlan> {
  const wanted = componentsToCopy(deps.settings, request.components);
  const byDigests = redisByDigests && wanted.includes('redis') && (await redisMethod(deps)) === 'dump';
  const backups = await (await deps.repository()).list();
  const parent = backups.find((backup) => isBaseFor(backup, wanted, byDigests));
  if (parent === undefined) return { full: whyNoBase(backups, wanted, byDigests), parentId: '' };
  const base = parent.components.postgres?.base;
  if (base !== undefined && wanted.includes('postgres')) {
    const { target } = configured(deps.settings, 'postgres');
    const identity = await deps.wal.identify(target);
    const otherTimeline = identity.timeline !== base.timeline;
    if (identity.systemIdentifier !== base.systemIdentifier || otherTimeline) {
      const what = otherTimeline ? `timeline ${base.timeline}, now ${identity.timeline}` : 'another cluster';
      return { full: `the newest base is of ${what}`, parentId: '' };
    }
  }
  if (!byDigests) return { full: null, parentId: parent.id };
  const changes = planRedisChanges(backups, parent.id);
  return 'full' in changes ? { ...changes, parentId: '' } : { full: null, parentId: parent.id, ...changes };
}

function isBaseFor(backup: BackupRecord, wanted: readonly ComponentName[], byDigests: boolean): boolean {
  const { kind, status, components } = backup;
  if (kind !== 'full' || status !== 'complete') return false;
  if (wanted.includes('postgres') && components.postgres?.base === undefined) return false;
  if (byDigests) return isDigestBase(backup);
  return !wanted.includes('redis') || components.redis?.method === 'replication';
}

function whyNoBase(backups: readonly BackupRecord[], wanted: readonly ComponentName[], byDigests: boolean): string {
  if (!backups.some(({ kind }) => kind === 'full')) return 'there is no full backup to stand on';
  if (byDigests && !backups.some(isDigestBase)) {
    return 'redis allows no replication, and no full backup holds digests of its keys that changes could be told by';
  }
  return wanted.includes('postgres')
    ? 'no full backup has a physical base, which WAL could be replayed on'
    : 'no full backup has a snapshot that a replication stream could go on from';
}

async function markRecoveryPoint(
  deps: Dependencies,
  { request, redisByDigests = false }: Parameters<ControlActivities['markRecoveryPoint']>[0],
): Promise<MarkedPoint> {
  const wanted = componentsToCopy(deps.settings, request.components);
  const [postgres, redis] = await Promise.all([
    wanted.includes('postgres') ? deps.wal.identify(configured(deps.settings, 'postgres').target) : null,
    wanted.includes('redis') && !redisByDigests ? deps.redis.inspect(configured(deps.settings, 'redis').target) : null,
  ]);
  return {
    time: new Date().toISOString(),
    postgres: postgres && {
      systemIdentifier: postgres.systemIdentifier,
      timeline: postgres.timeline,
      lsn: postgres.lsn,
    },
    redis: redis && { replid: redis.replid, offset: redis.offset, keys: redis.keys },
  };
}

type Publish = Parameters<ControlActivities['publishIncremental']>[0];

async function publishIncremental(deps: Dependencies, input: Publish, operation: Operation): Promise<BackupRecord> {
  const { request, backupId, codec, createdAt, parentId, point, warnings, redis: copied } = input;
  const repository = await deps.repository();
  const published = await publishedBefore(repository, backupId);
  if (published !== undefined) return repository.record(published);
  const parent = await repository.load(parentId);
  const components: ComponentRef[] = [];
  const { postgres, redis } = point;
  if (postgres !== null) {
    const { base, ...facts } = need(parent.components.postgres, parentId);
    const journal = await rangeOf(deps, { kind: 'postgres', from: needBase(base, parentId).endLsn, to: postgres.lsn });
    const { timeline, lsn } = postgres;
    const now: PostgresFacts = { ...bare(facts), method: ['wal'], timeline, lsn, snapshotAt: point.time, journal };
    components.push(await writePoint(deps, { backupId, codec, name: 'postgres', facts: now, point }, operation));
  }
  if (redis !== null) {
    const facts = need(parent.components.redis, parentId);
    const { replid, offset, keys } = redis;
    const journal = await rangeOf(deps, { kind: 'redis', from: String(facts.offset), to: String(offset) });
    const databases = {};
    const now: RedisFacts = {
      ...bare(facts),
      method: 'stream',
      replid,
      offset,
      keys,
      databases,
      digest: '',
      snapshotAt: point.time,
      journal,
    };
    components.push(await writePoint(deps, { backupId, codec, name: 'redis', facts: now, point }, operation));
  }
  if (copied !== undefined) components.push(copied.ref);
  const { time } = point;
  const manifest = await repository.publish({
    backupId,
    createdAt,
    kind: 'incremental',
    parentId,
    codec,
    label: request.label,
    holds: request.hold === null ? [] : [request.hold],
    components,
    recoveryPoint: {
      time,
      ...(postgres && { postgres: { timeline: postgres.timeline, lsn: postgres.lsn } }),
      ...(redis && { redis: { replid: redis.replid, offset: redis.offset } }),
    },
    finishedAt: new Date().toISOString(),
    warnings,
  });
  return repository.record(manifest);
}

/** What an attempt published before it was lost. */
async function publishedBefore(repository: Repository, backupId: string): Promise<Manifest | undefined> {
  try {
    return await repository.load(backupId);
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'BACKUP_NOT_FOUND') return undefined;
    throw error;
  }
}

/** An incremental component holds one small document: its position. The bytes are in the journal. */
async function writePoint(
  deps: Dependencies,
  component: {
    readonly backupId: string;
    readonly codec: Codec;
    readonly name: ComponentName;
    readonly facts: PostgresFacts | RedisFacts;
    readonly point: MarkedPoint;
  },
  operation: Operation,
): Promise<ComponentRef> {
  const { backupId, codec, name, facts, point } = component;
  const open = await openComponent(await deps.repository(), { backupId, name, codec }, operation);
  const document = Buffer.from(`${JSON.stringify({ point, journal: facts.journal })}\n`);
  await open.write({ name: 'point', format: 'json', attributes: {} }, oneChunk(document));
  return (await open.close(facts, { time: point.time })).ref;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function rangeOf(
  deps: Dependencies,
  range: { readonly kind: ComponentName; readonly from: string; readonly to: string },
): Promise<JournalRange> {
  const last = await latestEpoch(deps, range.kind);
  if (last === undefined) throw new LifeboatError('INTERNAL', `no ${range.kind} journal after it was awaited`);
  const { history, epoch } = last.begin;
  return { history, epoch, timeline: last.durable.timeline, from: range.from, to: range.to };
}

/** Facts that stay true for a later point of the same server. */
function bare<T extends { bytes: number; storedBytes: number; artifacts: unknown }>(
  component: T,
): Omit<T, 'bytes' | 'storedBytes' | 'artifacts'> {
  const { bytes: _bytes, storedBytes: _stored, artifacts: _artifacts, ...facts } = component;
  return facts;
}

function need<T>(component: T | undefined, backupId: string): T {
  if (component !== undefined) return component;
  throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${backupId} has not the component that is to go on`);
}

function needBase(base: BaseBackupFacts | undefined, backupId: string): BaseBackupFacts {
  return need(base, backupId);
}
