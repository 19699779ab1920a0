import type { Check } from '../../domain/backup.ts';
import { toLifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { within } from '../within.ts';

/** For one of those that are asked: what does not answer in this time would not in a recovery. */
const ANSWER_MS = 30_000;

/** What a look has found, as a check and as facts. */
export interface Looked<T> {
  readonly check: Check;
  readonly found: T | undefined;
}

/** What was asked for and what there is. */
export interface Said {
  readonly expected: string;
  readonly actual: string;
  /** Why it is not as it must be. */
  readonly problem?: { readonly code: string; readonly message: string } | undefined;
}

/** What does not answer, or refuses, is what the look has found. */
export async function look<T extends Said>(
  name: string,
  operation: Operation,
  ask: () => Promise<T>,
): Promise<Looked<T>> {
  operation.onProgress({ phase: `asking ${name}`, bytes: 0 });
  try {
    const found = await within(ANSWER_MS, { doing: `ask ${name}`, code: 'OPERATION_TIMED_OUT' }, ask());
    const { expected, actual, problem } = found;
    const check: Check =
      problem === undefined
        ? { name, status: 'pass', expected, actual, message: '' }
        : { name, status: 'fail', expected, actual: problem.code, message: problem.message };
    return { check, found };
  } catch (error) {
    operation.signal.throwIfAborted();
    const { code, message } = toLifeboatError(error);
    return { check: { name, status: 'fail', expected: 'an answer', actual: code, message }, found: undefined };
  }
}
