import { CancelledFailure } from '@temporalio/common';
import type { ApplicationFailure } from '@temporalio/common';
import { toApplicationFailure } from '../../../src/activities/failure.ts';
import { LifeboatError } from '../../../src/domain/errors.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';

const failureOf = (code: ErrorCode): ApplicationFailure =>
  toApplicationFailure(new LifeboatError(code, 'planted', { details: { bytes: 1 } })) as ApplicationFailure;

test.each([
  ['POSTGRES_CONNECTION_LOST', 'transient: may pass', false],
  ['POSTGRES_UNREACHABLE', 'out of reach: may be back', false],
  ['STORE_FULL', 'a person must free space', true],
  ['TOOL_MISSING', 'a person must install it', true],
  ['RESTORE_TARGET_NOT_EMPTY', 'never', true],
] as const)('%s (%s): not repeated is %s', (code, _, nonRetryable) => {
  expect(failureOf(code)).toMatchObject({ type: code, message: 'planted', nonRetryable });
});

test('code, hint and facts travel with the failure', () => {
  expect(failureOf('STORE_FULL').details?.[0]).toMatchObject({ code: 'STORE_FULL', exit: 1, details: { bytes: 1 } });
});

test('an unknown error is INTERNAL and keeps its cause', () => {
  const cause = new TypeError('x is undefined');
  expect(toApplicationFailure(cause)).toMatchObject({ type: 'INTERNAL', message: 'x is undefined', cause });
});

test("Temporal's own failures pass as they are", () => {
  const cancelled = new CancelledFailure('stop');
  expect(toApplicationFailure(cancelled)).toBe(cancelled);
});
