import * as fc from 'fast-check';
import { hash } from 'node:crypto';
import { openPayload } from '../../../src/redis/dump/stream/payload.ts';
import type { RdbEntry } from '../../../src/redis/rdb/walk.ts';
import { DigestSum } from '../../../src/redis/values/digest-sum.ts';
import { createDigest } from '../../../src/redis/values/digest.ts';
import { describeDifference, type SnapshotItem } from '../../../src/redis/values/difference.ts';
import { describeKey } from '../../../src/redis/values/key-name.ts';
import { hashFields } from '../../../src/redis/values/types/hash.ts';
import { sortedSetMembers } from '../../../src/redis/values/types/sorted-set.ts';
import { intset, length, listpack, string, ziplist } from './encoders.ts';
import { PAYLOADS } from './payloads.ts';

const entry = (type: number, value: Buffer, more: Partial<RdbEntry> = {}): RdbEntry => ({
  db: 0,
  key: Buffer.from('key'),
  type,
  expireAtMs: null,
  value,
  ...more,
});

function digest(entries: readonly RdbEntry[], liveAtMs?: number): string {
  const digest = createDigest(liveAtMs === undefined ? {} : { liveAtMs });
  for (const one of entries) digest.add(one);
  return digest.digest();
}

const packed = (...values: readonly (Buffer | bigint)[]): Buffer => string(listpack(values));
const text = (value: string): Buffer => Buffer.from(value);
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};
const table = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

function fromHex(hex: string): RdbEntry {
  const { content } = openPayload(Buffer.from(hex, 'hex'));
  return entry(content[0]!, content.subarray(1));
}

/** 32 bytes little-endian, as hex. */
const number = (hex: string): bigint =>
  BigInt(`0x${Buffer.from(Buffer.from(hex, 'hex').toReversed()).toString('hex')}`);

const items = (keys: ReadonlyMap<string, string>) =>
  async function* (): AsyncGenerator<SnapshotItem> {
    for (const [name, value] of keys) yield { kind: 'entry', entry: entry(0, string(value), { key: text(name) }) };
    yield { kind: 'end' };
  };

