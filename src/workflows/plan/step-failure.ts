import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { ERRORS, type ErrorCode } from '../../domain/errors.ts';

/** A failure of our own, as a worker's would be: with the hint of its code. */
export function planFailure(
  code: ErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): ApplicationFailure {
  const { hint } = ERRORS[code];
  return ApplicationFailure.create({ message, type: code, nonRetryable: true, details: [{ hint, details }] });
}

/** Code and words of what made a step fail, under the wrappings of activities and child workflows. */
export function reasonOf(error: unknown): string {
  const root = rootOf(error);
  if (root instanceof ApplicationFailure) return `${root.message} (${root.type ?? 'INTERNAL'})`;
  if (isCancellation(error)) return 'stopped';
  return root instanceof Error ? root.message : String(root);
}

/** What is under the wrappings. */
export function rootOf(error: unknown): unknown {
  if (error instanceof ApplicationFailure) return error;
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
