import { CancellationScope } from '@temporalio/workflow';
import { control } from './activity-options.ts';
import type { WorkflowProgress } from './progress.ts';

/** Runs `work` with the services stopped. They are started again whatever happens, also after failure or cancellation. */
export async function withServicesStopped<T>(
  progress: WorkflowProgress,
  services: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (services.length === 0) return work();
  const names = services.join(', ');
  try {
    progress.enter('stopping services', names);
    await control('decide', `stop ${names}`).stopServices({ services });
    return await work();
  } finally {
    await CancellationScope.nonCancellable(async () => {
      progress.enter('starting services', names);
      await control('settle', `start ${names}`).startServices({ services });
    });
  }
}
