import type { CleanupInput, CleanupPlan, CleanupResult, CleanupTargetInput } from '../../contract/cleanup.ts';
import { cleanupTargetWorkflowId, WORKFLOWS } from '../../contract/names.ts';
import { leaveRun } from './leave-run.ts';

/**
 * Starts a cleanup of each target, and leaves them: they go on when this one has ended. Which targets there are is in the plan; histories
 * from before have none there, and take the same way.
 */
export async function startTargetCleanups(
  input: CleanupInput,
  { targets = [] }: Pick<CleanupPlan, 'targets'>,
): Promise<Pick<CleanupResult, 'targets'>> {
  const { group, dryRun } = input;
  const started: { target: string; workflowId: string }[] = [];
  for (const target of targets) {
    const workflowId = cleanupTargetWorkflowId(group, target, dryRun);
    const asked: CleanupTargetInput = { ...input, target };
    const summary = `${dryRun ? 'dry run of a cleanup' : 'cleanup'} at ${target}`;
    await leaveRun(WORKFLOWS.cleanupTarget, { workflowId, input: asked, group, kind: 'cleanup', summary });
    started.push({ target, workflowId });
  }
  return started.length === 0 ? {} : { targets: started };
}
