import { CancelledFailure, CancellationScope, setHandler } from '@temporalio/workflow';
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
  return scope.run(run);
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
