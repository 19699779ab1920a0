import { chosenSelection, parseTable, type SelectionFlags } from '../../../src/cli/commands/restore-selection.ts';
import { caught } from '../../support/caught.ts';

const NONE: SelectionFlags = {
  table: [],
  keys: [],
  intoSchema: undefined,
  merge: false,
  postgres: false,
  redis: false,
  dropExisting: false,
  stopServices: false,
  targetDatabase: undefined,
  targetDir: undefined,
  targetRedis: undefined,
  dryRun: false,
  toTime: undefined,
  toLsn: undefined,
  fromTarget: undefined,
};
const table = ['public.users'];
const keys = ['session:*'];

test.each<[string, Partial<SelectionFlags>]>([
  ['--into-schema without a table', { intoSchema: 'x' }],
  ['--into-schema with keys alone', { keys, intoSchema: 'x' }],
  ['--merge without keys', { merge: true }],
  ['--merge with tables alone', { table, merge: true }],
  ['--table and --redis', { table, redis: true }],
  ['--keys and --postgres', { keys, postgres: true }],
  ['--table and --stop-services', { table, stopServices: true }],
  ['--keys and --target-database', { keys, targetDatabase: 'x' }],
  ['--table and --target-dir', { table, targetDir: '/x' }],
  ['--keys and --target-redis', { keys, targetRedis: 'redis://x' }],
  ['--keys and --drop-existing', { keys, dropExisting: true }],
  ['--drop-existing and --into-schema', { table, dropExisting: true, intoSchema: 'x' }],
  ['an empty pattern', { keys: [''] }],
])('%s is refused', async (_, flags) => {
  expect(await caught(() => chosenSelection({ ...NONE, ...flags }))).toMatchObject({ code: 'USAGE_INVALID' });
});

test('a restore of all is none of tables and keys', () => {
  expect(chosenSelection({ ...NONE, postgres: true, dropExisting: true, stopServices: true })).toBeUndefined();
});

test('tables and keys may be asked for together, the tables in place', () => {
  expect(chosenSelection({ ...NONE, table, keys, merge: true, dropExisting: true })).toEqual({
    tables: table,
    keys,
    merge: true,
    dryRun: false,
    inPlace: true,
  });
});

test('a name is brought into the form that all else compares', () => {
  expect(parseTable('Public."users"')).toBe('public.users');
  expect(parseTable('public."User Data"')).toBe('public."User Data"');
});