describe('the canonical digest', () => {
  const payloads = PAYLOADS.map(({ name, redis8, redis7 }) => ({
    name,
    eight: fromHex(redis8),
    seven: redis7 === null ? null : fromHex(redis7),
  }));
  const recorded = (name: string): RdbEntry => payloads.find((payload) => payload.name === name)!.eight;

  test('is the same for what Redis 7 and Redis 8 wrote', () => {
    const both = payloads.flatMap(({ name, eight, seven }) => (seven === null ? [] : [{ name, eight, seven }]));
    expect(both.map(({ eight, seven }) => [eight.type, seven.type])).toContainEqual([21, 19]);
    expect(both.map(({ eight, seven }) => [eight.type, seven.type])).toContainEqual([20, 2]);
    for (const { name, eight, seven } of both) expect([name, digest([eight])]).toEqual([name, digest([seven])]);
  });

  test('takes in the expiry of hash fields, in either encoding', () => {
    const asTable = recorded('hash with field expiry, table');
    const asListpack = recorded('the same hash, listpack');
    expect([asTable.type, asListpack.type]).toEqual([24, 25]);
    expect(digest([asTable])).toBe(digest([asListpack]));
    expect(
      [...hashFields(24, asTable.value)]
        .map(({ field, expireAtMs }) => [String(field), expireAtMs])
        .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual([
      ['age', 4_102_444_800_123],
      ['name', null],
      ['token', 4_102_444_805_123],
    ]);
    expect(digest([asTable])).not.toBe(digest([recorded('hash without field expiry, table')]));
    expect(digest([recorded('hash whose field expiry was removed, table')])).toBe(
      digest([recorded('hash without field expiry, table')]),
    );
    const later = Buffer.from(asTable.value);
    later.writeBigInt64LE(later.readBigInt64LE(0) + 1n);
    expect(digest([{ ...asTable, value: later }])).not.toBe(digest([asTable]));
  });

  test('leaves out what had expired: keys, fields, and hashes without any field left', () => {
    const hash = recorded('hash with field expiry, listpack');
    const string0 = entry(0, string('v'), { key: text('a') });
    const mortal = entry(0, string('v'), { key: text('b'), expireAtMs: 1000 });
    expect(digest([string0, mortal], 999)).toBe(digest([string0, mortal]));
    expect(digest([string0, mortal], 1000)).toBe(digest([string0]));
    const withoutAge = entry(16, packed(text('name'), text('ann')));
    expect(digest([hash], 4_102_444_800_123)).toBe(digest([withoutAge]));
    expect(digest([hash], 4_102_444_800_122)).not.toBe(digest([withoutAge]));
    const onlyMortal = entry(25, table(Buffer.alloc(8), packed(text('f'), text('v'), 5000n)));
    expect(digest([string0, onlyMortal], 5000)).toBe(digest([string0]));
    expect(digest([string0, onlyMortal], 4999)).not.toBe(digest([string0]));
  });

  test.each<[string, RdbEntry, RdbEntry]>([
    ['text and number', entry(0, string('-129')), entry(0, string(-129n))],
    [
      'list: plain, ziplist',
      entry(1, table(length(2), string('a'), string('7'))),
      entry(10, string(ziplist([text('a'), 7n]))),
    ],
    [
      'list: quicklists',
      entry(14, table(length(2), string(ziplist([text('a')])), string(ziplist([7n])))),
      entry(18, table(length(2), length(1), string('a'), length(2), packed(7n))),
    ],
    [
      'list: plain, quicklist',
      entry(1, table(length(1), string('a'))),
      entry(18, table(length(1), length(2), packed(text('a')))),
    ],
    ['set: table, intset', entry(2, table(length(2), string('5'), string('-3'))), entry(11, string(intset([-3n, 5n])))],
    ['set: table, listpack', entry(2, table(length(2), string('5'), string('x'))), entry(20, packed(text('x'), 5n))],
    [
      'sorted set: text, binary',
      entry(
        3,
        table(
          length(3),
          string('a'),
          Buffer.from('\x031.5', 'latin1'),
          string('b'),
          Buffer.from([254]),
          string('c'),
          Buffer.from([255]),
        ),
      ),
      entry(
        5,
        table(length(3), string('c'), double(-Infinity), string('a'), double(1.5), string('b'), double(Infinity)),
      ),
    ],
    [
      'sorted set: ziplist, listpack',
      entry(12, string(ziplist([text('a'), text('1.5'), text('b'), text('-inf'), text('c'), 3n]))),
      entry(17, packed(text('c'), 3n, text('b'), text('-inf'), text('a'), text('1.5'))),
    ],
    ['minus zero', entry(5, table(length(1), string('a'), double(-0))), entry(17, packed(text('a'), 0n))],
    [
      'not a number',
      entry(3, table(length(1), string('a'), Buffer.from([253]))),
      entry(5, table(length(1), string('a'), double(Number.NaN))),
    ],
    [
      'hash: table, ziplist',
      entry(4, table(length(1), string('f'), string('1'))),
      entry(13, string(ziplist([text('f'), 1n]))),
    ],
    ['hash: ziplist, listpack', entry(13, string(ziplist([text('f'), 1n]))), entry(16, packed(text('f'), 1n))],
  ])('does not see the encoding: %s', (_, one, other) => {
    expect(digest([one])).toBe(digest([other]));
  });

  test.each<[string, RdbEntry, RdbEntry]>([
    ['database', entry(0, string('v')), entry(0, string('v'), { db: 1 })],
    ['key', entry(0, string('v')), entry(0, string('v'), { key: text('Key') })],
    [
      'key and value exchanged',
      entry(0, string('key2'), { key: text('a') }),
      entry(0, string('a'), { key: text('key2') }),
    ],
    [
      'boundary of key and value',
      entry(0, string('bc'), { key: text('a') }),
      entry(0, string('c'), { key: text('ab') }),
    ],
    ['expiry', entry(0, string('v'), { expireAtMs: 0 }), entry(0, string('v'))],
    ['list and set', entry(1, table(length(1), string('a'))), entry(2, table(length(1), string('a')))],
    [
      'boundary of elements',
      entry(1, table(length(2), string('ab'), string('c'))),
      entry(1, table(length(2), string('a'), string('bc'))),
    ],
    ['an element more', entry(1, table(length(1), string(''))), entry(1, table(length(2), string(''), string('')))],
    ['field and value exchanged', entry(16, packed(text('a'), text('b'))), entry(16, packed(text('b'), text('a')))],
    ['score', entry(17, packed(text('a'), 1n)), entry(17, packed(text('a'), text('1.0000000000000002')))],
    ['module', entry(7, Buffer.from([1, 2])), entry(7, Buffer.from([1, 3]))],
  ])('sees the %s', (_, one, other) => {
    expect(digest([one])).not.toBe(digest([other]));
  });

  test('does not depend on the order of keys, and counts them', () => {
    const arbitrary = fc.uniqueArray(fc.record({ db: fc.nat(3), name: fc.string(), value: fc.string() }), {
      selector: ({ db, name }) => `${db} ${name}`,
    });
    fc.assert(
      fc.property(arbitrary, (keys) => {
        const entries = keys.map(({ db, name, value }) => entry(0, string(value), { db, key: text(name) }));
        expect(digest(entries.toReversed())).toBe(digest(entries));
        expect(digest([...entries, entry(0, string(''), { db: 4 })])).not.toBe(digest(entries));
      }),
    );
    const counted = createDigest();
    for (const db of [0, 0, 7]) counted.add(entry(7, Buffer.alloc(3), { db }));
    expect(counted).toMatchObject({ keys: 3, databases: { 0: 2, 7: 1 }, opaque: 3, expired: 0, functions: 0 });
  });

  test('values longer than the scratch buffer are hashed whole', () => {
    const long = Buffer.alloc(200_000, 'a');
    const altered = (at: number): Buffer => Buffer.from(long).fill('b', at, at + 1);
    const digests = [long, ...[0, 65_535, 65_536, 131_072, 199_999].map(altered)].map((value) =>
      digest([entry(0, string(value))]),
    );
    expect(new Set(digests).size).toBe(6);
    const elements = Array.from({ length: 5000 }, (_, index) => text(`element ${index}`));
    const node = (values: Buffer[]): Buffer => table(length(2), string(listpack(values)));
    expect(digest([entry(18, table(length(2), node(elements.slice(0, 7)), node(elements.slice(7))))])).toBe(
      digest([entry(1, table(length(5000), ...elements.map(string)))]),
    );
  });

  test('sums are those of numbers modulo 2^256', () => {
    const digests = Array.from({ length: 3000 }, (_, index) => hash('sha256', `${index}`, 'hex'));
    const sum = new DigestSum();
    for (const hex of digests) sum.add(Buffer.from(hex, 'hex').toString('latin1'));
    const expected = BigInt.asUintN(
      256,
      digests.reduce((total, hex) => total + number(hex), 0n),
    );
    expect(number(sum.bytes().toString('hex'))).toBe(expected);
    const ones = new DigestSum();
    for (const hex of ['ff'.repeat(32), `01${'00'.repeat(31)}`]) ones.add(Buffer.from(hex, 'hex').toString('latin1'));
    expect(ones.bytes().equals(Buffer.alloc(32))).toBe(true);
  });

  test.each([6, 8, 9, 22, 23, 26, 33, 255])('type %i is refused by name', (type) => {
    expect(() => digest([entry(type, Buffer.alloc(20))])).toThrow(
      expect.objectContaining({ code: 'REDIS_VALUE_TYPE_UNKNOWN', details: { type } }),
    );
  });

  test('values that are cut anywhere are refused', () => {
    for (const { eight } of payloads) {
      for (let size = 0; size < eight.value.length; size += 1) {
        expect(() => digest([{ ...eight, value: eight.value.subarray(0, size) }])).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^(REDIS_VALUE_CORRUPT|RDB_MALFORMED)$/) }),
        );
      }
      expect(() => digest([{ ...eight, value: Buffer.concat([eight.value, Buffer.from([0])]) }])).toThrow(
        expect.objectContaining({ code: 'REDIS_VALUE_CORRUPT' }),
      );
    }
  });

  test('scores that are no numbers are refused', () => {
    expect(() => [...sortedSetMembers(17, packed(text('a'), text('b')))]).toThrow(/a score is not a number/);
    expect(() => [...sortedSetMembers(17, packed(text('a'), text('')))]).toThrow(/a score is not a number/);
  });
});

