import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { isErrorCode, LifeboatError } from '../domain/errors.ts';
import type { ErrorDetails } from '../domain/errors.ts';

/** What a workflow ended with, as the error its worker threw: same code, message, hint and facts. */
export function fromWorkflowError(error: unknown, workflowId: string): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new LifeboatError('OPERATION_NOT_FOUND', `no operation ${workflowId}`, { cause: error });
  }
  if (!(error instanceof WorkflowFailedError)) return error;
  const failure = causes(error).find((cause) => !(cause instanceof WorkflowFailedError) && isKnownFailure(cause));
  if (failure instanceof ApplicationFailure) return fromApplicationFailure(failure, error);
  if (failure instanceof CancelledFailure) {
    return new LifeboatError('OPERATION_CANCELLED', `${workflowId} was cancelled`, { cause: error });
  }
  if (failure instanceof TerminatedFailure) {
    const hint =
      'a terminated run cleans up nothing: `lifeboat backup verify all` and look for databases named *__restoring_*';
    return new LifeboatError('OPERATION_CANCELLED', `${workflowId} was terminated`, { cause: error, hint });
  }
  if (failure instanceof TimeoutFailure) {
    return new LifeboatError('OPERATION_TIMED_OUT', `${workflowId}: ${failure.message}`, { cause: error });
  }
  return new LifeboatError('INTERNAL', error.message, { cause: error });
}

function causes(error: unknown): unknown[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}

function isKnownFailure(failure: unknown): boolean {
  return [ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure].some(
    (kind) => failure instanceof kind,
  );
}

/** The error that a worker threw, from what Temporal made of it. */
export function fromApplicationFailure(failure: ApplicationFailure, cause: Error): LifeboatError {
  const code = isErrorCode(failure.type) ? failure.type : 'INTERNAL';
  const facts = (failure.details?.[0] ?? {}) as { hint?: string; details?: ErrorDetails };
  return new LifeboatError(code, failure.message, {
    cause,
    ...(facts.hint === undefined ? {} : { hint: facts.hint }),
    ...(facts.details === undefined ? {} : { details: facts.details }),
  });
}
