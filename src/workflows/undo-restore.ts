import type { Check } from '../domain/backup.ts';
import type { RestoreRecord, UndoRestoreInput, UndoRestoreResult } from '../contract/messages.ts';
import { control, data } from './support/activity-options.ts';
import { describeUndo } from '../domain/selection-undo.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';
import { withServicesStopped } from './support/services.ts';
import { undoSelection } from './support/undo-selection.ts';

/** Swaps back what a restore replaced, under the group's lock. Safe to repeat. */
export async function undoRestoreWorkflow(input: UndoRestoreInput): Promise<UndoRestoreResult> {
  const progress = trackProgress(`undo of ${input.restoreId}`);
  return cancellable(progress, async () => {
    const { restoreId } = input;
    const record = await control('decide', `find what ${restoreId} replaced`).loadRestore({ restoreId });
    const { selection } = record;
    if (input.dryRun) return explain(record);
    if (selection !== undefined) return undoSelection(progress, restoreId, selection);
    const savedAs = record.redis?.savedAs ?? null;
    const { replaced = null, replacedOid } = record.postgres ?? {};

    return withServicesStopped(progress, record.services, async () => {
      progress.enter('switching', `bringing back what ${restoreId} replaced`);
      const redis = record.redis && (await undoRedis(record.backupId, record.redis));
      const database = record.postgres?.database ?? '';
      if (replaced !== null) {
        await control('settle', `swap ${database} back`).undoSwap({
          database,
          replacedDatabase: replaced,
          ...(replacedOid == null ? {} : { replacedOid }),
        });
      }
      progress.enter('done', `${restoreId} is undone`);
      return {
        restoreId,
        restored: {
          postgres: replaced === null ? null : { database },
          // A Redis that was empty holds nothing again: the check says so.
          redis: redis && savedAs !== null ? { keys: redis.keys, from: savedAs } : null,
        },
        checks: redis ? redis.checks : [],
      };
    });
  });
}

/** What an undo would do; refuses what it would refuse as far as a look can tell. */
async function explain(record: RestoreRecord): Promise<UndoRestoreResult> {
  const { restoreId, selection } = record;
  const tables = selection?.tables ?? null;
  if (tables !== null)
    await control('decide', 'look whether the tables can go back').undoTables({ tables, dryRun: true });
  const restored = { postgres: null, redis: null };
  return { restoreId, dryRun: true, steps: describeUndo(record), restored, checks: [] };
}

/** Loads the saved keys, or empties a Redis that was empty: refused before anything is undone when it holds other keys. */
async function undoRedis(
  backupId: string,
  { savedAs, replayed }: NonNullable<RestoreRecord['redis']>,
): Promise<{ keys: number; checks: readonly Check[] }> {
  if (savedAs === null) return data('empty Redis again').emptyRedis({ backupId, ...replayed });
  return data(`load ${savedAs} into Redis`).restoreRedis({ backupId: savedAs, dropExisting: true });
}
