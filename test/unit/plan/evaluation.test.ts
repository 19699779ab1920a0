import type { Check } from '../../../src/domain/backup.ts';
import { judgeEvaluation } from '../../../src/domain/plan/evaluation.ts';

const PASS: Check = { name: 'postgres', status: 'pass', expected: 'an answer', actual: '18', message: '' };
const FAIL: Check = { ...PASS, name: 'store space', status: 'fail', actual: 'STORE_FULL', message: '5 bytes free' };
const STEP = { id: 'restore', code: '', problem: '' };
const well = { steps: [STEP], checks: [PASS], ages: { postgres: 1_000, redis: 2_000 }, rpoMs: 2_000 };

describe('a plan', () => {
  test('has passed when steps, servers and the age of the recovery point are well', () => {
    expect(judgeEvaluation(well)).toEqual([]);
    expect(judgeEvaluation({ ...well, ages: {}, rpoMs: 1 })).toEqual([]);
    expect(judgeEvaluation({ ...well, ages: { postgres: null, redis: null }, rpoMs: null })).toEqual([]);
  });

  test('names what is in its way, that of its steps first', () => {
    const step = { id: 'restore', code: 'BACKUP_NOT_FOUND', problem: 'no backup' };
    expect(judgeEvaluation({ ...well, steps: [STEP, step], checks: [FAIL, { ...FAIL, status: 'skip' }] })).toEqual([
      { step: 'restore', code: 'BACKUP_NOT_FOUND', message: 'no backup' },
      { step: null, code: 'STORE_FULL', message: 'store space: 5 bytes free' },
    ]);
  });

  test('is told of each component that would lose more than is acceptable', () => {
    expect(judgeEvaluation({ ...well, ages: { postgres: 2_001, redis: null } }).map(({ message }) => message)).toEqual([
      'the last 2.0 s of postgres would be lost, where 2.0 s are acceptable',
      'all of redis would be lost: no backup holds it, where 2.0 s are acceptable',
    ]);
  });
});
