import {
  CancelledFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { somethingFailed } from '../../contract/alert-handlers.ts';
import { alertsWorkflowId, groupOf } from '../../contract/names.ts';
import { cancelOperation } from '../../contract/signals.ts';
import type { WorkflowProgress } from './progress.ts';

/**
 * Runs an operation that a person may cancel with a reason. The reason stands in the history (the signal) and in the
 * details; the failure is Temporal's own cancellation, so that the run is shown as cancelled.
 */
export async function cancellable<T>(progress: WorkflowProgress, run: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope({ cancellable: true });
  setHandler(cancelOperation, ({ reason, by }) => {
    progress.note(`cancelled by ${by}: ${reason}`);
    scope.cancel();
  });
  try {
    return await scope.run(run);
  } catch (error) {
    // Operations from before know no alerts.
    if (!isCancellation(error) && patched(TELL)) await tellOfFailure();
    throw error;
  }
}

const TELL = '2026-12-tell-of-failures';

/** Has whoever looks for alerts look soon. They would see it anyway, a little later: so that nobody can be told is no trouble of an operation. */
async function tellOfFailure(): Promise<void> {
  const alerts = getExternalWorkflowHandle(alertsWorkflowId(groupOf(workflowInfo().workflowId)));
  try {
    await CancellationScope.nonCancellable(async () => alerts.signal(somethingFailed));
  } catch (error) {
    log.info('nobody looks for alerts', { reason: error instanceof Error ? error.message : String(error) });
  }
}

/** Runs all at once; when one fails, cancels and awaits the others and gives the first failure. */
export async function allOrCancel<T extends readonly unknown[]>(tasks: {
  [K in keyof T]: () => Promise<T[K]>;
}): Promise<T> {
  let first: { readonly error: unknown } | undefined;
  const scope = new CancellationScope({ cancellable: true });
  const settled = await scope.run(() =>
    Promise.allSettled(
      tasks.map(async (task) => {
        try {
          return await task();
        } catch (error) {
          first ??= { error };
          scope.cancel();
          throw error;
        }
      }),
    ),
  );
  if (first !== undefined) throw first.error;
  return settled.map((result) => {
    if (result.status === 'rejected') throw new CancelledFailure('a sibling was cancelled');
    return result.value;
  }) as unknown as T;
}
