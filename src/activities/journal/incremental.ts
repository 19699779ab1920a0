import type { ControlActivities, DataActivities, IncrementalPlan, MarkedPoint } from '../../contract/activities.ts';
import type {
  Artifact,
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
import type { ComponentRef, Repository } from '../../repository/repository.ts';
import type { Dependencies } from '../dependencies.ts';
import { openComponent } from '../open-component.ts';
import { withTargets } from '../copy-to-target.ts';
import { withOperation } from '../operation.ts';
import { componentsToCopy, configured, redisMethod } from '../sources.ts';
import { awaitJournal } from './await-journal.ts';
import { latestEpoch } from './journal-start.ts';
import { copyIncrementalBase, planNative } from './native-base.ts';
import { bare, need } from './point-facts.ts';
import { copyRedisChanges, planRedisChanges } from './redis-changes.ts';

type IncrementalActivities = Pick<ControlActivities, 'planIncremental' | 'markRecoveryPoint' | 'publishIncremental'> &
  Pick<DataActivities, 'awaitJournal' | 'copyIncrementalBase' | 'copyRedisChanges'>;

export function createIncrementalActivities(deps: Dependencies): IncrementalActivities {
  const { settings } = deps;
  return {
    planIncremental: (input) => withOperation(settings, () => planIncremental(deps, input)),
    markRecoveryPoint: (input) => withOperation(settings, () => markRecoveryPoint(deps, input)),
    copyRedisChanges: (input) => withOperation(settings, (operation) => copyRedisChanges(deps, input, operation)),
    awaitJournal: (wanted) => withOperation(settings, (operation) => awaitJournal(deps, wanted, operation)),
    copyIncrementalBase: (input) => withOperation(settings, (operation) => copyIncrementalBase(deps, input, operation)),
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
  const changes = byDigests ? planRedisChanges(backups, parent.id) : null;
  if (changes !== null && 'full' in changes) return { full: changes.full, parentId: '' };
  const plan = { full: null, parentId: parent.id, ...changes };
  const base = parent.components.postgres?.base;
  if (base === undefined || !wanted.includes('postgres')) return plan;
  const identity = await deps.wal.identify(configured(deps.settings, 'postgres').target);
  if (identity.timeline !== base.timeline) {
    return { full: `the newest base is of timeline ${base.timeline}, now ${identity.timeline}`, parentId: '' };
  }
  if (identity.systemIdentifier !== base.systemIdentifier) {
    return { full: 'the newest base is of another cluster', parentId: '' };
  }
  const native = await planNative(deps, { backups, fullId: parent.id, identity });
  return { ...plan, ...(native && { native }) };
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
  if (published !== undefined) return withTargets(deps, await repository.record(published));
  const parent = await repository.load(parentId);
  const { postgres, redis } = point;
  const components: ComponentRef[] = [];
  if (postgres !== null) components.push(await writePostgres(deps, { input, parent, at: postgres }, operation));
  if (redis !== null) components.push(await writeRedis(deps, { input, parent, at: redis }, operation));
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
  return withTargets(deps, await repository.record(manifest));
}

interface PointOf<T> {
  readonly input: Publish;
  /** The full backup that the journals go on from. */
  readonly parent: Manifest;
  readonly at: NonNullable<T>;
}

async function writePostgres(
  deps: Dependencies,
  { input, parent, at }: PointOf<MarkedPoint['postgres']>,
  operation: Operation,
): Promise<ComponentRef> {
  const { base, ...facts } = need(parent.components.postgres, parent.id);
  const blocks = await copiedBlocks(await deps.repository(), input);
  const { timeline, lsn } = at;
  const now: PostgresFacts = {
    ...bare(facts),
    method: blocks.base === undefined ? ['wal'] : ['physical', 'wal'],
    timeline,
    lsn,
    snapshotAt: input.point.time,
    ...(blocks.base && { base: blocks.base }),
    journal: await rangeOf(deps, { kind: 'postgres', from: needBase(base, parent.id).endLsn, to: lsn }),
  };
  return writePoint(deps, { input, name: 'postgres', facts: now, made: blocks.artifacts }, operation);
}

async function writeRedis(
  deps: Dependencies,
  { input, parent, at }: PointOf<MarkedPoint['redis']>,
  operation: Operation,
): Promise<ComponentRef> {
  const facts = need(parent.components.redis, parent.id);
  const journal = await rangeOf(deps, { kind: 'redis', from: String(facts.offset), to: String(at.offset) });
  const now: RedisFacts = {
    ...bare(facts),
    method: 'stream',
    ...at,
    databases: {},
    digest: '',
    snapshotAt: input.point.time,
    journal,
  };
  return writePoint(deps, { input, name: 'redis', facts: now, made: [] }, operation);
}

/** The base and its artifacts, where changed blocks were copied for this backup. */
async function copiedBlocks(
  repository: Repository,
  { backupId, base }: Publish,
): Promise<{ readonly base?: BaseBackupFacts; readonly artifacts: readonly Artifact[] }> {
  if (base === undefined) return { artifacts: [] };
  const { facts, artifacts } = await repository.readComponent(backupId, base);
  return { ...('base' in facts && facts.base !== undefined && { base: facts.base }), artifacts };
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

/** One small document, the position: what led to it is in the journal. `made`: what else the component holds already. */
async function writePoint(
  deps: Dependencies,
  component: {
    readonly input: Publish;
    readonly name: ComponentName;
    readonly facts: PostgresFacts | RedisFacts;
    readonly made: readonly Artifact[];
  },
  operation: Operation,
): Promise<ComponentRef> {
  const { name, facts, made } = component;
  const { backupId, codec, point } = component.input;
  const open = await openComponent(await deps.repository(), { backupId, name, codec, made }, operation);
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

function needBase(base: BaseBackupFacts | undefined, backupId: string): BaseBackupFacts {
  return need(base, backupId);
}
