// Goal: whatever the line and the server do, an S3 store keeps an object whole or has none, leaves no upload behind, and says why.
// Method: a real server behind a proxy that resets, loses answers, hangs, slows down and answers with errors, at each request in turn.
import { randomBytes, randomUUID } from 'node:crypto';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { freePort } from '../../src/platform/ports.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { createS3Store } from '../../src/storage/s3-store.ts';
import type { S3Options } from '../../src/storage/s3/s3-location.ts';
import { caught } from '../support/caught.ts';
import { PASS, startS3Faults, type Fault, type S3Faults, type S3Request } from '../support/s3-faults.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';
import { inChunks, keys, readAll } from './object-store.ts';

const describeHere = await whenAvailable('s3');

/** Three parts of 8 MiB, the last one short. */
const BYTES = randomBytes(20 * 1024 * 1024 + 11);
const RESET: Fault = { kind: 'reset' };
const SLOW_DOWN: Fault = { kind: 'error', status: 503, code: 'SlowDown' };

describeHere('an S3 store in trouble', () => {
  let server: TestS3;
  let faults: S3Faults;
  let store: ObjectStore;
  let prefix: string;

  const open = (options: S3Options = {}): ObjectStore =>
    createS3Store(server.url(`troubles/${prefix}`, faults.endpoint), {
      credentials: server.credentials,
      maxAttempts: 3,
      ...options,
    });
  const put = async (key = 'a/big'): Promise<unknown> =>
    store.put(key, inChunks(BYTES, 1_000_003), { ifNoneMatch: true });
  const unfinished = async (): Promise<number> => {
    const answer = await server.client.send(new ListMultipartUploadsCommand({ Bucket: 'troubles', Prefix: prefix }));
    return answer.Uploads?.length ?? 0;
  };
  /** Does it to the first so many requests that fit, and lets the others pass. */
  const first = (count: number, fault: Fault, fits: (request: S3Request) => boolean): void => {
    let left = count;
    faults.plan((request) => {
      if (left === 0 || !fits(request)) return PASS;
      left -= 1;
      return fault;
    });
  };

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('troubles');
    faults = await startS3Faults(server.port);
  });
  afterAll(async () => {
    await faults?.close();
    await server?.stop();
  });
  beforeEach(() => {
    prefix = randomUUID();
    faults.plan(() => PASS);
    store = open();
  });

  test.each([
    ['the request that begins the upload', ({ operation }: S3Request) => operation === 'create'],
    ['part 1', ({ part }: S3Request) => part === 1],
    ['part 2', ({ part }: S3Request) => part === 2],
    ['part 3', ({ part }: S3Request) => part === 3],
    ['the request that completes it', ({ operation }: S3Request) => operation === 'complete'],
  ])(
    'an upload that is cut at %s goes on when it is cut once, and leaves nothing when it always is',
    async (_, fits) => {
      first(1, RESET, fits);
      await put();
      expect((await readAll(store, 'a/big')).equals(BYTES)).toBe(true);

      faults.plan((request) => (fits(request) ? RESET : PASS));
      const error = await caught(() => put('a/never'));
      expect(error.code).toBe('STORE_UNREACHABLE');
      expect(error.rule.retry).toBe('transient');
      faults.plan(() => PASS);
      expect(await keys(store, '')).toEqual(['a/big']);
      expect(await unfinished()).toBe(0);
    },
  );

  test('an object whose answer is lost is known as its own, small or big', async () => {
    for (const operation of ['put', 'complete']) {
      const body = operation === 'put' ? BYTES.subarray(0, 1000) : BYTES;
      first(1, { kind: 'lost answer' }, (request) => request.operation === operation);
      await store.put(`lost/${operation}`, inChunks(body, 300_000), { ifNoneMatch: true });
      expect((await readAll(store, `lost/${operation}`)).equals(body)).toBe(true);
    }
    await expect(put('lost/put')).rejects.toMatchObject({ code: 'STORE_KEY_EXISTS' });
    expect(await unfinished()).toBe(0);
  });

  test('a burst of 503 passes unseen; one that does not end is an error that may be tried again', async () => {
    first(2, SLOW_DOWN, () => true);
    await put();
    expect((await readAll(store, 'a/big')).equals(BYTES)).toBe(true);
    faults.plan(({ operation }) => (operation === 'part' ? SLOW_DOWN : PASS));
    const error = await caught(() => put('a/never'));
    expect(error).toMatchObject({ code: 'STORE_BUSY', details: { protocolCode: 'SlowDown', status: 503 } });
    expect(error.rule.retry).toBe('transient');
    expect(await unfinished()).toBe(0);
  });

  test('parts that cannot be taken back are told, and go with the leftovers', async () => {
    faults.plan(({ operation, part }) => (part === 2 || operation === 'abort' ? RESET : PASS));
    const error = await caught(() => put());
    expect(error.message).toContain('its parts stay until leftovers are removed');
    expect(await unfinished()).toBe(1);
    faults.plan(() => PASS);
    expect(await store.removeLeftovers('', 60_000)).toBe(0);
    expect(await store.removeLeftovers('other/', 0)).toBe(0);
    expect(await store.removeLeftovers('a/', 0)).toBe(1);
    expect(await unfinished()).toBe(0);
    expect(await keys(store, '')).toEqual([]);
  });

  test('what a killed writer left is removed by age, and its write can then no more be completed', async () => {
    const place = { Bucket: 'troubles', Key: `${prefix}/a/killed` };
    const { UploadId } = await server.client.send(new CreateMultipartUploadCommand(place));
    await server.client.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: 'half' }));
    expect(await keys(store, '')).toEqual([]);
    expect(await store.removeLeftovers('a/', 3_600_000)).toBe(0);
    expect(await store.removeLeftovers('a/', 0)).toBe(1);
    expect(await unfinished()).toBe(0);
  });

  test('an abort in the middle of an upload comes out as its reason and leaves nothing', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled by a person');
    faults.plan((request) => {
      if (request.part === 2) abort.abort(reason);
      return request.part === 2 ? { kind: 'hang' } : PASS;
    });
    const writing = store.put('a/big', inChunks(BYTES, 1_000_003), { signal: abort.signal });
    await expect(writing).rejects.toBe(reason);
    expect(await unfinished()).toBe(0);
    expect(await keys(store, '')).toEqual([]);
  });

  test('a producer is told to end also where the upload could not begin', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield* inChunks(BYTES, 1_000_003);
      } finally {
        isClosed = true;
      }
    }
    faults.plan(({ operation }) =>
      operation === 'create' ? { kind: 'error', status: 400, code: 'SomethingOfItsOwn' } : PASS,
    );
    await expect(store.put('a/big', source())).rejects.toMatchObject({ code: 'STORE_REQUEST_REFUSED' });
    expect(isClosed).toBe(true);
  });

  test('a producer that dies in the middle of an upload leaves nothing', async () => {
    const died = new Error('pg_dump died');
    async function* source(): AsyncGenerator<Buffer> {
      yield* inChunks(BYTES, 1_000_003);
      throw died;
    }
    await expect(store.put('a/big', source())).rejects.toBe(died);
    expect(await unfinished()).toBe(0);
    expect(await keys(store, '')).toEqual([]);
  });

  test('a read that is cut goes on where it was cut; one that is always cut ends with an error', async () => {
    await put();
    const before = faults.seen.length;
    first(3, { kind: 'cut', afterBytes: 3_000_000 }, ({ operation }) => operation === 'get');
    expect((await readAll(store, 'a/big')).equals(BYTES)).toBe(true);
    expect(faults.seen.slice(before).filter(({ operation }) => operation === 'get')).toHaveLength(4);
    faults.plan(({ operation }) => (operation === 'get' ? { kind: 'cut', afterBytes: 0 } : PASS));
    await expect(readAll(store, 'a/big')).rejects.toMatchObject({ code: 'STORE_READ_SHORT' });
  }, 30_000);

  test('an object that is replaced while it is read is not joined from two versions', async () => {
    await put();
    let cuts = 0;
    faults.plan(({ operation }) => {
      if (operation !== 'get') return PASS;
      cuts += 1;
      return cuts === 1 ? { kind: 'cut', afterBytes: 3_000_000 } : PASS;
    });
    const stream = await store.get('a/big');
    const direct = createS3Store(server.url(`troubles/${prefix}`), { credentials: server.credentials });
    await direct.put('a/big', Buffer.alloc(BYTES.length, 7));
    const reading = async (): Promise<void> => {
      for await (const chunk of stream) void chunk;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'STORE_READ_SHORT', details: { replaced: true } });
  });

  test('a server that never answers is given up in bounded time; one that is only slow is waited for', async () => {
    store = open({ timeoutMs: 700, maxAttempts: 2 });
    faults.plan(() => ({ kind: 'hang' }));
    const startedAt = Date.now();
    await expect(store.put('a/small', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await expect(store.get('a/small')).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(Date.now() - startedAt).toBeLessThan(10_000);

    faults.plan(() => ({ kind: 'slow', bytesPerSecond: 1_000_000 }));
    const slowSince = Date.now();
    await store.put('a/slowly', BYTES.subarray(0, 300_000));
    faults.plan(() => PASS);
    await store.put('a/slow', BYTES.subarray(0, 2_000_000));
    faults.plan(() => ({ kind: 'slow', bytesPerSecond: 1_000_000 }));
    expect((await readAll(store, 'a/slow')).equals(BYTES.subarray(0, 2_000_000))).toBe(true);
    expect(Date.now() - slowSince).toBeGreaterThan(2 * 700);
  }, 30_000);

  test.each([
    [400, 'ExpiredToken', 'STORE_CREDENTIALS_EXPIRED', 8],
    [403, 'RequestTimeTooSkewed', 'STORE_CLOCK_SKEWED', 7],
    [403, 'AccessDenied', 'STORE_READ_ONLY', 8],
    [507, 'XMinioStorageFull', 'STORE_FULL', 1],
    [301, 'PermanentRedirect', 'STORE_REGION_WRONG', 2],
    [400, 'SomethingOfItsOwn', 'STORE_REQUEST_REFUSED', 1],
    [500, 'InternalError', 'STORE_BUSY', 7],
  ])('the answer %s %s is %s', async (status, protocolCode, code, exit) => {
    faults.plan(() => ({ kind: 'error', status, code: protocolCode }));
    const error = await caught(() => store.put('a/b', Buffer.from('x')));
    expect(error).toMatchObject({ code, details: { status, protocolCode } });
    expect(error.rule.exit).toBe(exit);
    expect(error.hint).not.toBe('');
  });

  test.each([
    [400, 'ExpiredToken', 'STORE_CREDENTIALS_EXPIRED'],
    [403, 'RequestTimeTooSkewed', 'STORE_CLOCK_SKEWED'],
    [403, 'AccessDenied', 'STORE_READ_ONLY'],
    [404, 'NoSuchBucket', 'STORE_BUCKET_MISSING'],
    [507, 'XMinioStorageFull', 'STORE_FULL'],
  ])('an upload that is answered %s %s in its middle is %s, and leaves nothing', async (status, protocolCode, code) => {
    faults.plan(({ part }) => (part === 2 ? { kind: 'error', status, code: protocolCode } : PASS));
    expect(await caught(() => put())).toMatchObject({ code, details: { status, protocolCode } });
    faults.plan(() => PASS);
    expect(await unfinished()).toBe(0);
    expect(await keys(store, '')).toEqual([]);
  });

  test('a missing bucket is not taken for a missing object, by any call', async () => {
    const missing = createS3Store(server.url('no-such-bucket/x'), { credentials: server.credentials });
    const refusal = { code: 'STORE_BUCKET_MISSING' };
    await expect(missing.get('a')).rejects.toMatchObject(refusal);
    await expect(missing.head('a')).rejects.toMatchObject(refusal);
    await expect(keys(missing, '')).rejects.toMatchObject(refusal);
    await expect(missing.removeLeftovers('', 0)).rejects.toMatchObject(refusal);
    await expect(missing.put('a', Buffer.from('x'))).rejects.toMatchObject(refusal);
  });

  test('credentials that may only read, are wrong or unknown are told apart', async () => {
    await store.put('a/b', Buffer.from('x'));
    const url = server.url(`troubles/${prefix}`);
    const reader = createS3Store(url, { credentials: server.readOnly });
    expect((await readAll(reader, 'a/b')).toString()).toBe('x');
    await expect(reader.put('a/c', Buffer.from('y'))).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    await expect(reader.remove('a/b')).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    for (const credentials of [
      { ...server.credentials, secretAccessKey: 'another-secret' },
      { ...server.credentials, accessKeyId: 'AKIANOBODY' },
    ]) {
      const error = await caught(() => createS3Store(url, { credentials }).get('a/b'));
      expect(error.code).toBe('STORE_CREDENTIALS_REFUSED');
      expect(JSON.stringify([error.message, error.details, error.hint])).not.toContain(credentials.secretAccessKey);
    }
  });

  test('a server that is not there is unreachable', async () => {
    const nobody = createS3Store(server.url('troubles/x', `http://127.0.0.1:${await freePort()}`), {
      credentials: server.credentials,
      maxAttempts: 2,
    });
    await expect(nobody.head('a')).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      details: { systemCode: 'ECONNREFUSED' },
    });
  });
});
