import * as fc from 'fast-check';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinSorted } from '../../../src/redis/digests/join-sorted.ts';
import { DELETIONS, DIGEST_INDEX, readRecordList, writeRecordList } from '../../../src/redis/digests/record-list.ts';
import {
  type Batch,
  databaseOf,
  INDEX_VALUE_BYTES,
  keyOf,
  type KeyRecord,
  recordId,
  recordValue,
} from '../../../src/redis/digests/record.ts';
import { SortedRuns } from '../../../src/redis/digests/sorted-runs.ts';
import { SpooledList } from '../../../src/redis/digests/spooled-list.ts';
import { caught } from '../../support/caught.ts';
import { collect, collectBytes } from '../../support/collect.ts';
import { runs } from '../../support/property-runs.ts';

interface Key {
  readonly db: number;
  readonly key: Uint8Array;
  readonly mark: number;
}

/** Few different keys, so that the same ones come often; some longer than a chunk of records. */
const key: fc.Arbitrary<Key> = fc.record({
  db: fc.constantFrom(0, 1, 255, 256),
  key: fc.oneof(
    { weight: 20, arbitrary: fc.uint8Array({ maxLength: 2 }) },
    { weight: 1, arbitrary: fc.constant(new Uint8Array(300_000).fill(7)) },
  ),
  mark: fc.nat(1000),
});
const keys = fc.array(key, { maxLength: 60 });

const recordOf = ({ db, key: name, mark }: Key): KeyRecord => ({
  id: recordId(db, Buffer.from(name)),
  value: recordValue('d'.repeat(16), { layer: mark % 7, ordinal: mark }),
});
const plain = ({ id, value }: KeyRecord): readonly [number, string, string] => [
  databaseOf(id),
  keyOf(id).toString('latin1'),
  value.toString('hex'),
];

/** What is to be expected, made without the code under test: a map, sorted by numbers and latin1 text. */
function reference(some: readonly Key[]): KeyRecord[] {
  const latest = new Map(some.map((one) => [`${one.db} ${Buffer.from(one.key).toString('hex')}`, one]));
  return [...latest.values()]
    .toSorted((a, b) => a.db - b.db || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
    .map(recordOf);
}

async function* inBatches(records: readonly KeyRecord[], size: number): AsyncGenerator<Batch> {
  for (let at = 0; at < records.length; at += size) yield records.slice(at, at + size);
}

async function* cutAt(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Files that this process holds: where they were, and how they are still reached. */
function openFiles(): { readonly was: string; readonly path: string }[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    const path = `/proc/self/fd/${fd}`;
    try {
      return [{ was: readlinkSync(path), path }];
    } catch {
      // The one by which this folder is read is gone by now.
      return [];
    }
  });
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lifeboat-sorted-keys-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('sorted runs', () => {
  test('give every key once, in order, as it was added last, however small the memory', async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.constantFrom(1, 100, 1000, 10_000_000), async (some, runBytes) => {
        const runs = new SortedRuns(directory, INDEX_VALUE_BYTES, runBytes);
        for (const one of some) await runs.add(recordOf(one));
        const sorted = (await collect(runs.sorted())).flat();
        await runs.close();
        expect(sorted.map(plain)).toEqual(reference(some).map(plain));
      }),
      { numRuns: runs(60) },
    );
  });

  test('are a file without a name, in which no name of a key can be read', async () => {
    const runs = new SortedRuns(directory, INDEX_VALUE_BYTES, 1);
    const record = recordOf({ db: 0, key: Buffer.from('session:secret'), mark: 1 });
    await runs.add(record);
    // There is room for one only: the first one leaves the memory.
    await runs.add(record);
    expect(readdirSync(directory)).toEqual([]);
    const written = openFiles().filter(({ was }) => was.startsWith(directory));
    expect(written).toHaveLength(1);
    const bytes = readFileSync(written[0]!.path);
    expect(bytes).toHaveLength(4 + record.id.length + record.value.length);
    expect(bytes.includes('secret')).toBe(false);
    await runs.close();
  });
});

