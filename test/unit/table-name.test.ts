import fc from 'fast-check';
import {
  formatTableName,
  parseTableName,
  refuseSameNames,
  requireTables,
  type TableName,
} from '../../src/domain/table-name.ts';
import { caught } from '../support/caught.ts';

const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0'));

test.each<[string, TableName]>([
  ['public.users', { schema: 'public', table: 'users' }],
  ['Public.USERS', { schema: 'public', table: 'users' }],
  ['public."User Data"', { schema: 'public', table: 'User Data' }],
  ['"a.b"."say ""hi"""', { schema: 'a.b', table: 'say "hi"' }],
  ['public.order$1', { schema: 'public', table: 'order$1' }],
  ['größe.Ärger', { schema: 'größe', table: 'Ärger' }],
])('%s is read as SQL reads it', (text, name) => {
  expect(parseTableName(text)).toEqual(name);
});

test.each([
  'users',
  '',
  '.',
  'a.',
  '.b',
  'a.b.c',
  '"a.b',
  'a."b',
  'a."b"c',
  'a b.c',
  '1a.b',
  'a.b; drop',
  'a."" ',
  '"".b',
])('%j is no table name', async (text) => {
  expect(await caught(() => parseTableName(text))).toMatchObject({ code: 'USAGE_INVALID' });
});

test('every name that a catalog may hold is read back as it was written', () => {
  fc.assert(
    fc.property(part, part, (schema, table) => {
      expect(parseTableName(formatTableName({ schema, table }))).toEqual({ schema, table });
    }),
  );
});

test('whatever is read as a name is written in a form that means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'A', '.', '"', '_', '$', ' ', '1', 'ä') }), (text) => {
      let name: TableName;
      try {
        name = parseTableName(text);
      } catch {
        return;
      }
      expect(parseTableName(formatTableName(name))).toEqual(name);
    }),
  );
});

test('a table that is not there is refused with the names most like it', async () => {
  const there = ['public.users', 'public.user_roles', 'audit.users', 'public.tokens'].map(parseTableName);
  const missing = await caught(() => requireTables([parseTableName('public.user')], there, 'the backup'));
  expect(missing).toMatchObject({ code: 'RESTORE_TABLE_NOT_FOUND' });
  expect(missing.details['nearest']).toEqual(['public.users', 'audit.users', expect.any(String)]);
  expect(() => requireTables([parseTableName('audit.users')], there, 'the backup')).not.toThrow();
});

test('two tables of one name are refused, the same table twice is not', async () => {
  const [one, other] = ['public.users', 'audit.users'].map(parseTableName);
  expect(await caught(() => refuseSameNames([one!, other!]))).toMatchObject({ code: 'USAGE_INVALID' });
  expect(() => refuseSameNames([one!, one!])).not.toThrow();
});
