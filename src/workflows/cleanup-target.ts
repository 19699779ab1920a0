import type { CleanupTargetInput, CleanupTargetResult } from '../contract/cleanup.ts';
import { copy } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Removes what a target's rules do not keep there; runs beside the group's lock, one for each target, so that a dead one holds up nothing.
 * It may die anywhere; the next run goes on.
 */
export async function cleanupTargetWorkflow(input: CleanupTargetInput): Promise<CleanupTargetResult> {
  const { target, dryRun, includeDamaged = false } = input;
  const progress = trackProgress(`${dryRun ? 'dry run of a cleanup' : 'cleanup'} at ${target}`);
  return cancellable(progress, async () => {
    progress.enter('planning', `finding what retention keeps at ${target}`);
    const { plan } = await copy(false, `find what ${target} keeps`).planTargetCleanup({ target, includeDamaged });
    if (dryRun || plan === null) return { dryRun, target, plan };

    const { at, hide, purge } = plan;
    progress.enter('removing', `${hide.backups.length} backups hidden, objects of ${purge.backupIds.length} removed`);
    const cleaning = copy(false, `remove what ${target} does not keep`);
    const { locked = [] } = await cleaning.cleanTarget({ target, at, hide, purge, includeDamaged });
    progress.enter('done', `${hide.backups.length} backups removed, ${plan.freedBytes} bytes freed`);
    return { dryRun, target, plan, locked };
  });
}
