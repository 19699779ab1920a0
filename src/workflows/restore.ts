import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import { SAVED_BEFORE_RESTORE } from '../domain/backup.ts';
import type { DataActivities, StreamCutMessage } from '../contract/activities.ts';
import type { Check } from '../domain/backup.ts';
import type { ReplayedPosition } from '../domain/replay.ts';
import type { RestoreInput, RestorePlan, RestoreRecord, RestoreResult } from '../contract/messages.ts';
import { control, data } from './support/activity-options.ts';
import { allOrCancel, cancellable } from './support/cancellation.ts';
import { orCompensate } from './support/compensation.ts';
import { trackProgress } from './support/progress.ts';
import type { WorkflowProgress } from './support/progress.ts';
import { restoreResult } from './support/restore-result.ts';
import { withServicesStopped } from './support/services.ts';
import { takeBackup } from './support/take-backup.ts';

/**
 * Brings a backup back, under the group's lock. Everything is loaded and proven beside the live data first; the live data
 * changes last, in two short steps, and what it was is kept so that `restore undo` can bring it back.
 */
export async function restoreWorkflow(input: RestoreInput): Promise<RestoreResult> {
  const progress = trackProgress(`restore of ${input.backup} into group ${input.group}`);
  return cancellable(progress, () => restore(progress, input));
}

async function restore(progress: WorkflowProgress, input: RestoreInput): Promise<RestoreResult> {
  const { startTime, runId } = workflowInfo();
  progress.enter('planning', 'checking the manifest and what stands in the way');
  const planning = { request: input, startedAt: startTime.toISOString(), runId };
  const plan = await control('decide', 'check the manifest and the targets').planRestore(planning);
  progress.concerns(plan.backupId);
  if (plan.notice != null) progress.note(plan.notice);
  if (input.dryRun) return restoreResult({ plan, startedAt: startTime, finishedAt: new Date() });

  const dropAside = {
    name: 'drop the database loaded aside',
    run: async () => plan.postgres && control('settle', 'drop the database loaded aside').dropAside(plan.postgres),
  };
  const done = await orCompensate(progress, [dropAside], async () => {
    const prepared = await prepare(progress, plan, input);
    return withServicesStopped(progress, plan.services, async () => {
      const switched = await switchOver(progress, plan, prepared);
      // Before the services start: whatever happens to them, the way back is known.
      return { prepared, switched, record: await recordRestore(progress, plan, { prepared, switched }) };
    });
  });

  progress.enter('done', `${plan.backupId} is back`);
  const { prepared, switched, record } = done;
  const checks = [...prepared.checks, ...switched.checks];
  const { rolesCreated, position, cut } = prepared;
  const outcome = { record, rolesCreated, redis: switched.redis, checks, position, cut };
  return restoreResult({ plan, startedAt: startTime, finishedAt: new Date(), done: outcome });
}

/** Keeps what was replaced for an undo; shielded from cancellation, since the data is live already. */
async function recordRestore(
  progress: WorkflowProgress,
  plan: RestorePlan,
  done: { readonly prepared: Prepared; readonly switched: Switched },
): Promise<RestoreRecord> {
  progress.enter('recording', 'keeping what was replaced for an undo');
  const { restoreId, backupId, services, postgres, redis } = plan;
  const { replaced, replacedOid } = done.switched;
  return CancellationScope.nonCancellable(() =>
    control('settle', 'record what was replaced').recordRestore({
      restoreId,
      backupId,
      services,
      postgres: postgres && { database: postgres.database, replaced, replacedOid },
      // An undo acts on the configured server only.
      redis: redis && redis.target === undefined ? redisRecord(plan, done.prepared) : null,
    }),
  );
}

/** What was loaded matters where nothing was saved: it has to be told from what clients write. */
function redisRecord({ replay }: RestorePlan, { savedAs, cut }: Prepared): NonNullable<RestoreRecord['redis']> {
  const on = replay?.redis;
  return savedAs === null && on && cut
    ? { savedAs, replayed: { backupId: on.snapshotId, replay: on, cut } }
    : { savedAs };
}

interface Prepared {
  readonly checks: readonly Check[];
  readonly rolesCreated: readonly string[];
  /** The backup that holds the present Redis keys; null when there are none to lose. */
  readonly savedAs: string | null;
  /** Identity of the database loaded aside. */
  readonly databaseOid: number | undefined;
  /** Where a replay ended; undefined without one. */
  readonly position: ReplayedPosition | undefined;
  readonly cut: StreamCutMessage | undefined;
}

