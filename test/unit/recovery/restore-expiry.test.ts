import { expiredTables, undoUntil } from '../../../src/recovery/cleanup/restore-expiry.ts';

const expiresAt = '2026-06-02T00:00:00.000Z';
const record = { expiresAt, postgres: null, redis: null };

test('saved keys are kept until the undo ends, of a whole Redis and of single keys', () => {
  const records = [
    { ...record, redis: { savedAs: 'backup-whole' } },
    { ...record, selection: { tables: null, keys: { savedAs: 'backup-keys' }, left: [] } },
    { ...record, selection: { tables: null, keys: null, left: [] } },
    record,
  ];
  const end = Date.parse(expiresAt);
  expect([...undoUntil(records)]).toEqual([
    ['backup-whole', end],
    ['backup-keys', end],
  ]);
});

test('the later of two undos counts', () => {
  const saved = { ...record, redis: { savedAs: 'backup-1' } };
  expect(undoUntil([saved, { ...saved, expiresAt: '2026-06-01T00:00:00.000Z' }]).get('backup-1')).toBe(
    Date.parse(expiresAt),
  );
});

test('tables go when the undo of their restore is over, each by what was recorded of it', () => {
  const kept = [{ schema: 'public', table: 'users', oid: '7' }];
  const tables = { database: 'auth', keptSchema: 'replaced_1', kept, placed: [] };
  const records = [
    { ...record, selection: { tables, keys: null, left: [] } },
    { ...record, selection: { tables: { ...tables, kept: [] }, keys: null, left: [] } },
    { ...record, selection: { tables: null, keys: null, left: [] } },
    record,
  ];
  const end = Date.parse(expiresAt);
  expect(expiredTables(records, end)).toEqual([]);
  expect(expiredTables(records, end + 1)).toEqual([{ database: 'auth', keptSchema: 'replaced_1', kept }]);
});
