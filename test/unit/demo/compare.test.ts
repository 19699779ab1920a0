import {
  compareReadings,
  countDifferences,
  LOGGED_AHEAD,
  type KeyReading,
  type Reading,
} from '../../../src/cli/local/demo/compare.ts';

const NOW = 1_800_000_000_000;

function reading(changes: Partial<Reading> = {}): Reading {
  return {
    tables: new Map([
      ['public.users', { rows: 3, digest: 'aa11' }],
      ['audit.events', { rows: 0, digest: '' }],
    ]),
    definitions: new Map([['index users_email', 'CREATE UNIQUE INDEX']]),
    sequences: new Map([['audit.event_number', { lastValue: 100, increment: 5, shape: '1' }]]),
    keys: new Map<string, KeyReading>([
      ['0/session:1', { type: 'hash', digest: 'bb22', expiresAtMs: NOW }],
      ['3/counter', { type: 'string', digest: 'cc33', expiresAtMs: -1 }],
    ]),
    libraries: '[]',
    expiryToleranceMs: 0,
    ...changes,
  };
}

function key(name: string, changes: Partial<KeyReading>): Pick<Reading, 'keys'> {
  const { keys } = reading();
  const was = keys.get(name) ?? { type: 'string', digest: '', expiresAtMs: -1 };
  return { keys: new Map([...keys, [name, { ...was, ...changes }]]) };
}

function sequence(lastValue: number | null, shape = '1'): Pick<Reading, 'sequences'> {
  return { sequences: new Map([['audit.event_number', { lastValue, increment: 5, shape }]]) };
}

test('two readings of the same are identical, and counted', () => {
  expect(compareReadings(reading(), reading())).toEqual({
    tables: 2,
    rows: 3,
    definitions: 2,
    keys: 2,
    keysWithExpiry: 1,
    differences: [],
  });
});

test.each<[string, Partial<Reading>, string]>([
  [
    'a row less',
    { tables: new Map([...reading().tables, ['public.users', { rows: 2, digest: 'aa11' }]]) },
    'table public.users',
  ],
  [
    'a changed row',
    { tables: new Map([...reading().tables, ['public.users', { rows: 3, digest: 'aa12' }]]) },
    'table public.users',
  ],
  ['a missing table', { tables: new Map([['audit.events', { rows: 0, digest: '' }]]) }, 'table public.users'],
  [
    'a table that was not there',
    { tables: new Map([...reading().tables, ['public.x', { rows: 0, digest: '' }]]) },
    'table public.x',
  ],
  [
    'another definition',
    { definitions: new Map([['index users_email', 'CREATE INDEX']]) },
    'definition index users_email',
  ],
  ['a sequence that went on', sequence(105), 'sequence audit.event_number'],
  ['a sequence that went back', sequence(95), 'sequence audit.event_number'],
  ['a sequence that is unused again', sequence(null), 'sequence audit.event_number'],
  ['a missing definition', { definitions: new Map() }, 'definition index users_email'],
  ['a changed value', key('0/session:1', { digest: 'bb23' }), 'key 0/session:1'],
  ['another type', key('0/session:1', { type: 'zset' }), 'key 0/session:1'],
  ['an expiry that moved by a millisecond', key('0/session:1', { expiresAtMs: NOW + 1 }), 'key 0/session:1'],
  ['an expiry that was lost', key('0/session:1', { expiresAtMs: -1 }), 'key 0/session:1'],
  ['an expiry that was added', key('3/counter', { expiresAtMs: NOW }), 'key 3/counter'],
  [
    'a key in another database',
    { keys: new Map([...reading().keys].map(([name, value]) => [name.replace('3/', '0/'), value])) },
    'key 3/counter',
  ],
  ['a key that was not there', key('0/new', {}), 'key 0/new'],
  ['other functions', { libraries: '[1]' }, 'library function libraries'],
])('%s is a difference', (_, changes, named) => {
  const { differences } = compareReadings(reading(), reading(changes));
  expect(differences.map(({ kind, name }) => `${kind} ${name}`)).toContain(named);
});

test('where the server only tells the time that is left, two clocks may differ a little but not much', () => {
  const before = reading({ expiryToleranceMs: 50 });
  expect(compareReadings(before, reading(key('0/session:1', { expiresAtMs: NOW + 50 }))).differences).toEqual([]);
  expect(compareReadings(before, reading(key('0/session:1', { expiresAtMs: NOW + 51 }))).differences).toHaveLength(1);
  expect(compareReadings(before, reading(key('0/session:1', { expiresAtMs: -1 }))).differences).toHaveLength(1);
});

test('after a replay a sequence may stand as far ahead as PostgreSQL logs in advance, no further, and never behind', () => {
  const replayed = { sequenceLead: LOGGED_AHEAD };
  const seen = (changes: Partial<Reading>): number =>
    compareReadings(reading(), reading(changes), replayed).differences.length;
  expect([sequence(100), sequence(105), sequence(260)].map(seen)).toEqual([0, 0, 0]);
  expect([sequence(265), sequence(95), sequence(null), sequence(105, '2')].map(seen)).toEqual([1, 1, 1, 1]);
});

test('differences are counted by their kind', () => {
  const { differences } = compareReadings(reading(), reading({ tables: new Map(), libraries: '[1]', keys: new Map() }));
  expect(countDifferences(differences)).toBe('2 tables, 2 keys, 1 function libraries');
});
