import { CancellationScope } from '@temporalio/workflow';
import { control } from './activity-options.ts';
import { orCompensate } from './compensation.ts';
import type { WorkflowProgress } from './progress.ts';

/** Runs `work` with the services stopped. They are started again whatever happens, also after failure or cancellation. */
export async function withServicesStopped<T>(
  progress: WorkflowProgress,
  services: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (services.length === 0) return work();
  const names = services.join(', ');
  const start = async (): Promise<void> => {
    progress.enter('starting services', names);
    await control('settle', `start ${names}`).startServices({ services });
  };
  const result = await orCompensate(progress, [{ name: `start ${names}`, run: start }], async () => {
    progress.enter('stopping services', names);
    await control('decide', `stop ${names}`).stopServices({ services });
    return work();
  });
  await CancellationScope.nonCancellable(start);
  return result;
}
