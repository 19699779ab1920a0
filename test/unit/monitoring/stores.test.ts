import { LifeboatError } from '../../../src/domain/errors.ts';
import { sampleStores } from '../../../src/sampling/sample-stores.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';

test('a store that is away, or that cannot be opened, is told beside those that are there', async () => {
  const refused = async (): Promise<never> => {
    throw new LifeboatError('STORE_IO', 'head lifeboat.json: connection refused');
  };
  const { gauges, looks } = await sampleStores([
    { name: 'repository', store: createMemoryStore },
    { name: 'east', store: (): ObjectStore => ({ ...createMemoryStore(), head: refused }) },
    {
      name: 'west',
      store: () => {
        throw new LifeboatError('STORE_UNKNOWN', 'open store west: not in `stores`');
      },
    },
  ]);
  expect(gauges?.map(({ labels, value }) => [labels?.['store'], value])).toEqual([
    ['repository', 1],
    ['east', 0],
    ['west', 0],
  ]);
  expect(looks?.map(({ name, problem }) => [name, problem])).toEqual([
    ['repository', null],
    ['east', 'STORE_IO: head lifeboat.json: connection refused'],
    ['west', 'STORE_UNKNOWN: open store west: not in `stores`'],
  ]);
});

test('a store in which nothing lies is not asked for its room: that would make its folder', async () => {
  let asked = 0;
  const space = async (): Promise<{ freeBytes: number; totalBytes: number }> => {
    asked += 1;
    return { freeBytes: 1, totalBytes: 2 };
  };
  const memory = createMemoryStore();
  const named = { name: 'repository', store: (): ObjectStore => ({ ...memory, space }) };
  await sampleStores([named]);
  expect(asked).toBe(0);
  await memory.put('lifeboat.json', Buffer.from('{}'));
  const { gauges } = await sampleStores([named]);
  expect(gauges?.map(({ metric, value }) => [metric, value])).toEqual([
    ['lifeboat_store_up', 1],
    ['lifeboat_storage_free_bytes', 1],
    ['lifeboat_storage_size_bytes', 2],
  ]);
});
