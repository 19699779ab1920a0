// Goal: the S3 driver keeps its promises on a second server of another make, and a cleanup lives with an Object Lock that refuses.
// Method: the suite of all drivers, and a repository in a bucket that locks without versions, on versitygw, built where there is Go.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { purgeHidden } from '../../src/activities/cleanup/hide-removed.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import { s3Probes } from '../../src/storage/doctor/probe-s3.ts';
import { createS3Store } from '../../src/storage/s3-store.ts';
import type { S3Options } from '../../src/storage/s3/s3-location.ts';
import { collect } from '../support/collect.ts';
import { whenAvailable } from '../support/tools.ts';
import { startVersitygw } from '../support/versitygw-server.ts';
import { makeBackup, openPlace, OPERATION } from '../unit/repository/fixture.ts';
import { describeObjectStore } from './object-store.ts';

const describeHere = await whenAvailable('versitygw');
/** Long enough to be met, and short enough to be waited for. */
const LOCK_MS = 4_000;

describeHere('on versitygw', () => {
  let server: Awaited<ReturnType<typeof startVersitygw>>;
  let versioned: typeof server;

  beforeAll(async () => {
    [server, versioned] = await Promise.all([startVersitygw(), startVersitygw({ versions: true })]);
    await server.createBucket('conformance');
    await server.createBucket('locked', { objectLock: true });
    await versioned.createBucket('locked', { objectLock: true });
  });
  afterAll(async () => Promise.all([server?.stop(), versioned?.stop()]));

  describeObjectStore('s3 store', async () => {
    const store = createS3Store(server.url(`conformance/${randomUUID()}`), { credentials: server.credentials });
    return { store, remove: async () => undefined };
  });

  test('the doctor tells a lock that keeps versions from one that refuses to replace', async () => {
    const probe = async ({ url, credentials }: typeof server): Promise<string> => {
      const options: S3Options = { credentials, objectLock: { mode: 'governance', periodMs: LOCK_MS } };
      const found = s3Probes(url('locked/doctor'), options).find(({ name }) => name === 'object lock');
      return (await found?.run())?.status ?? 'none';
    };
    expect(await probe(versioned)).toBe('pass');
    await expect(probe(server)).rejects.toMatchObject({
      code: 'STORE_UNSUPPORTED',
      hint: expect.stringContaining('versions'),
    });
  });

  test('a cleanup that meets a lock says until when, removes nothing, and is completed by one after that time', async () => {
    const place = await openPlace();
    const objectLock = { mode: 'governance', periodMs: LOCK_MS } as const;
    const store = createS3Store(server.url('locked/repository'), { credentials: server.credentials, objectLock });
    const { keyring, signer } = place;
    const repository = await createRepository({ store, keyring, signer, group: 'default' });
    const { manifest } = await makeBackup(repository, { createdAt: '2026-01-15T10:00:00.000Z' });
    await repository.cleanup.hideBackup(manifest.id, { removedAt: '2026-01-16T10:00:00.000Z', reasons: ['old'] });
    const before = (await collect(store.list('backups/'))).length;

    const due = { backupIds: [manifest.id], epochs: [] };
    const met = await purgeHidden(repository, due, OPERATION);
    expect(met).toMatchObject({ bytes: 0, locked: [{ what: manifest.id, until: expect.stringMatching(/^20.*Z$/) }] });
    expect(await collect(store.list('backups/'))).toHaveLength(before);
    expect((await repository.cleanup.hiddenBackups()).map(({ backupId }) => backupId)).toEqual([manifest.id]);

    await delay(LOCK_MS + 1_000);
    const after = await purgeHidden(repository, due, OPERATION);
    expect(after.locked).toEqual([]);
    expect(after.bytes).toBeGreaterThan(0);
    expect(await collect(store.list('backups/'))).toEqual([]);
    expect(await collect(store.list('keys/'))).toEqual([]);
    await place.remove();
  });
});
