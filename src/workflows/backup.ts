import { workflowInfo } from '@temporalio/workflow';
import type { BackupInput, BackupResult } from '../contract/messages.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';
import { startCopies } from './support/start-copies.ts';
import { takeBackup } from './support/take-backup.ts';

/** One backup of the group, under the group's lock; its copies go on by themselves. */
export async function backupWorkflow(input: BackupInput): Promise<BackupResult> {
  const progress = trackProgress(`${input.kind} backup of group ${input.group}`);
  return cancellable(progress, async () => {
    const taken = await takeBackup(progress, input, workflowInfo().runId);
    await startCopies(input, taken.backup);
    return taken;
  });
}
