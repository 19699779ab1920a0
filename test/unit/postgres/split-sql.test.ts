import fc from 'fast-check';
import { splitSql, statementWords } from '../../../src/postgres/restore/split-sql.ts';

describe('splitSql', () => {
  it.each([
    ['two statements', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['the last one without a semicolon', 'SELECT 1;\nSELECT 2', ['SELECT 1', 'SELECT 2']],
    ['nothing', '  \n;; -- only a comment;\n', []],
    ['a comment with a semicolon and quotes', `A -- it's; "x\n B;`, ['A  \n B']],
    ['nested comments', 'A /* one; /* two; */ three; */ B;', ['A   B']],
    ['a semicolon in a string', `SELECT 'a;''b;';X;`, [`SELECT 'a;''b;'`, 'X']],
    ['a backslash in a plain string', `SELECT '\\'; X;`, [`SELECT '\\'`, 'X']],
    ['an escaped quote in an escape string', `SELECT E'\\'; X'; Y;`, [`SELECT E'\\'; X'`, 'Y']],
    ['a quoted name', 'CREATE ROLE "a;""b;";X;', ['CREATE ROLE "a;""b;"', 'X']],
    ['dollar quotes with a tag', 'DO $t$ a; $$ b; $x$ $t$; X;', ['DO $t$ a; $$ b; $x$ $t$', 'X']],
    ['a dollar within a name', 'SELECT a$b$c; X;', ['SELECT a$b$c', 'X']],
    ["psql's own commands", '\\restrict abc;def\nCREATE ROLE a;\n\\unrestrict abc\n', ['CREATE ROLE a']],
  ])('splits %s', (_, text, expected) => {
    expect(splitSql(text)).toEqual(expected);
  });

  it('gives back any list of strings and names that were quoted by the rules', () => {
    const statement = fc
      .tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
      .map(([name, value]) => `COMMENT ON ROLE "${name.replaceAll('"', '""')}" IS '${value.replaceAll("'", "''")}'`);
    fc.assert(
      fc.property(fc.array(statement), (statements) => {
        expect(splitSql(statements.map((each) => `${each};\n`).join(''))).toEqual(statements);
      }),
      { seed: 4711 },
    );
  });
});

describe('statementWords', () => {
  it('takes quotes off names and leaves strings alone', () => {
    expect(statementWords(`ALTER ROLE "my ""role""" SET work_mem TO '5MB'`)).toEqual([
      'ALTER',
      'ROLE',
      'my "role"',
      'SET',
      'work_mem',
      'TO',
      `'5MB'`,
    ]);
  });
});