describe('the report of differences', () => {
  test('names exactly the keys that differ', async () => {
    const keys = fc.dictionary(fc.string({ maxLength: 4 }), fc.constantFrom('1', '2'), { maxKeys: 30 });
    await fc.assert(
      fc.asyncProperty(keys, keys, async (one, other) => {
        const [left, right] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
        const expected = [...new Set([...left.keys(), ...right.keys()])].filter(
          (name) => left.get(name) !== right.get(name),
        );
        const { differences, more } = await describeDifference(items(left), items(right), { limit: 100 });
        expect(differences.map(({ key }) => key.toString())).toEqual(
          expected.toSorted((a, b) => Buffer.compare(text(a), text(b))),
        );
        expect(more).toBe(false);
      }),
    );
  });

  test('lists no more than the limit and says that there is more', async () => {
    const many = new Map(Array.from({ length: 5000 }, (_, index) => [`key:${index}`, 'v'] as const));
    const report = await describeDifference(items(many), items(new Map()), { limit: 7 });
    expect(report.differences).toHaveLength(7);
    expect(report.more).toBe(true);
    expect(new Set(report.differences.map(({ what }) => what))).toEqual(new Set(['missing']));
  });

  test('shows of a key what stands before its first colon', () => {
    expect(describeKey(text('sess:0a1b2c3d4e5f:data'))).toMatch(/^sess:…#[0-9a-f]{12}$/);
    expect(describeKey(text('0a1b2c3d4e5f'))).toMatch(/^…#[0-9a-f]{12}$/);
    expect(describeKey(text(`${'t'.repeat(40)}:x`))).toMatch(/^…#/);
    expect(describeKey(Buffer.from([0, 255, 58]))).toMatch(/^…#/);
  });
});
