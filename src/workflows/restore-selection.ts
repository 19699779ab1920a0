import { CancellationScope, patched, workflowInfo } from '@temporalio/workflow';
import { SAVED_BEFORE_RESTORE } from '../domain/backup.ts';
import type { DataActivities } from '../contract/activities.ts';
import type { RestoreRecord } from '../contract/messages.ts';
import type { RestoreSelectionInput, RestoreSelectionResult } from '../contract/selection.ts';
import type { SelectionRecord } from '../contract/selection-record.ts';
import type { SelectionPlan } from '../domain/selection-plan.ts';
import { leftByUndo, type IdentifiedTable } from '../domain/selection-undo.ts';
import { control, data } from './support/activity-options.ts';
import { allOrCancel, cancellable } from './support/cancellation.ts';
import { orCompensate } from './support/compensation.ts';
import { trackProgress } from './support/progress.ts';
import type { WorkflowProgress } from './support/progress.ts';
import { selectionResult } from './support/selection-result.ts';
import { takeBackup } from './support/take-backup.ts';

/**
 * Brings single tables and keys back, under the group's lock. Tables are loaded and proven beside the live ones and the snapshot of the keys is
 * read to its end before anything live changes; the tables move last, in one transaction.
 */
export async function restoreSelectionWorkflow(input: RestoreSelectionInput): Promise<RestoreSelectionResult> {
  const progress = trackProgress(`restore of ${what(input)} from ${input.backup} into group ${input.group}`);
  return cancellable(progress, () => restoreSelection(progress, input));
}

async function restoreSelection(
  progress: WorkflowProgress,
  input: RestoreSelectionInput,
): Promise<RestoreSelectionResult> {
  const startedAt = workflowInfo().startTime;
  progress.enter('planning', 'checking the manifest and what stands in the way');
  const planning = { request: input, startedAt: startedAt.toISOString() };
  const plan = await control('decide', 'check the manifest and the targets').planSelection(planning);
  progress.concerns(plan.backupId);
  if (plan.notice != null) progress.note(plan.notice);
  if (input.dryRun) return selectionResult({ plan, startedAt, finishedAt: new Date() });

  const { tables } = plan;
  const dropLoaded = {
    name: 'drop the tables loaded beside',
    run: async () => tables && control('settle', 'drop the tables loaded beside').dropLoadedTables(tables),
  };
  const done = await orCompensate(progress, [dropLoaded], async () => {
    const prepared = await prepare(progress, plan, input);
    const live = await bringLive(progress, plan, prepared);
    const record = patched(RECORDED) ? await recordSelection(progress, plan, { prepared, live }) : null;
    return { ...prepared, ...live, record };
  });
  progress.enter('done', `${what(input)} of ${plan.backupId} is back`);
  return selectionResult({ plan, startedAt, finishedAt: new Date(), done });
}

const what = ({ tables, keys }: RestoreSelectionInput): string => [...tables, ...keys].join(', ');

type Loaded = Awaited<ReturnType<DataActivities['loadTables']>>;
type Surveyed = Awaited<ReturnType<DataActivities['surveyKeys']>>;

interface Prepared {
  readonly loaded: Loaded | null;
  readonly surveyed: Surveyed | null;
  /** The backup that holds the keys that are about to be replaced; null when there are none. */
  readonly savedAs: string | null;
}

/** Loads the tables beside, reads the snapshot to its end, saves keys that will be replaced: nothing live changes. */
async function prepare(
  progress: WorkflowProgress,
  plan: SelectionPlan,
  input: RestoreSelectionInput,
): Promise<Prepared> {
  progress.enter('preparing', 'loading and proving the tables beside the live ones, reading the keys');
  const { backupId, restoreId, tables, keys, replay } = plan;
  const [loaded, surveyed] = await allOrCancel([
    async () =>
      tables &&
      data(`load ${tables.names.join(', ')}`).loadTables({
        backupId,
        restoreId,
        tables,
        replay: replay?.postgres ?? null,
        ...sourceOf(plan),
      }),
    async () => keys && data('read the Redis snapshot').surveyKeys(keysOf(plan, keys)),
  ]);
  const replaces = (surveyed?.replaced ?? 0) > 0;
  return { loaded, surveyed, savedAs: replaces ? await saveKeys(progress, plan, input) : null };
}

