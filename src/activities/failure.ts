import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { toLifeboatError } from '../domain/errors.ts';
import type { ErrorRule } from '../domain/errors/rule.ts';

/** What a failure carries for the person who reads it: code, hint and facts; never a secret. */
export interface FailureFacts {
  readonly code: string;
  readonly hint: string;
  readonly retry: 'never' | 'transient' | 'after';
  readonly exit: number;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * What is out of reach may be back within the patience of a retry policy; what a person has to change (space, rights, a missing
 * tool) will not.
 */
function mayPassByItself({ retry, exit }: ErrorRule): boolean {
  return retry === 'transient' || (retry === 'after' && exit === UNREACHABLE_EXIT);
}

const UNREACHABLE_EXIT = 7;

/**
 * Our errors as Temporal's: the code is the failure's type and decides the retry. Temporal's own failures (cancellation)
 * pass as they are.
 */
export function toApplicationFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const known = toLifeboatError(error);
  const { retry, exit } = known.rule;
  const facts: FailureFacts = { code: known.code, hint: known.hint, retry, exit, details: known.details };
  return ApplicationFailure.create({
    message: known.message,
    type: known.code,
    nonRetryable: !mayPassByItself(known.rule),
    details: [facts],
    ...(error instanceof Error && error !== known ? { cause: error } : {}),
  });
}
