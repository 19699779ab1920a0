import { workflowInfo } from '@temporalio/workflow';
import type { BackupInput, BackupResult } from '../contract/messages.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';
import { takeBackup } from './support/take-backup.ts';

/** One backup of the group, under the group's lock. */
export async function backupWorkflow(input: BackupInput): Promise<BackupResult> {
  const progress = trackProgress(`${input.kind} backup of group ${input.group}`);
  return cancellable(progress, () => takeBackup(progress, input, workflowInfo().runId));
}