/** Loads PostgreSQL aside, reads the Redis snapshot to its end and saves the present keys: nothing live changes. */
async function prepare(progress: WorkflowProgress, plan: RestorePlan, input: RestoreInput): Promise<Prepared> {
  progress.enter('preparing', 'loading and proving the data beside the live data');
  const { postgres, redis } = plan;
  const [aside, snapshot] = await allOrCancel([
    async () => postgres && data(`load ${postgres.asideDatabase}`).restorePostgresAside(asideRequest(plan, postgres)),
    async () => redis && data('read the Redis snapshot').checkRedisSnapshot(snapshotRequest(plan)),
  ]);
  const checks = [...(aside?.checks ?? []), ...(snapshot ? [snapshot.check] : [])];
  const { rolesCreated = [], databaseOid, position } = aside ?? {};
  const savedAs = await saveRedis(progress, plan, input);
  return { checks, rolesCreated, databaseOid, position, cut: snapshot?.cut, savedAs };
}

type Aside = NonNullable<RestorePlan['postgres']>;

function asideRequest(
  { backupId, restoreId, replay, ...plan }: RestorePlan,
  { database, asideDatabase }: Aside,
): Parameters<DataActivities['restorePostgresAside']>[0] {
  const on = replay?.postgres;
  return { backupId, database, asideDatabase, ...(on ? { replay: on, restoreId } : {}), ...sourceOf(plan) };
}

function snapshotRequest({
  backupId,
  replay,
  ...plan
}: RestorePlan): Parameters<DataActivities['checkRedisSnapshot']>[0] {
  const on = replay?.redis;
  return { ...(on ? { backupId: on.snapshotId, replay: on } : { backupId }), ...sourceOf(plan) };
}

/** What is read comes from there; what a restore keeps goes into the repository itself. */
function sourceOf({ from }: Pick<RestorePlan, 'from'>): { readonly from?: string } {
  return from === undefined ? {} : { from };
}

/** A Redis-only backup of the keys that are about to be replaced; null when there are none. */
async function saveRedis(progress: WorkflowProgress, plan: RestorePlan, input: RestoreInput): Promise<string | null> {
  if (!replacesRedis(plan) || plan.redis?.target !== undefined) return null;
  const label = { reason: SAVED_BEFORE_RESTORE, restore: plan.restoreId };
  const { group, requestedBy } = input;
  const request = { group, requestedBy, kind: 'full' as const, components: ['redis' as const], label, hold: null };
  const saved = await takeBackup(progress, request, `${workflowInfo().runId}/saved`);
  return saved.backup.id;
}

function replacesRedis({ redis }: RestorePlan): boolean {
  return redis !== null && redis.replacesKeys + redis.replacesFunctions > 0;
}

interface Switched {
  readonly replaced: string | null;
  readonly replacedOid: number | null;
  readonly redis: { readonly keys: number; readonly method: string } | null;
  readonly checks: readonly Check[];
}

/** Redis first: it can be brought back from its saved keys, or emptied where it was empty, until the last step, the rename in PostgreSQL, is done. */
async function switchOver(progress: WorkflowProgress, plan: RestorePlan, prepared: Prepared): Promise<Switched> {
  progress.enter('switching', 'replacing the live data');
  const { postgres } = plan;
  const { savedAs, databaseOid, cut } = prepared;
  const { backupId, ...replay } = snapshotRequest(plan);
  const bringBack = {
    name: savedAs === null ? 'empty Redis again' : 'bring the saved Redis keys back',
    run: async () =>
      savedAs === null
        ? plan.redis && emptyAgain(progress, plan, cut)
        : data('bring the saved keys back').restoreRedis({ backupId: savedAs, dropExisting: true }),
  };
  return orCompensate(progress, [bringBack], async () => {
    const summary = `load ${plan.redis?.keys} keys into Redis`;
    const more = { ...(cut === undefined ? {} : { cut }), ...targetOf(plan) };
    const load = { backupId, dropExisting: replacesRedis(plan), ...replay, ...more };
    const redis = plan.redis && (await data(summary).restoreRedis(load));
    const swap = postgres && { ...postgres, ...(databaseOid === undefined ? {} : { asideOid: databaseOid }) };
    const swapped = swap && (await control('settle', `swap ${swap.database}`).swapDatabase(swap));
    const { replaced = null, replacedOid = null, skipped = [] } = swapped ?? {};
    return { replaced, replacedOid, redis, checks: [...(redis?.checks ?? []), ...skipped.map(notCarriedOver)] };
  });
}

/** Of another server nothing was saved: what it held cannot come back. */
async function emptyAgain(
  progress: WorkflowProgress,
  plan: RestorePlan,
  cut: StreamCutMessage | undefined,
): Promise<unknown> {
  if (plan.redis?.target === undefined || !replacesRedis(plan)) {
    const loaded = { ...snapshotRequest(plan), ...(cut === undefined ? {} : { cut }) };
    return data('empty Redis again').emptyRedis({ ...loaded, ...targetOf(plan) });
  }
  progress.note(`${plan.redis.target} is left with what was loaded: what it held before was not saved`);
  return undefined;
}

function targetOf({ redis }: RestorePlan): { readonly target?: string } {
  return redis?.target === undefined ? {} : { target: redis.target };
}

/** A property of the replaced database that the role may not give to the new one: said, and no failure of the restore. */
function notCarriedOver(message: string): Check {
  return { name: 'database properties', status: 'skip', expected: 'as before', actual: '', message };
}
