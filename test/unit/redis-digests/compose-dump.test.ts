import * as fc from 'fast-check';
import { composeDump, type DumpLayer } from '../../../src/redis/digests/compose-dump.ts';
import { DIGEST_INDEX, writeRecordList } from '../../../src/redis/digests/record-list.ts';
import { type Batch, compareIds, recordId, recordValue } from '../../../src/redis/digests/record.ts';
import { DumpWriter } from '../../../src/redis/dump/stream/dump-writer.ts';
import { readDump } from '../../../src/redis/dump/stream/read-dump.ts';
import { caught } from '../../support/caught.ts';
import { collect, collectBytes } from '../../support/collect.ts';

/** What one backup after another finds: which of a few keys were set, to what, or deleted. */
interface Round {
  readonly set: readonly (readonly [string, number])[];
  readonly deleted: readonly string[];
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'session:1', '\0\xff');
const round: fc.Arbitrary<Round> = fc.record({
  set: fc.uniqueArray(fc.tuple(name, fc.nat(1000)), { maxLength: 6, selector: ([key]) => key }),
  deleted: fc.uniqueArray(name, { maxLength: 3 }),
});
const rounds = fc.array(round, { minLength: 1, maxLength: 6 });

interface Chain {
  readonly layers: readonly DumpLayer[];
  readonly index: () => AsyncIterable<Uint8Array>;
  /** The value of each key at the end. */
  readonly state: ReadonlyMap<string, number>;
}

const dbOf = (key: string): number => key.length;

/** The model: a map that is written to, and of each key where it was written last. */
function chainOf(some: readonly Round[]): Chain {
  const state = new Map<string, number>();
  const places = new Map<string, { layer: number; ordinal: number }>();
  const layers = some.map(({ set, deleted }, layer): DumpLayer => {
    const writer = new DumpWriter({ server: '7.0.15', startedAt: '2026-01-02T03:04:05.678Z' });
    writer.functions(Buffer.from(`functions ${layer}`));
    for (const key of deleted) [state, places].forEach((map) => map.delete(key));
    for (const [key, value] of set) {
      state.set(key, value);
      places.set(key, { layer, ordinal: writer.keys });
      writer.key(dbOf(key), Buffer.from(key, 'latin1'), Buffer.from(`payload ${value}`), value + 1);
    }
    const bytes = Buffer.concat(writer.finish());
    return { backupId: `backup-${layer}`, keys: set.length, open: () => once(bytes) };
  });
  const batch = [...places]
    .map(([key, place]) => ({
      id: recordId(dbOf(key), Buffer.from(key, 'latin1')),
      value: recordValue('d'.repeat(16), place),
    }))
    .toSorted(compareIds);
  return { layers, index: () => writeRecordList(DIGEST_INDEX, batches(batch)), state };
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* batches(batch: Batch): AsyncGenerator<Batch> {
  yield batch;
}

test('a chain gives what the model holds at its end, and the functions of the last one', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (some) => {
      const { layers, index, state } = chainOf(some);
      const open = await composeDump(index(), layers);
      const items = await collect(readDump(once(await collectBytes(open()))));
      const found = items.flatMap((item) =>
        item.kind === 'key' ? [[item.db, item.key.toString('latin1'), item.payload.toString(), item.expireAtMs]] : [],
      );
      const expected = [...state].map(([key, value]) => [dbOf(key), key, `payload ${value}`, value + 1]);
      expect(found.map(String).toSorted()).toEqual(expected.map(String).toSorted());
      const functions = items.flatMap((item) => (item.kind === 'functions' ? [item.payload.toString()] : []));
      expect(functions).toEqual([`functions ${some.length - 1}`]);
    }),
  );
});

test('an index that names what no layer holds is refused, and so is a layer of another number of keys', async () => {
  const { layers, index } = chainOf([
    { set: [['a', 1]], deleted: [] },
    { set: [['b', 2]], deleted: [] },
  ]);
  const code = async (work: () => Promise<unknown>): Promise<string> => (await caught(work)).code;
  expect(await code(() => composeDump(index(), layers.slice(0, 1)))).toBe('REDIS_CHAIN_BROKEN');
  expect(await code(() => composeDump(index(), [layers[0]!, { ...layers[1]!, keys: 0 }]))).toBe('REDIS_CHAIN_BROKEN');
  const open = await composeDump(index(), [layers[0]!, { ...layers[1]!, keys: 2 }]);
  expect(await code(() => collectBytes(open()))).toBe('REDIS_CHAIN_BROKEN');
});
