import type { Check } from '../backup.ts';
import type { Expectation } from './drill.ts';

/** As much of an answer as stands in a report: it may be data. */
const SHOWN_MAX = 200;

/** What a user's check came to, against what was expected of it. */
export function meetExpectation(name: string, expectation: Expectation, actual: string): Check {
  const { expected, min, max } = expectation;
  const wanted = describeExpectation(expectation);
  const shown = actual.length > SHOWN_MAX ? `${actual.slice(0, SHOWN_MAX)}…` : actual;
  const line = { name, expected: wanted, actual: shown };
  const number = Number(actual);
  const isNumber = actual.trim() !== '' && Number.isFinite(number);
  if (expected !== undefined && actual !== expected) {
    return { ...line, status: 'fail', message: `expected ${wanted}, got ${shown}` };
  }
  if ((min !== undefined || max !== undefined) && !isNumber) {
    return { ...line, status: 'fail', message: `expected ${wanted}, got ${shown}, which is no number` };
  }
  if ((min !== undefined && number < min) || (max !== undefined && number > max)) {
    return { ...line, status: 'fail', message: `expected ${wanted}, got ${shown}` };
  }
  return { ...line, status: 'pass', message: '' };
}

export function describeExpectation({ expected, min, max }: Expectation): string {
  const parts = [
    ...(expected === undefined ? [] : [expected]),
    ...(min === undefined ? [] : [`at least ${min}`]),
    ...(max === undefined ? [] : [`at most ${max}`]),
  ];
  return parts.join(', ');
}
