import fc from 'fast-check';
import {
  databaseArgument,
  quoteIdentifier,
  quoteLiteral,
  splitNameList,
} from '../../../src/postgres/connection/quoting.ts';

describe('quoting', () => {
  it.each([
    ['a', `'a'`],
    [`it's`, `'it''s'`],
    ['back\\slash', `E'back\\\\slash'`],
    ['', `''`],
  ])('quotes %j as a literal', (value, expected) => {
    expect(quoteLiteral(value)).toBe(expected);
  });

  it.each([
    ['a', '"a"'],
    ['A "b".c', '"A ""b"".c"'],
  ])('quotes %j as a name', (name, expected) => {
    expect(quoteIdentifier(name)).toBe(expected);
  });

  it('hands a database over as a connection string that cannot be read otherwise', () => {
    expect(databaseArgument(`x=1 host=evil 'q' \\`)).toBe(`dbname='x=1 host=evil \\'q\\' \\\\'`);
  });

  it.each([
    ['"$user", public', ['$user', 'public']],
    ['app, "Odd Schema.x", "we,ird", "q""q"', ['app', 'Odd Schema.x', 'we,ird', 'q"q']],
    ['""', ['']],
    ['', []],
  ])('splits the list %j', (value, expected) => {
    expect(splitNameList(value)).toEqual(expected);
  });

  it('splits what PostgreSQL would have joined', () => {
    const name = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(fc.array(name), (names) => {
        expect(splitNameList(names.map(quoteIdentifier).join(', '))).toEqual(names);
      }),
      { seed: 4711 },
    );
  });
});
