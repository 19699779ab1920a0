import type { CleanupInput, CleanupResult, LockedMessage } from '../contract/cleanup.ts';
import { control, data } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { startTargetCleanups } from './support/start-target-cleanups.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Removes what retention does not keep, under the group's lock: what earlier runs have hidden and whose grace period is over goes, what is not
 * kept now is hidden. It may die anywhere; the next run goes on. A dry run runs beside the lock.
 */
export async function cleanupWorkflow(input: CleanupInput): Promise<CleanupResult> {
  const { dryRun } = input;
  const progress = trackProgress(dryRun ? 'dry run of a cleanup' : 'cleanup');
  return cancellable(progress, async () => {
    progress.enter('planning', 'finding what retention keeps');
    const plan = await data('find what retention keeps').planCleanup({ request: input });
    if (dryRun) return { dryRun, plan, ...(await startTargetCleanups(input, plan)) };

    const { at, hide, purge, replaced, replacedTables = [] } = plan;
    const locked: LockedMessage[] = [];
    if (hide.backups.length + hide.epochs.length > 0) {
      progress.enter('hiding', `${hide.backups.length} backups are no longer listed`);
      await data('record what is removed').hideRemoved({ at, ...hide, includeDamaged: input.includeDamaged === true });
    }
    if (purge.backupIds.length + purge.epochs.length > 0) {
      progress.enter('removing', `objects of ${purge.backupIds.length} backups`);
      const purged = await data('remove objects whose grace period is over').purgeHidden(purge);
      locked.push(...(purged.locked ?? []));
    }
    progress.enter('removing', 'what interrupted runs left');
    const unreferenced = await data('remove what interrupted runs left').removeUnreferenced({ at });
    locked.push(...(unreferenced.locked ?? []));
    if (replaced.length > 0) {
      progress.enter('removing', `${replaced.length} replaced databases`);
      await control('decide', 'drop replaced databases').dropReplaced({ replaced });
    }
    const staying: string[] = [];
    if (replacedTables.length > 0) {
      progress.enter('removing', `tables that ${replacedTables.length} restores replaced`);
      const dropped = await control('decide', 'drop replaced tables').dropReplacedTables({ tables: replacedTables });
      staying.push(...dropped.staying);
    }
    progress.enter('done', `${hide.backups.length} backups removed, ${plan.freedBytes} bytes freed`);
    return { dryRun, plan, locked, staying, ...(await startTargetCleanups(input, plan)) };
  });
}
