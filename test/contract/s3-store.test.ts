// Goal: the S3 driver keeps every promise of a store, on a real server.
// Method: the suite of all drivers, each test under a prefix of its own in one bucket of SeaweedFS.
import { randomBytes, randomUUID } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createS3Store } from '../../src/storage/s3-store.ts';
import { limitRate } from '../../src/storage/with-rate-limit.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';
import { describeObjectStore, inChunks, keys, readAll } from './object-store.ts';

const describeHere = await whenAvailable('s3');

describeHere('on SeaweedFS', () => {
  let server: TestS3;

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('conformance');
  });
  afterAll(async () => server.stop());

  describeObjectStore('s3 store', async () => {
    const { credentials } = server;
    const store = createS3Store(server.url(`conformance/${randomUUID()}`), { credentials });
    return { store, remove: async () => undefined };
  });

  test('a store copies from another of the same server by itself, conditionally, and leaves the rest to the caller', async () => {
    await server.createBucket('elsewhere');
    const { credentials } = server;
    const source = createS3Store(server.url('conformance/copied'), { credentials });
    const target = createS3Store(server.url('elsewhere/copies'), { credentials });
    const bytes = randomBytes(9_000_001);
    await source.put('a/b', bytes);
    await source.put('a/empty', Buffer.alloc(0));
    expect(await target.copyFrom?.(source, 'a/b', { ifNoneMatch: true })).toEqual({ sizeBytes: bytes.length });
    expect((await readAll(target, 'a/b')).equals(bytes)).toBe(true);
    await expect(target.copyFrom?.(source, 'a/b', { ifNoneMatch: true })).rejects.toMatchObject({
      code: 'STORE_KEY_EXISTS',
    });
    await expect(target.copyFrom?.(source, 'a/none')).rejects.toMatchObject({ code: 'STORE_KEY_MISSING' });
    expect(await target.copyFrom?.(source, 'a/empty')).toBeUndefined();
    expect(await target.copyFrom?.(createMemoryStore(), 'a/b')).toBeUndefined();
    expect(await keys(target, '')).toEqual(['a/b']);
    expect(await target.removeLeftovers('', 0)).toBe(0);
  });

  test('an object of a store with Object Lock, small or in parts, cannot be removed for good before its time', async () => {
    await server.createBucket('locked', { objectLock: true });
    const objectLock = { mode: 'governance', periodMs: 3_600_000 } as const;
    const store = createS3Store(server.url('locked/x'), { credentials: server.credentials, objectLock });
    for (const sizeBytes of [100, 9_000_000]) {
      const key = `of/${sizeBytes}`;
      await store.put(key, inChunks(randomBytes(sizeBytes), 1_000_000), { ifNoneMatch: true });
      const { Versions } = await server.client.send(
        new ListObjectVersionsCommand({ Bucket: 'locked', Prefix: `x/${key}` }),
      );
      const version = { Bucket: 'locked', Key: `x/${key}`, VersionId: Versions?.[0]?.VersionId };
      await expect(server.client.send(new DeleteObjectCommand(version))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
      await store.remove(key);
      expect(await store.head(key)).toBeUndefined();
      const kept = await server.client.send(new GetObjectCommand(version));
      expect(kept.ContentLength).toBe(sizeBytes);
      expect(kept.ObjectLockMode).toBe('GOVERNANCE');
    }
  });

  test('a limit of the rate holds over all streams, in both directions', async () => {
    const inner = createS3Store(server.url('conformance/limited'), { credentials: server.credentials });
    const store = limitRate(inner, 1_000_000);
    const bytes = randomBytes(750_000);
    const startedAt = Date.now();
    await Promise.all(['a', 'b'].map(async (key) => store.put(key, inChunks(bytes, 100_000))));
    expect(Date.now() - startedAt).toBeGreaterThan(1_000);
    const readAt = Date.now();
    const found = await Promise.all(['a', 'b'].map(async (key) => readAll(store, key)));
    expect(found.every((one) => one.equals(bytes))).toBe(true);
    expect(Date.now() - readAt).toBeGreaterThan(1_000);
    const abort = new AbortController();
    const slow = limitRate(inner, 10).put('c', bytes, { signal: abort.signal });
    abort.abort(new Error('stop'));
    await expect(slow).rejects.toThrow('stop');
  });
});
