/**
 * Goal: in a bucket, too, any second comes back and a worker may be killed in the middle of an upload.
 * Method: a real S3 server behind a proxy that holds one part back, journals in it, a worker that gets SIGKILL; what is restored is
 * compared row by row and key by key.
 */
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { createS3Store } from '../../src/storage/s3-store.ts';
import { collect } from '../support/collect.ts';
import { startProduct, type Product } from '../support/product.ts';
import { PASS, startS3Faults, type S3Faults } from '../support/s3-faults.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';
import { differencesFrom, JOURNALED, marksOf, openApplication } from './product-point-in-time-support/moments.ts';

const describeHere = await whenAvailable('s3', 'temporal', 'postgres 18', 'redis 7');
/** More than one part of 8 MiB, when it is compressed. */
const BALLAST_MB = 16;

describeHere('a bucket with journals', () => {
  let server: TestS3;
  let faults: S3Faults;
  let product: Product;
  /** Of backups: journals go on meanwhile, with uploads of their own. */
  const unfinished = async (): Promise<number> => {
    const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket: 'journaled' }));
    return Uploads.filter(({ Key = '' }) => Key.includes('/backups/')).length;
  };

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('journaled');
    faults = await startS3Faults(server.port);
    const credentials = { accessKey: { env: 'TEST_S3_KEY' }, secretKey: { env: 'TEST_S3_SECRET' } };
    product = await startProduct({
      redisVersion: '7',
      encrypted: true,
      seed: { ballastMb: BALLAST_MB },
      config: {
        ...JOURNALED,
        stores: { bucket: { url: server.url('journaled/prod', faults.endpoint), credentials } },
        storage: { primary: 'bucket' },
      },
      env: { TEST_S3_KEY: server.credentials.accessKeyId, TEST_S3_SECRET: server.credentials.secretAccessKey },
    });
  });
  afterAll(async () => {
    await product?.stop();
    await faults?.close();
    await server?.stop();
  });

  test('a worker that is killed in the middle of an upload is gone on from, and what it left goes with the leftovers', async () => {
    const held = new Promise<void>((resolve) =>
      faults.plan(({ part, key }) => {
        if (part !== 2 || !key.includes('/backups/')) return PASS;
        resolve();
        return { kind: 'hang' };
      }),
    );
    const running = await product.manager.startBackup('full');
    await held;
    await product.worker.kill();
    faults.plan(() => PASS);
    const store = createS3Store(server.url('journaled/prod'), { credentials: server.credentials });
    const keys = (await collect(store.list('backups/'))).map(({ key }) => key);
    expect(keys.filter((key) => key.endsWith('/manifest.json'))).toEqual([]);
    expect(await unfinished()).toBeGreaterThan(0);

    await product.worker.start();
    const { backup } = await running.result();
    expect(backup.status).toBe('complete');
    expect(await store.removeLeftovers('backups/', 0)).toBeGreaterThan(0);
    expect(await unfinished()).toBe(0);
    const verified = await product.succeed('backup', 'verify', backup.id);
    expect(verified).toMatchObject({ problems: [], verified: [backup.id] });
  });

  test('both databases come back as they were at one instant behind the backup', async () => {
    const application = await openApplication(product);
    try {
      await application.mark(1);
      const moment = await application.moment();
      await application.mark(2);
      await product.spoil();
      await application.redis.flushall();
      await application.moment();
      await product.succeed('restore', 'latest', '--to-time', moment.at, '--drop-existing');
      expect(await marksOf(product)).toEqual({ rows: [1], keys: [1] });
      expect(differencesFrom(moment.data, await product.fingerprint())).toEqual([]);
    } finally {
      application.end();
    }
  });
});
