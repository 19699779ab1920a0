import { Context } from '@temporalio/activity';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation, Progress } from '../domain/operation.ts';

/** How often an attempt says that it lives; well below the heartbeat timeout of 12 s. */
const PULSE_MS = 1_000;

export interface StallLimit {
  /** An attempt whose progress does not change for this long is ended with OPERATION_STALLED. */
  readonly stallAfterMs: number;
}

/**
 * Joins an attempt to its library call: cancellation and the stall watchdog become one abort signal, progress from the data
 * path becomes heartbeat details. The pulse alone is not progress: when bytes stop, the watchdog ends the attempt.
 */
export async function withOperation<T>(limit: StallLimit, run: (operation: Operation) => Promise<T>): Promise<T> {
  const context = Context.current();
  const abort = new AbortController();
  const onCancel = (): void => abort.abort(context.cancellationSignal.reason);
  context.cancellationSignal.addEventListener('abort', onCancel, { once: true });
  if (context.cancellationSignal.aborted) onCancel();

  let latest: Progress = { phase: 'starting', bytes: 0 };
  let movedAt = Date.now();
  const pulse = setInterval(() => {
    context.heartbeat(latest);
    if (Date.now() - movedAt > limit.stallAfterMs) abort.abort(stalled(latest, limit));
  }, PULSE_MS);
  const operation: Operation = {
    signal: abort.signal,
    onProgress(progress) {
      if (progress.bytes !== latest.bytes || progress.phase !== latest.phase || progress.items !== latest.items) {
        movedAt = Date.now();
      }
      latest = progress;
    },
  };
  try {
    return await run(operation);
  } catch (error) {
    // A library that was told to stop may report the abort in its own words; the cause of the abort is what matters.
    if (abort.signal.aborted)
      throw context.cancellationSignal.aborted ? cancelled(context, error) : abort.signal.reason;
    throw error;
  } finally {
    clearInterval(pulse);
    context.cancellationSignal.removeEventListener('abort', onCancel);
  }
}

/** Temporal's own reason: CancelledFailure for a person's cancellation and for a worker that shuts down. */
function cancelled(context: Context, error: unknown): unknown {
  return context.cancellationSignal.reason ?? error;
}

function stalled(latest: Progress, limit: StallLimit): LifeboatError {
  const seconds = Math.round(limit.stallAfterMs / 1_000);
  return new LifeboatError('OPERATION_STALLED', `${latest.phase}: nothing moved for ${seconds} s`, {
    details: { phase: latest.phase, bytes: latest.bytes, object: latest.object ?? null },
  });
}
