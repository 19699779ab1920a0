import type { Manifest } from '../../src/domain/backup.ts';
import { planSelection, type SelectionRequest, type SelectionSurvey } from '../../src/domain/selection-plan.ts';
import { waysBack } from '../../src/domain/ways-back.ts';
import { caught } from '../support/caught.ts';

const manifest = {
  id: 'backup-2026-01-02T03-04-05-678Z',
  recoveryPoint: { time: '2026-01-02T03:04:05.678Z' },
  components: { postgres: { database: 'auth', serverVersion: 170_002 }, redis: { keys: 9 } },
} as unknown as Manifest;
const users = { schema: 'public', table: 'users' };
const request: SelectionRequest = {
  tables: ['public.users'],
  intoSchema: null,
  inPlace: false,
  keys: ['session:*'],
  merge: false,
};
const postgres = {
  serverVersion: 180_000,
  canCreateDatabase: true,
  schemaExists: false,
  present: [],
  dependents: [],
  known: [users],
};
const survey: SelectionSurvey = { postgres, redis: { role: 'master', matching: 0 } };
const facts = { survey, restoreId: 'restore-2026-01-15T10-30-59-123Z', replay: null };

const plan = (
  asked: Partial<SelectionRequest> = {},
  seen: { readonly postgres?: object; readonly redis?: object } = {},
): ReturnType<typeof planSelection> =>
  planSelection(
    manifest,
    { ...request, ...asked },
    {
      ...facts,
      survey: { postgres: { ...postgres, ...seen.postgres }, redis: { role: 'master', matching: 0, ...seen.redis } },
    },
  );

test('tables go into a schema named for the time, by way of one of this restore', () => {
  const { tables, steps } = plan();
  expect(tables).toMatchObject({
    intoSchema: 'restored_20260115_103059_123',
    createsSchema: true,
    stagingSchema: 'restoring_20260115_103059_123',
    asideDatabase: 'auth__restoring_2026-01-15T10-30-59-123Z',
    replaces: [],
  });
  expect(steps.at(-1)).toBe('move public.users into the new schema restored_20260115_103059_123');
});

test('in place the live ones are kept, and the steps say where', () => {
  const { tables, steps } = plan({ inPlace: true }, { postgres: { present: [users] } });
  expect(tables).toMatchObject({ intoSchema: null, replaces: ['public.users'] });
  expect(steps.join('\n')).toContain('move public.users into schema replaced_20260115_103059_123');
});

test.each<[string, Parameters<typeof plan>, string]>([
  ['a table that the backup lacks', [{ tables: ['public.user'] }], 'RESTORE_TABLE_NOT_FOUND'],
  ['a name that is taken', [{ intoSchema: 'side' }, { postgres: { present: [users] } }], 'RESTORE_TARGET_NOT_EMPTY'],
  ['a schema of the system', [{ intoSchema: 'pg_mine' }], 'USAGE_INVALID'],
  ['a schema without a name', [{ intoSchema: '' }], 'USAGE_INVALID'],
  [
    'a view in the way',
    [{ inPlace: true }, { postgres: { dependents: ['view v reads users'] } }],
    'RESTORE_TABLE_IN_USE',
  ],
  ['an older server', [{}, { postgres: { serverVersion: 160_009 } }], 'RESTORE_TARGET_UNFIT'],
  ['no right to make a database', [{}, { postgres: { canCreateDatabase: false } }], 'RESTORE_TARGET_UNFIT'],
  ['present keys without --merge', [{}, { redis: { matching: 1 } }], 'RESTORE_TARGET_NOT_EMPTY'],
  ['a replica', [{ merge: true }, { redis: { role: 'replica' } }], 'RESTORE_TARGET_UNFIT'],
])('%s is a refusal', async (_, [asked, seen], code) => {
  expect(await caught(() => plan(asked, seen))).toMatchObject({ code });
});

test('present keys are no refusal with --merge', () => {
  expect(plan({ merge: true }, { redis: { matching: 3 } }).keys).toMatchObject({ merge: true, present: 3 });
});

test('the way back drops what was made, swaps what was replaced, and brings saved keys back', () => {
  const nothing = { replaced: [], savedAs: null };
  expect(waysBack(plan(), nothing)).toEqual([
    'DROP SCHEMA restored_20260115_103059_123 CASCADE',
    expect.stringContaining('delete them'),
  ]);
  expect(waysBack(plan({ intoSchema: 'My Side' }, { postgres: { schemaExists: true } }), nothing)[0]).toBe(
    'DROP TABLE "My Side".users',
  );
  const kept = { schema: 'replaced_20260115_103059_123', table: 'users' };
  const back = waysBack(plan({ inPlace: true, merge: true }), {
    replaced: [kept],
    savedAs: 'backup-1',
  });
  expect(back.join('\n')).toContain('ALTER TABLE replaced_20260115_103059_123.users SET SCHEMA public');
  expect(back.at(-1)).toBe("lifeboat restore backup-1 --keys 'session:*' --merge");
});
