import type { AwaitedJournal, CopyResult, DataActivities, MarkedPoint } from '../../contract/activities.ts';
import type { BackupInput, BackupResult } from '../../contract/messages.ts';
import { control, data } from './activity-options.ts';
import { allOrCancel } from './cancellation.ts';
import { orCompensate } from './compensation.ts';
import type { WorkflowProgress } from './progress.ts';

/** The incremental backup, or why a full one must be taken. */
export type TakenIncremental = { readonly result: BackupResult } | { readonly result: null; readonly reason: string };

/**
 * Marks one instant in both servers, waits until both journals are durable through it, and publishes a manifest that names it. No
 * data is copied: it is in the journals. Of a Redis that no journal can follow the keys that changed are copied.
 */
export async function takeIncremental(
  progress: WorkflowProgress,
  request: BackupInput,
  owner: string,
): Promise<TakenIncremental> {
  progress.enter('inspecting', 'looking for a full backup to stand on');
  const plan = await control('decide', 'look for a full backup to stand on').planIncremental({
    request,
    redisByDigests: true,
  });
  if (plan.full !== null) return { result: null, reason: plan.full };

  // Only plans of this version name one: older histories take the other way.
  const { redisParentId } = plan;
  progress.enter('marking', 'asking both servers where they are');
  const marking = { request, ...(redisParentId === undefined ? {} : { redisByDigests: true }) };
  const point = await control('decide', 'mark a recovery point').markRecoveryPoint(marking);
  progress.enter('waiting', describePoint(point));
  const journals = await awaitJournals(point);
  const broken = journals.find(({ end }) => end === 'new-base-needed');
  if (broken?.end === 'new-base-needed') return { result: null, reason: broken.message };

  const createdAt = new Date().toISOString();
  const { backupId, codec } = await control('decide', 'take a backup id').beginBackup({ request, createdAt, owner });
  progress.concerns(backupId);
  const discard = {
    name: 'remove the unfinished backup',
    run: () => control('settle', `remove what ${backupId} left behind`).discardBackup({ backupId }),
  };
  return orCompensate(progress, [discard], async () => {
    const copied =
      redisParentId === undefined ? undefined : await copyChanges(progress, { backupId, codec, redisParentId });
    const warnings = copied?.warnings ?? [];
    progress.enter('publishing', 'writing the signed manifest');
    const { parentId } = plan;
    const taken = { request, backupId, codec, createdAt, parentId, point, warnings };
    const publish = copied === undefined ? taken : { ...taken, redis: copied };
    const backup = await control('settle', 'write the signed manifest').publishIncremental(publish);
    progress.enter('done', `${backupId} stands on ${plan.parentId}`);
    return { result: { backup, warnings } };
  });
}

/** Redis where no journal can follow it. */
async function copyChanges(
  progress: WorkflowProgress,
  wanted: Parameters<DataActivities['copyRedisChanges']>[0],
): Promise<CopyResult> {
  progress.enter('copying', `the keys of Redis that are not as ${wanted.redisParentId} has them`);
  return data(`Redis: what changed since ${wanted.redisParentId}`).copyRedisChanges(wanted);
}

async function awaitJournals({ postgres, redis }: MarkedPoint): Promise<AwaitedJournal[]> {
  const tasks: (() => Promise<AwaitedJournal>)[] = [];
  if (postgres !== null) {
    const wait = data(`WAL durable through ${postgres.lsn}`);
    tasks.push(() => wait.awaitJournal({ kind: 'postgres', through: postgres.lsn }));
  }
  if (redis !== null) {
    const wait = data(`stream durable through ${redis.offset}`);
    tasks.push(() => wait.awaitJournal({ kind: 'redis', through: String(redis.offset) }));
  }
  return allOrCancel<AwaitedJournal[]>(tasks);
}

function describePoint({ postgres, redis }: MarkedPoint): string {
  if (postgres === null && redis === null) return 'for no journal: Redis is copied by its digests';
  const parts = [postgres && `WAL through ${postgres.lsn}`, redis && `the Redis stream through ${redis.offset}`];
  return `until the journals hold ${parts.filter((part) => part !== null).join(' and ')}`;
}
