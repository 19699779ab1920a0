import type { Requested } from '../../contract/messages.ts';
import type { ReplicateInput } from '../../contract/replication.ts';
import { copyWorkflowId, WORKFLOWS } from '../../contract/names.ts';
import type { BackupRecord } from '../../domain/backup.ts';
import { leaveRun } from './leave-run.ts';

/**
 * Starts one run for each target that a published backup goes to, and leaves them: they go on when this one has ended. Which targets there
 * are is in the answer of the activity that published it; histories from before targets have none, and take the same way.
 */
export async function startCopies({ group, requestedBy }: Requested, backup: BackupRecord): Promise<void> {
  for (const { target, delayMs } of backup.copiesTo ?? []) {
    const input: ReplicateInput = {
      group,
      requestedBy,
      target,
      backup: backup.id,
      delayMs,
      verify: false,
      patient: true,
    };
    const workflowId = copyWorkflowId(group, target, backup.id);
    const summary = `copy of ${backup.id} to ${target}`;
    await leaveRun(WORKFLOWS.replicate, { workflowId, input, group, kind: 'copy', summary });
  }
}
