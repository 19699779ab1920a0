import { ActivityFailure, ApplicationFailure, CancellationScope, isCancellation, log } from '@temporalio/workflow';
import type { WorkflowProgress } from './progress.ts';

/** A step back, with the words under which its own failure is reported. */
export interface Compensation {
  readonly name: string;
  run(): Promise<unknown>;
}

/**
 * Runs `forward`; when it fails, runs the steps back newest first, shielded from cancellation, and throws what made it fail.
 * A step back that fails itself is shown in the details and added to the failure: never swallowed.
 */
export async function orCompensate<T>(
  progress: WorkflowProgress,
  compensations: readonly Compensation[],
  forward: () => Promise<T>,
): Promise<T> {
  try {
    return await forward();
  } catch (error) {
    const left = await CancellationScope.nonCancellable(() => compensate(progress, compensations));
    if (left.length === 0 || isCancellation(error)) throw error;
    const root = failureOf(error);
    throw ApplicationFailure.create({
      message: `${root.message}; and cleaning up after it: ${left.join('; ')}`,
      type: root.type ?? 'INTERNAL',
      nonRetryable: true,
      details: root.details ?? [],
      ...(error instanceof Error ? { cause: error } : {}),
    });
  }
}

async function compensate(progress: WorkflowProgress, compensations: readonly Compensation[]): Promise<string[]> {
  const failures: string[] = [];
  for (const step of compensations.toReversed()) {
    try {
      await step.run();
    } catch (error) {
      const failure = `${step.name}: ${failureOf(error).message}`;
      log.error('cleaning up', { step: step.name, failure });
      progress.note(`cleaning up: ${failure}`);
      failures.push(failure);
    }
  }
  return failures;
}

/** The application failure under Temporal's wrapping, or the message of whatever was thrown. */
export function failureOf(error: unknown): { message: string; type?: string; details?: unknown[] } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    return { message: cause.message, type: cause.type ?? 'INTERNAL', details: cause.details ?? [] };
  }
  return { message: cause instanceof Error ? cause.message : String(cause) };
}
