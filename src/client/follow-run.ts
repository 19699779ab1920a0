import type { WorkflowHandle } from '@temporalio/client';
import { QUERIES } from '../contract/names.ts';
import type { PlanRunView } from '../domain/plan/run-view.ts';
import { followReadings, viewOperation, type OperationView } from './follow.ts';

/** How a run stands, with what the workflows of its steps do. */
export interface RunProgress {
  readonly run: PlanRunView;
  /** By step. */
  readonly steps: ReadonlyMap<string, OperationView>;
}

/** As `follow`, for a run of a plan: calls `onView` about once a second until `done` settles. */
export async function followRun(
  handle: WorkflowHandle,
  done: Promise<unknown>,
  onView: (progress: RunProgress) => void,
): Promise<void> {
  await followReadings(() => viewProgress(handle), done, onView);
}

async function viewProgress(handle: WorkflowHandle): Promise<RunProgress> {
  const run = await handle.query<PlanRunView>(QUERIES.planRun);
  const steps = new Map<string, OperationView>();
  for (const { id, status, workflowId } of run.steps) {
    const isActive = status === 'running' || run.state === 'taking-back';
    if (!isActive || workflowId === null) continue;
    // A child that is about to begin is not there yet.
    const view = await viewOperation(handle.client.getHandle(workflowId)).catch(() => undefined);
    if (view !== undefined) steps.set(id, view);
  }
  return { run, steps };
}
