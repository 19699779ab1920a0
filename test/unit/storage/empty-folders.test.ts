import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore } from '../../../src/storage/local-store.ts';

test('a folder that a dead writer left without an object is no folder of the store', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-folders-'));
  const store = createLocalStore({ root });
  try {
    await mkdir(join(root, 'backups', 'empty', 'postgres', 'attempt-1'), { recursive: true });
    await store.put('backups/held/postgres/attempt-1/begin.json', Buffer.from('x'));
    const names: string[] = [];
    for await (const name of store.folders('backups/')) names.push(name);
    expect(names).toEqual(['held']);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
