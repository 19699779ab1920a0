import fc from 'fast-check';
import { asideName, replacedName, undoneName } from '../../../src/domain/database-names.ts';
import { runs } from '../../support/property-runs.ts';

const ID = '2026-11-23t10-30-00-000z';

describe('database names', () => {
  it('say what they are where there is room', () => {
    expect(asideName('auth', ID)).toBe(`auth__restoring_${ID}`);
    expect(replacedName('auth', ID)).toBe(`auth__replaced_${ID}`);
  });

  it('never exceed 63 bytes, keep whole characters and the start of the name, and are the same each time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 70 }),
        fc.string({ maxLength: 60 }),
        (database, id) => {
          for (const make of [asideName, replacedName, (name: string) => undoneName(name)]) {
            const name = make(database, id);
            expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
            expect(Buffer.from(name).toString()).toBe(name);
            expect(name.startsWith(database.slice(0, 1))).toBe(true);
            expect(make(database, id)).toBe(name);
          }
        },
      ),
      { seed: 4711, numRuns: runs(100) },
    );
  });

  it('differ for long names and ids that differ only at their end, and by purpose', () => {
    const long = 'customer_accounts_production_of_the_northern_region_shard_0000';
    const names = ['a', 'b'].flatMap((end) =>
      ['1', '2'].flatMap((last) => {
        const replaced = replacedName(long + end, ID + ID + last);
        return [asideName(long + end, ID + ID + last), replaced, undoneName(replaced)];
      }),
    );
    expect(new Set(names).size).toBe(12);
  });
});
