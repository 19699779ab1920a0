import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/storage/open-store.ts';
import { caught } from '../../support/caught.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-store-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const bytes = Buffer.from('x');

test('a folder that is not there yet is made by the first object', async () => {
  const store = openStore(join(folder, 'not/there/yet'));
  await store.put('a/b', bytes);
  expect(await store.head('a/b')).toMatchObject({ sizeBytes: 1 });
});

test.each(['a/b', 'b'])(
  'one that went away takes no object %s and is not made again; when it is back it goes on',
  async (key) => {
    const root = join(folder, 'store');
    const store = openStore(root);
    await store.put('a/first', bytes);
    await rename(root, join(folder, 'away'));
    expect(await caught(() => store.put(key, bytes))).toMatchObject({ code: 'STORE_IO' });
    expect(existsSync(root)).toBe(false);

    await rename(join(folder, 'away'), root);
    await store.put(key, bytes);
    expect(await store.head(key)).toMatchObject({ sizeBytes: 1 });
    expect(await store.head('a/first')).toMatchObject({ sizeBytes: 1 });
  },
);

test('one that was there when the first object was written is known, too', async () => {
  const root = join(folder, 'store');
  await openStore(root).put('of/another', bytes);
  const store = openStore(root);
  await store.put('a', bytes);
  await rename(root, join(folder, 'away'));
  expect(await caught(() => store.put('b', bytes))).toMatchObject({ code: 'STORE_IO' });
});
