import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore } from '../../../src/storage/local-store.ts';

test('objects of one folder are removed at once without one removal taking the folder from under another', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-removal-'));
  const store = createLocalStore({ root });
  try {
    for (let round = 0; round < 30; round += 1) {
      const keys = Array.from({ length: 8 }, (_, n) => `backups/a/postgres/attempt-1/data-${n}.raw`);
      await Promise.all(keys.map((key) => store.put(key, Buffer.from('x'))));
      await Promise.all(keys.map((key) => store.remove(key)));
    }
    for await (const { key } of store.list('')) throw new Error(`${key} is still there`);
    expect(await store.head('backups/a/postgres/attempt-1/data-0.raw')).toBeUndefined();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
