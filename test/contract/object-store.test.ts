// Goal: every driver keeps the promises of src/storage/object-store.ts, also when its process is killed.
// Method: one suite for all drivers; for the directory also a writer that is ended by SIGKILL in the middle of a put.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore } from '../../src/storage/local-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { collect } from '../support/collect.ts';
import { describeObjectStore, keys, readAll } from './object-store.ts';

describeObjectStore('memory store', async () => ({ store: createMemoryStore(), remove: async () => undefined }));

describeObjectStore('local store', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-store-'));
  return { store: createLocalStore({ root }), remove: async () => rm(root, { recursive: true, force: true }) };
});

describe('local store on its disk', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'lifeboat-store-'));
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  test('a writer killed in the middle of a put leaves no object, and what it left can be removed', async () => {
    const script = join(import.meta.dirname, 'killed-writer.ts');
    const writer = spawn(process.execPath, [script, root, 'a/object'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(writer.stdout, 'data');
    const ended = once(writer, 'exit');
    writer.kill('SIGKILL');
    expect((await ended)[1]).toBe('SIGKILL');

    const store = createLocalStore({ root });
    expect(await store.head('a/object')).toBeUndefined();
    expect(await keys(store, '')).toEqual([]);
    expect(await readdir(join(root, 'a'))).toHaveLength(1);
    await store.put('a/object', Buffer.from('the next attempt'), { ifNoneMatch: true });
    expect(await store.removeLeftovers('', 60_000)).toBe(0);
    expect(await store.removeLeftovers('', 0)).toBe(1);
    expect(await readdir(join(root, 'a'))).toEqual(['object']);
    expect((await readAll(store, 'a/object')).toString()).toBe('the next attempt');
  });

  test('leftovers are removed by age and only below the prefix', async () => {
    await mkdir(join(root, 'a/b'), { recursive: true });
    const [old, young, elsewhere] = ['a/b/x~1', 'a/b/x~2', 'a/y~3'].map((name) => join(root, name));
    for (const path of [old, young, elsewhere]) await writeFile(String(path), 'half');
    await utimes(String(old), new Date(Date.now() - 7_200_000), new Date(Date.now() - 7_200_000));
    const store = createLocalStore({ root });
    expect(await store.removeLeftovers('a/b/', 3_600_000)).toBe(1);
    expect((await readdir(join(root, 'a/b'))).toSorted()).toEqual(['x~2']);
    expect(await readdir(join(root, 'a'))).toContain('y~3');
  });

  test('an object that is cut while it is read ends with an error', async () => {
    const store = createLocalStore({ root });
    await store.put('a/long', Buffer.alloc(8_000_000, 7));
    const stream = await store.get('a/long');
    await truncate(join(root, 'a/long'), 1_000_000);
    await expect(collect(stream)).rejects.toMatchObject({ code: 'STORE_READ_SHORT' });
  });

  test('nothing is made before the first object, and empty folders go with their last object', async () => {
    const store = createLocalStore({ root: join(root, 'new/store') });
    expect(await keys(store, '')).toEqual([]);
    expect(await store.head('a')).toBeUndefined();
    expect(await readdir(root)).toEqual([]);
    await store.put('a/b/c', Buffer.from('x'));
    await store.remove('a/b/c');
    expect(await readdir(join(root, 'new/store'))).toEqual([]);
  });

  test('files of other programs in the directory are not shown', async () => {
    await mkdir(join(root, 'lost+found'));
    await writeFile(join(root, 'lost+found/x'), 'x');
    await writeFile(join(root, 'a b'), 'x');
    await symlink('/nowhere', join(root, 'dangling'));
    const store = createLocalStore({ root });
    await store.put('real', Buffer.from('x'));
    expect(await keys(store, '')).toEqual(['real']);
  });

  test('an object cannot lie inside another one', async () => {
    const store = createLocalStore({ root });
    await store.put('a/b', Buffer.from('x'));
    await expect(store.put('a/b/c', Buffer.from('y'))).rejects.toMatchObject({ code: 'STORE_KEY_INVALID' });
    await expect(store.put('a', Buffer.from('y'))).rejects.toMatchObject({ code: 'STORE_KEY_INVALID' });
    expect(await keys(store, '')).toEqual(['a/b']);
  });

  test('puts and removals in the same folders at once lose nothing', async () => {
    const store = createLocalStore({ root });
    await Promise.all(
      Array.from({ length: 200 }, async (_, number) => {
        await store.put(`busy/${number % 3}/${number}`, Buffer.from(String(number)));
        if (number % 2 === 0) await store.remove(`busy/${number % 3}/${number}`);
      }),
    );
    const left = await keys(store, 'busy/');
    expect(left).toHaveLength(100);
    expect(left.every((key) => Number(key.split('/')[2]) % 2 === 1)).toBe(true);
  });

  test('space tells what the file system has', async () => {
    const space = await createLocalStore({ root }).space?.();
    expect(space?.totalBytes).toBeGreaterThan(0);
    expect(space?.freeBytes).toBeLessThanOrEqual(space?.totalBytes ?? 0);
  });
});
