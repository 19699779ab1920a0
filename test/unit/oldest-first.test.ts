import * as fc from 'fast-check';
import { fitsBudget, oldestFirst } from '../../src/domain/oldest-first.ts';
import { BACKUP_RECORD } from '../support/workflows/fakes.ts';

const backup = (id: string, verifiedAt: string | null, storedBytes = 10): typeof BACKUP_RECORD => ({
  ...BACKUP_RECORD,
  id,
  verifiedAt,
  storedBytes,
});

test('what was never read back comes first, oldest first; then what was read back longest ago', () => {
  const backups = [
    backup('d', '2026-01-04T00:00:00.000Z'),
    backup('c', null),
    backup('b', null),
    backup('a', '2026-01-05T00:00:00.000Z'),
  ];
  expect(oldestFirst(backups).map(({ backupId }) => backupId)).toEqual(['b', 'c', 'd', 'a']);
});

test('runs within any budget come to every backup, one after the other', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 500 }), (bytes, budget) => {
      let backups = bytes.map((size, at) => backup(`b${String(at).padStart(2, '0')}`, null, size));
      for (let run = 1; run <= bytes.length; run += 1) {
        const spent = { backups: 0, bytes: 0, ms: 0 };
        for (const next of oldestFirst(backups)) {
          if (!fitsBudget(next, spent, { bytes: budget, ms: null })) break;
          spent.backups += 1;
          spent.bytes += next.storedBytes;
          const verifiedAt = new Date(run * 100_000 + spent.backups).toISOString();
          backups = backups.map((one) => (one.id === next.backupId ? { ...one, verifiedAt } : one));
        }
        // No more than the budget, but for one that is bigger by itself.
        expect(spent.backups === 1 || spent.bytes <= budget).toBe(true);
      }
      expect(backups.every(({ verifiedAt }) => verifiedAt !== null)).toBe(true);
    }),
  );
});

test('after the time is up none is begun, but the first', () => {
  const next = { backupId: 'a', storedBytes: 1, verifiedAt: null };
  const budget = { bytes: null, ms: 1_000 };
  expect(fitsBudget(next, { backups: 0, bytes: 0, ms: 5_000 }, budget)).toBe(true);
  expect(fitsBudget(next, { backups: 1, bytes: 1, ms: 999 }, budget)).toBe(true);
  expect(fitsBudget(next, { backups: 1, bytes: 1, ms: 1_000 }, budget)).toBe(false);
});