/** What is read comes from there; what a restore keeps goes into the repository itself. */
function sourceOf({ from }: Pick<SelectionPlan, 'from'>): { readonly from?: string } {
  return from === undefined ? {} : { from };
}

function keysOf(
  { backupId, replay, ...plan }: SelectionPlan,
  { patterns }: NonNullable<SelectionPlan['keys']>,
): Parameters<DataActivities['surveyKeys']>[0] {
  const on = replay?.redis ?? null;
  return { backupId: on?.snapshotId ?? backupId, patterns, replay: on, cut: null, ...sourceOf(plan) };
}

/** A Redis-only backup of what is there now. */
async function saveKeys(
  progress: WorkflowProgress,
  { restoreId }: SelectionPlan,
  { group, requestedBy }: RestoreSelectionInput,
): Promise<string> {
  const label = { reason: SAVED_BEFORE_RESTORE, restore: restoreId };
  const request = { group, requestedBy, kind: 'full' as const, components: ['redis' as const], label, hold: null };
  const saved = await takeBackup(progress, request, `${workflowInfo().runId}/saved`);
  return saved.backup.id;
}

/**
 * Histories before it have no record, and no undo. Keeps what was replaced; shielded from cancellation, since the data is live already.
 */
const RECORDED = '2026-12-selection-is-recorded';

async function recordSelection(
  progress: WorkflowProgress,
  plan: SelectionPlan,
  { prepared, live }: { readonly prepared: Prepared; readonly live: Live },
): Promise<RestoreRecord> {
  progress.enter('recording', 'keeping what was replaced for an undo');
  const { restoreId, backupId, tables, keys } = plan;
  const { kept, placed, written } = live;
  const { surveyed, savedAs } = prepared;
  const selection: SelectionRecord = {
    tables:
      tables && kept.length > 0 ? { database: tables.database, keptSchema: tables.keptSchema, kept, placed } : null,
    keys: keys && written && { ...keysOf(plan, keys), cut: surveyed?.cut ?? null, savedAs },
    left: leftByUndo(plan, kept),
  };
  const nothing = { services: [], postgres: null, redis: null };
  return CancellationScope.nonCancellable(() =>
    control('settle', 'record what was replaced').recordRestore({ restoreId, backupId, ...nothing, selection }),
  );
}

interface Live {
  readonly written: Awaited<ReturnType<DataActivities['loadKeys']>> | null;
  readonly replacedTables: readonly { readonly schema: string; readonly table: string }[];
  readonly kept: readonly IdentifiedTable[];
  readonly placed: readonly IdentifiedTable[];
}

/** Keys first: they can be brought back. The tables move in one transaction, which is the last thing that can fail. */
async function bringLive(progress: WorkflowProgress, plan: SelectionPlan, prepared: Prepared): Promise<Live> {
  progress.enter('switching', 'writing the keys and moving the tables into place');
  const { tables, keys } = plan;
  const { loaded, surveyed, savedAs } = prepared;
  const selection = keys && { ...keysOf(plan, keys), cut: surveyed?.cut ?? null };
  const revert = {
    name: 'bring the keys back as they were',
    run: async () => selection && data('bring the keys back as they were').revertKeys({ ...selection, savedAs }),
  };
  return orCompensate(progress, [revert], async () => {
    const summary = `write ${surveyed?.matching} keys`;
    const written = keys && selection && (await data(summary).loadKeys({ ...selection, replace: keys.merge }));
    const homes = (loaded?.tables ?? []).map(({ schema, table }) => ({ schema, table }));
    // Once it has begun it is let end: a cancellation in between would not know whether the tables are live.
    const moved =
      tables &&
      (await CancellationScope.nonCancellable(() =>
        control('decide', `move ${tables.names.join(', ')}`).moveTables({ tables, homes }),
      ));
    const { replaced: replacedTables = [], kept = [], placed = [] } = moved ?? {};
    return { written, replacedTables, kept, placed };
  });
}
