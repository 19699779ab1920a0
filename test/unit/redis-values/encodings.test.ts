import * as fc from 'fast-check';
import { ByteCursor } from '../../../src/redis/values/encodings/byte-cursor.ts';
import { intsetMembers } from '../../../src/redis/values/encodings/intset.ts';
import { ListpackCursor } from '../../../src/redis/values/encodings/listpack.ts';
import { ZiplistCursor } from '../../../src/redis/values/encodings/ziplist.ts';
import { packedElements } from '../../../src/redis/values/types/packed.ts';
import { stringValue } from '../../../src/redis/values/types/string.ts';
import { isReadError, type Element, intset, length, listpack, lzfString, string, ziplist } from './encoders.ts';
import { runs } from '../../support/property-runs.ts';

const text = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
const longText = fc.integer({ min: 0, max: 70_000 }).map((size) => Buffer.alloc(size, 'x'));
const integer = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -40_000n, max: 40_000n }),
  fc.bigInt({ min: -(2n ** 24n), max: 2n ** 24n }),
  fc.bigInt({ min: -8n, max: 130n }),
);
const element: fc.Arbitrary<Element> = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 1, arbitrary: longText },
  { weight: 5, arbitrary: integer },
);
const elements = fc.array(element, { maxLength: 40 });
const asText = (values: readonly Element[]): string[] =>
  values.map((value) => (typeof value === 'bigint' ? String(value) : value.toString('latin1')));
const all = (cursor: Iterable<Buffer>): string[] => Array.from(cursor, (bytes) => bytes.toString('latin1'));

describe('encodings of Redis values', () => {
  test('lengths of every width come back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(70), fc.nat(20_000), fc.nat(2 ** 31 - 1), fc.maxSafeNat()), (value) => {
        expect(new ByteCursor(length(value)).length()).toBe(value);
        expect(new ByteCursor(length(value)).length64()).toBe(BigInt(value));
      }),
    );
  });

  test('64-bit counters come back whole', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        expect(new ByteCursor(length(value)).length64()).toBe(value);
      }),
    );
  });

  test('strings come back, numbers as their text', () => {
    fc.assert(
      fc.property(fc.oneof(text, longText, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(BigInt)), (value) => {
        expect(stringValue(string(value)).toString('latin1')).toBe(asText([value])[0]);
      }),
    );
  });

  test('strings packed by LZF come back', () => {
    fc.assert(
      fc.property(lzfOperations, (operations) => {
        const { packed, plain } = lzfString(operations);
        expect(stringValue(packed).equals(plain)).toBe(true);
      }),
    );
  });

  test('listpacks come back in order', () => {
    fc.assert(
      fc.property(elements, (values) =>
        expect(all(packedElements(new ListpackCursor(listpack(values))))).toEqual(asText(values)),
      ),
    );
  });

  test('ziplists come back in order', () => {
    fc.assert(
      fc.property(elements, (values) =>
        expect(all(packedElements(new ZiplistCursor(ziplist(values))))).toEqual(asText(values)),
      ),
    );
  });

  test('intsets of every width come back', () => {
    fc.assert(
      fc.property(fc.array(integer), (values) =>
        expect(all(intsetMembers(intset(values)))).toEqual(values.map(String)),
      ),
    );
  });

  test('integers of a listpack are read as numbers, text in their place is refused', () => {
    fc.assert(fc.property(integer, (value) => expect(new ListpackCursor(listpack([value])).integer()).toBe(value)));
    expect(() => new ListpackCursor(listpack([Buffer.from('a')])).integer()).toThrow(/text where a number must stand/);
  });

  test('a listpack or ziplist that is cut or altered is read or refused, never read past its end', () => {
    const readers = [
      (bytes: Buffer) => all(packedElements(new ListpackCursor(bytes))),
      (bytes: Buffer) => all(packedElements(new ZiplistCursor(bytes))),
      (bytes: Buffer) => all(intsetMembers(bytes)),
    ];
    const encoders = [
      listpack,
      ziplist,
      (values: Element[]) => intset(values.filter((value) => typeof value === 'bigint')),
    ];
    fc.assert(
      fc.property(elements, fc.nat(2), fc.nat(), fc.nat(255), (values, which, where, byte) => {
        const sound = encoders[which]!(values);
        const altered = Buffer.from(sound);
        altered[where % altered.length] = byte;
        for (const bytes of [altered, sound.subarray(0, where % sound.length)]) {
          try {
            expect(readers[which]!(bytes).join('').length).toBeLessThanOrEqual(bytes.length * 21);
          } catch (error) {
            if (!isReadError(error)) throw error;
          }
        }
      }),
      { numRuns: runs(2000) },
    );
  });
});

const lzfOperations = fc.array(
  fc.oneof(
    fc.record({ literal: fc.uint8Array({ minLength: 1, maxLength: 32 }) }),
    fc.record({ distance: fc.integer({ min: 1, max: 8192 }), size: fc.integer({ min: 3, max: 264 }) }),
  ),
  { minLength: 1, maxLength: 60 },
);
