import type { StartedOperation } from '../../client/operation.ts';
import type { OperationView } from '../../client/follow.ts';
import type { CommandContext } from '../command.ts';
import type { ProgressRow } from '../progress.ts';

/** Where an operation runs; beside the answer of every command that starts one. */
export interface Whereabouts {
  readonly workflowId: string;
  readonly runId: string;
}

/** How often progress is asked for. */
const ACTIVITY_NAMES: Readonly<Record<string, string>> = {
  surveySources: 'inspect sources',
  beginBackup: 'begin',
  copyPostgres: 'copy postgres',
  copyRedis: 'copy redis',
  publishBackup: 'publish',
  discardBackup: 'clean up',
  planRestore: 'plan',
  restorePostgresAside: 'load postgres',
  checkRedisSnapshot: 'check redis',
  restoreRedis: 'load redis',
  swapDatabase: 'swap',
  verifyBackup: 'verify',
  planDirectory: 'plan',
  writeDirectory: 'write directory',
  clearDirectory: 'clean up',
  copyToTarget: 'copy',
  planDrill: 'plan',
  rehearseDrill: 'rehearse',
  clearDrills: 'clean up',
  publishDrill: 'report',
};

/**
 * Waits for an operation, shows its progress (`watch`), and leaves it running on Ctrl-C: the interrupt says how to follow or stop it.
 */
export async function awaitOperation<Result>(
  context: CommandContext,
  started: StartedOperation<Result>,
  watch: (ended: Promise<Result>) => Promise<void> = (ended) => watchActivities(context, started, ended),
): Promise<Result> {
  const { workflowId } = started;
  context.onInterrupt(() =>
    [
      `${workflowId} goes on.`,
      `  follow: lifeboat attach ${workflowId}`,
      `  stop:   lifeboat cancel ${workflowId} --reason …`,
    ].join('\n'),
  );
  // Calls that still wait when the connection closes are retried on it, which ends the whole program: they end with the interrupt.
  context.signal.throwIfAborted();
  const { connection } = started.handle.client;
  const result = connection.withAbortSignal(context.signal, () => started.result());
  const interrupted = new Promise<never>((_, reject) => {
    context.signal.addEventListener('abort', () => reject(context.signal.reason as Error), { once: true });
  });
  const ended = Promise.race([result, interrupted]);
  await connection.withAbortSignal(context.signal, () => watch(ended));
  context.progress.stop();
  return ended;
}

async function watchActivities<Result>(
  context: CommandContext,
  { handle }: StartedOperation<Result>,
  ended: Promise<Result>,
): Promise<void> {
  const { follow } = await import('../../client/follow.ts');
  await follow(handle, ended, (view) => context.progress.update(rowsOf(view)));
}

/** One row per pending activity; a failed attempt is told with its cause. */
export function rowsOf(view: OperationView): ProgressRow[] {
  return view.activities.map(({ name, attempt, progress, lastFailure }) => ({
    name: ACTIVITY_NAMES[name] ?? name,
    progress,
    ...(attempt > 1 ? { note: `attempt ${attempt}${lastFailure === undefined ? '' : `, after: ${lastFailure}`}` } : {}),
  }));
}

export function whereabouts({ workflowId, runId }: StartedOperation<unknown>): Whereabouts {
  return { workflowId, runId };
}
