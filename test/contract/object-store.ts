import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { collect, collectBytes } from '../support/collect.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';

/** Gives a new, empty store and removes it afterwards. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  remove(): Promise<void>;
}

/** What src/storage/object-store.ts promises, asked of one driver. */
export function describeObjectStore(driver: string, open: () => Promise<StoreUnderTest>): void {
  describe(driver, () => {
    let underTest: StoreUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      underTest = await open();
      store = underTest.store;
    });

    afterEach(async () => {
      await underTest.remove();
    });

    test('an object comes back byte for byte, whatever its size and chunks', async () => {
      for (const sizeBytes of [0, 1, 65_536, 1_048_576, 3_000_001]) {
        const bytes = randomBytes(sizeBytes);
        const { sizeBytes: written } = await store.put(`sizes/of-${sizeBytes}`, inChunks(bytes, 10_007));
        expect(written).toBe(sizeBytes);
        expect((await readAll(store, `sizes/of-${sizeBytes}`)).equals(bytes)).toBe(true);
        expect((await store.head(`sizes/of-${sizeBytes}`))?.sizeBytes).toBe(sizeBytes);
      }
    });

    test('memory of a chunk may be used again as soon as the next one is asked for', async () => {
      const bytes = randomBytes(3_000_001);
      async function* reusing(): AsyncGenerator<Uint8Array> {
        const memory = Buffer.alloc(65_536);
        for (let at = 0; at < bytes.length; at += memory.length) {
          const taken = bytes.copy(memory, 0, at);
          yield memory.subarray(0, taken);
          memory.fill(0);
        }
      }
      await store.put('reused/memory', reusing());
      expect((await readAll(store, 'reused/memory')).equals(bytes)).toBe(true);
    });

    test('a put over a key replaces the object', async () => {
      await store.put('a/b', Buffer.from('first, and longer'));
      await store.put('a/b', Buffer.from('second'));
      expect((await readAll(store, 'a/b')).toString()).toBe('second');
      expect(await keys(store, '')).toEqual(['a/b']);
    });

    test('if-none-match refuses a taken key and leaves it as it was', async () => {
      await store.put('a/b', Buffer.from('first'), { ifNoneMatch: true });
      await expect(store.put('a/b', Buffer.from('second'), { ifNoneMatch: true })).rejects.toMatchObject({
        code: 'STORE_KEY_EXISTS',
      });
      expect((await readAll(store, 'a/b')).toString()).toBe('first');
      expect(await keys(store, '')).toEqual(['a/b']);
    });

    test('if-match replaces the version that was looked at, and refuses another one and a missing one', async () => {
      await store.put('a/b', Buffer.from('first'));
      const first = (await store.head('a/b'))?.version ?? '';
      await store.put('a/b', Buffer.from('second'), { ifMatch: first });
      const stale = store.put('a/b', Buffer.from('third'), { ifMatch: first });
      await expect(stale).rejects.toMatchObject({ code: 'STORE_KEY_CHANGED' });
      expect((await readAll(store, 'a/b')).toString()).toBe('second');
      const second = (await store.head('a/b'))?.version ?? '';
      await store.remove('a/b');
      const gone = store.put('a/b', Buffer.from('third'), { ifMatch: second });
      await expect(gone).rejects.toMatchObject({ code: 'STORE_KEY_CHANGED' });
      expect(await keys(store, '')).toEqual([]);
    });

    test('of ten writers with if-match at once exactly one wins', async () => {
      await store.put('race/match', Buffer.from('first'));
      const ifMatch = (await store.head('race/match'))?.version ?? '';
      const writers = Array.from({ length: 10 }, (_, writer) => Buffer.from(`of ${writer}`));
      const results = await Promise.allSettled(writers.map((bytes) => store.put('race/match', bytes, { ifMatch })));
      const winners = results.flatMap(({ status }, writer) => (status === 'fulfilled' ? [writers[writer]] : []));
      expect(winners).toHaveLength(1);
      expect((await readAll(store, 'race/match')).toString()).toBe(winners[0]?.toString());
    });

    test('of twenty writers with if-none-match at once exactly one wins, and its bytes are there', async () => {
      const writers = Array.from({ length: 20 }, (_, writer) => Buffer.alloc(200_000, writer));
      const results = await Promise.allSettled(
        writers.map((bytes) => store.put('race/one', inChunks(bytes, 50_000), { ifNoneMatch: true })),
      );
      const winners = results.flatMap((result, writer) => (result.status === 'fulfilled' ? [writer] : []));
      expect(winners).toHaveLength(1);
      const winner = writers[winners[0] ?? -1] ?? Buffer.alloc(0);
      expect((await readAll(store, 'race/one')).equals(winner)).toBe(true);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'STORE_KEY_EXISTS' });
      }
    });

    test('twenty writers without it leave one whole object', async () => {
      const writers = Array.from({ length: 20 }, (_, writer) => Buffer.alloc(200_000, writer));
      await Promise.all(writers.map((bytes) => store.put('race/any', inChunks(bytes, 50_000))));
      const found = await readAll(store, 'race/any');
      expect(writers.some((bytes) => bytes.equals(found))).toBe(true);
    });

    test('a source that throws leaves nothing, and its own error comes out', async () => {
      const broken = new Error('producer died');
      async function* source(): AsyncGenerator<Buffer> {
        yield Buffer.alloc(500_000);
        throw broken;
      }
      await expect(store.put('a/broken', source())).rejects.toBe(broken);
      expect(await store.head('a/broken')).toBeUndefined();
      expect(await keys(store, '')).toEqual([]);
    });

    test('a source that throws over an object leaves the object as it was', async () => {
      await store.put('a/kept', Buffer.from('old'));
      async function* source(): AsyncGenerator<Buffer> {
        yield Buffer.from('new');
        throw new Error('producer died');
      }
      await expect(store.put('a/kept', source())).rejects.toThrow('producer died');
      expect((await readAll(store, 'a/kept')).toString()).toBe('old');
    });

    test('an abort ends a put whose source hangs, with the reason of the abort, and leaves nothing', async () => {
      const abort = new AbortController();
      const reason = new Error('cancelled by a person');
      let closed = false;
      async function* source(): AsyncGenerator<Buffer> {
        try {
          yield Buffer.alloc(100_000);
          await new Promise((resolve) => abort.signal.addEventListener('abort', () => setTimeout(resolve, 50)));
          yield Buffer.alloc(100_000);
        } finally {
          closed = true;
        }
      }
      const put = store.put('a/aborted', source(), { signal: abort.signal });
      setTimeout(() => abort.abort(reason), 50);
      await expect(put).rejects.toBe(reason);
      expect(await keys(store, '')).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(closed).toBe(true);
    });

    test('a put that is aborted before it starts writes nothing', async () => {
      const put = store.put('a/never', Buffer.from('x'), { signal: AbortSignal.abort(new Error('too late')) });
      await expect(put).rejects.toThrow('too late');
      expect(await keys(store, '')).toEqual([]);
    });

    test('an abort ends a get with an error, never with a clean end', async () => {
      await store.put('a/long', Buffer.alloc(8_000_000));
      const abort = new AbortController();
      const stream = await store.get('a/long', { signal: abort.signal });
      const reading = (async () => {
        stream.once('data', () => abort.abort(new Error('stop reading')));
        await once(stream, 'end');
      })();
      await expect(reading).rejects.toThrow('stop reading');
    });

    test('a get of a missing key rejects before it gives a stream', async () => {
      await expect(store.get('no/such/key')).rejects.toMatchObject({ code: 'STORE_KEY_MISSING' });
      await store.put('no/such/key/below', Buffer.from('x'));
      await expect(store.get('no/such')).rejects.toMatchObject({ code: 'STORE_KEY_MISSING' });
      expect(await store.head('no/such')).toBeUndefined();
    });

    test('a stream that nobody reads can be thrown away', async () => {
      await store.put('a/b', Buffer.alloc(100));
      const stream = await store.get('a/b');
      const closed = new Promise((resolve) => stream.once('close', resolve));
      stream.destroy();
      await closed;
    });

    test('remove takes an object away, and resolves where there is none', async () => {
      await store.put('a/b/c', Buffer.from('x'));
      await store.put('a/d', Buffer.from('y'));
      await store.remove('a/b/c');
      await store.remove('a/b/c');
      await store.remove('never/was');
      expect(await keys(store, '')).toEqual(['a/d']);
      await store.put('a/b/c', Buffer.from('again'));
      expect(await keys(store, '')).toEqual(['a/b/c', 'a/d']);
    });

    test('list gives each object under a string prefix once, in ascending key order', async () => {
      const all = ['a', 'b-1/x', 'b.1', 'b/1', 'b/10', 'b/2/x', 'b/2/y', 'b/2.x', 'b/2-x', 'b0', 'c/d/e/f/g', 'z_1'];
      for (const key of all.toReversed()) await store.put(key, Buffer.from(key));
      expect(await keys(store, '')).toEqual(all.toSorted());
      for (const prefix of ['b', 'b/', 'b/2', 'b/2/', 'c/d', 'c/d/e/f/g', 'nothing', 'b/nothing/']) {
        expect(await keys(store, prefix)).toEqual(all.filter((key) => key.startsWith(prefix)).toSorted());
      }
      for await (const head of store.list('')) {
        expect(head.sizeBytes).toBe(head.key.length);
        expect(Math.abs(Date.now() - head.modifiedAt.getTime())).toBeLessThan(60_000);
      }
    });

    test('folders gives the names below a prefix, each once, in the order of their keys', async () => {
      for (const key of ['top', 'f/b/1', 'f/b/2/x', 'f/a/1', 'f/file', 'f/b-1/x'])
        await store.put(key, Buffer.from('x'));
      expect(await collect(store.folders('f/'))).toEqual(['a', 'b-1', 'b']);
      expect(await collect(store.folders(''))).toEqual(['f']);
      expect(await collect(store.folders('none/'))).toEqual([]);
    });

    test('a folder is gone with its last object', async () => {
      await store.put('f/a/b/1', Buffer.from('x'));
      await store.put('f/c/1', Buffer.from('x'));
      await store.remove('f/a/b/1');
      expect(await collect(store.folders('f/'))).toEqual(['c']);
      expect(await keys(store, 'f/')).toEqual(['f/c/1']);
    });

    test('keys that could leave the store are refused by every call', async () => {
      const invalid = ['', '/', 'a/', '/a', 'a//b', '..', 'a/../b', './a', 'a\\b', 'a b', 'ä', 'a\0b', 'a~b'];
      for (const key of invalid) {
        const refusal = { code: 'STORE_KEY_INVALID' };
        await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject(refusal);
        await expect(store.get(key)).rejects.toMatchObject(refusal);
        await expect(store.head(key)).rejects.toMatchObject(refusal);
        await expect(store.remove(key)).rejects.toMatchObject(refusal);
      }
      await expect(keys(store, '../')).rejects.toMatchObject({ code: 'STORE_KEY_INVALID' });
      await expect(keys(store, '/etc')).rejects.toMatchObject({ code: 'STORE_KEY_INVALID' });
    });

    test('a chunk may be used again as soon as the next one is asked for', async () => {
      const buffer = Buffer.alloc(1000);
      async function* source(): AsyncGenerator<Buffer> {
        for (let value = 0; value < 50; value += 1) yield buffer.fill(value);
      }
      await store.put('a/reused', source());
      const expected = Buffer.concat(Array.from({ length: 50 }, (_, value) => Buffer.alloc(1000, value)));
      expect((await readAll(store, 'a/reused')).equals(expected)).toBe(true);
    });
  });
}

export async function* inChunks(bytes: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) yield bytes.subarray(offset, offset + chunkBytes);
}

export async function readAll(store: ObjectStore, key: string): Promise<Buffer> {
  return collectBytes(await store.get(key));
}

export async function keys(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await collect(store.list(prefix))).map((head) => head.key);
}
