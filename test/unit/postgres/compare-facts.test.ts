import { compareFacts, type RestoredFacts } from '../../../src/postgres/facts/compare-facts.ts';
import { databaseFactsSchema, type DatabaseFacts } from '../../../src/postgres/facts/database-facts.ts';
import { sequenceFits } from '../../../src/postgres/facts/sequences.ts';

const RECORDED: DatabaseFacts = databaseFactsSchema.parse({
  formatVersion: 1,
  serverVersion: 150_018,
  creation: {
    encoding: 'UTF8',
    provider: 'c',
    collate: 'C',
    ctype: 'C',
    locale: null,
    icuRules: null,
    tablespace: 'pg_default',
  },
  properties: { owner: 'app', grants: null, connectionLimit: -1, comment: null, settings: [] },
  tables: [
    { name: 'a', rows: 3 },
    { name: 'b', rows: 0 },
  ],
  sequences: [{ name: 's', before: { value: '5', called: true }, after: { value: '9', called: true } }],
  extensions: [{ name: 'citext', version: '1.6', schema: 'public' }],
  objects: [{ kind: 'table', name: 'a', owner: 'app', grants: ['app=SELECT', 'PUBLIC=SELECT'] }],
  largeObjects: 2,
  constraints: 1,
  indexes: 1,
  triggers: 0,
  policies: 0,
  notValidated: ['a fk'],
  invalidIndexes: [],
  populatedViews: 0,
  tablespaces: [],
  serverSettings: {},
});

function restored(
  change: Partial<Omit<RestoredFacts, 'catalog'>> & { catalog?: Partial<RestoredFacts['catalog']> } = {},
): RestoredFacts {
  const { tables, sequences: _, ...catalog } = RECORDED;
  return {
    tables: change.tables ?? tables,
    sequences: change.sequences ?? new Map([['s', { value: '7', called: true }]]),
    catalog: { ...catalog, ...change.catalog },
  };
}

const failed = (facts: RestoredFacts): [string, string][] =>
  compareFacts(RECORDED, facts)
    .filter((check) => check.status === 'fail')
    .map((check) => [check.name, check.message]);

describe('compareFacts', () => {
  it('passes where all is as recorded', () => {
    expect(compareFacts(RECORDED, restored()).every((check) => check.status === 'pass')).toBe(true);
  });

  it.each<[string, RestoredFacts, string, string]>([
    [
      'a lost row',
      restored({
        tables: [
          { name: 'a', rows: 2 },
          { name: 'b', rows: 0 },
        ],
      }),
      'rows',
      'a: 2 instead of 3',
    ],
    ['a lost empty table', restored({ tables: [{ name: 'a', rows: 3 }] }), 'rows', 'b: no table instead of 0'],
    [
      'an unknown table',
      restored({ tables: [...RECORDED.tables, { name: 'c', rows: 0 }] }),
      'rows',
      'c: not in the backup',
    ],
    ['a lost sequence', restored({ sequences: new Map() }), 'sequences', 's: none instead of 9'],
    ['a lost extension', restored({ catalog: { extensions: [] } }), 'extensions', 'citext: missing'],
    ['a lost large object', restored({ catalog: { largeObjects: 1 } }), 'large objects', '1 instead of 2'],
    [
      'another owner',
      restored({ catalog: { objects: [{ ...RECORDED.objects[0]!, owner: 'root' }] } }),
      'owners and rights',
      'table a: root {app=SELECT, PUBLIC=SELECT} instead of app {app=SELECT, PUBLIC=SELECT}',
    ],
    [
      'a lost right',
      restored({ catalog: { objects: [{ ...RECORDED.objects[0]!, grants: ['app=SELECT'] }] } }),
      'owners and rights',
      'table a: app {app=SELECT} instead of app {app=SELECT, PUBLIC=SELECT}',
    ],
    [
      'a lost object',
      restored({ catalog: { objects: [] } }),
      'owners and rights',
      'table a: missing instead of app {app=SELECT, PUBLIC=SELECT}',
    ],
    [
      'a constraint that was validated',
      restored({ catalog: { notValidated: [] } }),
      'constraints not validated',
      'a fk: no longer',
    ],
    [
      'a broken index',
      restored({ catalog: { invalidIndexes: ['i'] } }),
      'invalid indexes',
      'i: only after the restore',
    ],
  ])('fails for %s and names it', (_, facts, name, message) => {
    expect(failed(facts)).toEqual([[name, message]]);
  });

  it('names ten differences and counts the others', () => {
    const tables = Array.from({ length: 25 }, (_, index) => ({ name: `x${index}`, rows: 0 }));
    const [[, message]] = failed(restored({ tables: [...RECORDED.tables, ...tables] })) as [[string, string]];
    expect(message).toMatch(/x9: not in the backup; and 15 more$/);
  });

  it('says a newer extension without failing for it, and knows that 17 brought MAINTAIN', () => {
    const checks = compareFacts(
      RECORDED,
      restored({
        catalog: {
          serverVersion: 180_006,
          extensions: [{ name: 'citext', version: '1.8', schema: 'public' }],
          objects: [{ ...RECORDED.objects[0]!, grants: ['app=MAINTAIN', 'app=SELECT', 'PUBLIC=SELECT'] }],
        },
      }),
    );
    expect(
      checks.filter((check) => check.status !== 'pass').map(({ name, status, message }) => [name, status, message]),
    ).toEqual([['extension versions', 'skip', 'citext 1.8 instead of 1.6']]);
  });
});

describe('sequenceFits', () => {
  const at = (value: number, called = true): { value: string; called: boolean } => ({ value: String(value), called });
  it.each([
    ['a quiet one, equal', at(5), at(5), at(5), true],
    ['a quiet one, behind', at(4), at(5), at(5), false],
    ['a quiet one, called or not', at(5, false), at(5), at(5), false],
    ['a busy one, between', at(7), at(5), at(9), true],
    ['a busy one that counts down', at(-7), at(-5), at(-9), true],
    ['one that was set back', at(3), at(5), at(9), undefined],
    [
      'one beyond 2^53',
      { value: '9223372036854775807', called: true },
      at(1),
      { value: '9223372036854775807', called: true },
      true,
    ],
  ])('judges %s', (...[, restored, before, after, expected]) => {
    expect(sequenceFits(restored, before, after)).toBe(expected);
  });
});
