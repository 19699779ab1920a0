import { sleep } from '@temporalio/workflow';
import type { ReplicateInput, ReplicateResult } from '../contract/replication.ts';
import { copy } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Copies a backup, or all there are, and the journals to one target; runs beside the group's lock, one for each target and backup, so
 * that a dead target holds up nothing but its own copies.
 */
export async function replicateWorkflow(input: ReplicateInput): Promise<ReplicateResult> {
  const { target, backup, delayMs, verify, patient } = input;
  const progress = trackProgress(`copy of ${backup === 'all' ? 'all backups' : backup} to ${target}`);
  return cancellable(progress, async () => {
    if (backup !== 'all') progress.concerns(backup);
    if (delayMs > 0) {
      progress.enter('waiting', `the copy starts ${Math.round(delayMs / 1_000)} s after the backup`);
      await sleep(delayMs);
    }
    progress.enter('copying', `bringing what is missing to ${target} and reading it back there`);
    const copied = await copy(patient, `copy to ${target}`).copyToTarget({ target, backup, verify, wait: !patient });
    progress.enter(
      'done',
      `${copied.objects} objects, ${copied.bytes} bytes copied; ${copied.problems.length} problems`,
    );
    return { target, ...copied };
  });
}