test('a spooled list gives what was added', async () => {
  await fc.assert(
    fc.asyncProperty(keys, async (some) => {
      const list = await SpooledList.open(directory, INDEX_VALUE_BYTES);
      for (const one of some) await list.add(recordOf(one));
      const read = (await collect(list.read())).flat();
      await list.close();
      expect(read.map(plain)).toEqual(some.map(recordOf).map(plain));
    }),
    { numRuns: runs(30) },
  );
});

test('two sorted lists are joined as two maps would be', async () => {
  await fc.assert(
    fc.asyncProperty(keys, keys, fc.integer({ min: 1, max: 50 }), async (left, right, size) => {
      const [before, now] = [reference(left), reference(right)];
      const joined = (await collect(joinSorted(inBatches(before, size), inBatches(now, size + 3)))).flat();
      const ids = joined.map((one) => (one.before ?? one.now)!.id);
      expect(ids).toEqual(ids.toSorted((a, b) => Buffer.compare(a, b)));
      const nameOf = ({ id }: KeyRecord): string => id.toString('hex');
      expect(joined.flatMap((one) => one.before ?? []).map(plain)).toEqual(before.map(plain));
      expect(joined.flatMap((one) => one.now ?? []).map(plain)).toEqual(now.map(plain));
      const names = new Set(now.map(nameOf));
      const common = before.filter((one) => names.has(nameOf(one)));
      const together = joined.filter((one) => one.before !== undefined && one.now !== undefined);
      expect(together).toHaveLength(common.length);
      for (const one of together) expect(one.before!.id).toEqual(one.now!.id);
    }),
    { numRuns: runs(60) },
  );
});

describe('a stored list', () => {
  test('comes back whole, in whatever pieces it is read', async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 100_000 }), async (some, size) => {
        const records = reference(some);
        const bytes = await collectBytes(writeRecordList(DIGEST_INDEX, inBatches(records, 10)));
        const pieces = cutAt(bytes, bytes.length > 10_000 ? Math.max(size, 5000) : size);
        expect((await collect(readRecordList(DIGEST_INDEX, pieces))).flat().map(plain)).toEqual(records.map(plain));
      }),
      { numRuns: runs(40) },
    );
  });

  test('with any byte changed, cut off or added is refused', async () => {
    const records = reference(
      Array.from({ length: 10 }, (_, mark) => ({ db: 0, key: Buffer.from(`key ${mark}`), mark })),
    );
    const bytes = await collectBytes(writeRecordList(DIGEST_INDEX, inBatches(records, 3)));
    const broken = [
      ...Array.from({ length: bytes.length }, (_, at) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 0x10;
        return changed;
      }),
      ...Array.from({ length: bytes.length }, (_, at) => bytes.subarray(0, at)),
      Buffer.concat([bytes, Buffer.from([0])]),
    ];
    for (const one of broken) {
      const error = await caught(() => collect(readRecordList(DIGEST_INDEX, cutAt(one, 7))));
      expect(error.code).toBe('REDIS_INDEX_DAMAGED');
    }
    expect(await caught(() => collect(readRecordList(DELETIONS, cutAt(bytes, 7))))).toMatchObject({
      code: 'REDIS_INDEX_DAMAGED',
    });
  });

  test('whose keys are not in order is refused', async () => {
    const records = reference([
      { db: 0, key: Buffer.from('a'), mark: 0 },
      { db: 0, key: Buffer.from('b'), mark: 1 },
    ]).toReversed();
    const bytes = await collectBytes(writeRecordList(DIGEST_INDEX, inBatches(records, 1)));
    const error = await caught(() => collect(readRecordList(DIGEST_INDEX, cutAt(bytes, 100))));
    expect(error.message).toContain('not in order');
  });
});
