/**
 * Goal: a bucket as the primary store does all that a folder does: a backup in it is listed, verified, restored and rescued.
 * Method: a real S3 server, both databases, a worker and the command line; what is restored is compared row by row and key by key.
 */
import { join } from 'node:path';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { createS3Store } from '../../src/storage/s3-store.ts';
import { collect } from '../support/collect.ts';
import { listFiles, startProduct, type Product } from '../support/product.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';

const describeHere = await whenAvailable('s3', 'temporal', 'postgres 18', 'redis 7');

describeHere('a bucket as primary store', () => {
  let server: TestS3;
  let product: Product;
  const storedKeys = async (): Promise<string[]> => {
    const store = createS3Store(server.url('primary/prod'), { credentials: server.credentials });
    return (await collect(store.list(''))).map(({ key }) => key);
  };

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('primary');
    const credentials = { accessKey: { env: 'TEST_S3_KEY' }, secretKey: { env: 'TEST_S3_SECRET' } };
    product = await startProduct({
      encrypted: true,
      config: {
        stores: { bucket: { url: server.url('primary/prod'), credentials } },
        storage: { primary: 'bucket' },
      },
      env: { TEST_S3_KEY: server.credentials.accessKeyId, TEST_S3_SECRET: server.credentials.secretAccessKey },
    });
  });
  afterAll(async () => {
    await product?.stop();
    await server?.stop();
  });

  test('a backup in it is listed, verified and survives the loss of both databases', async () => {
    const { checks } = await product.succeed('config', 'validate');
    expect(checks).toContainEqual(expect.objectContaining({ name: 'store', status: 'pass' }));
    const before = await product.fingerprint();
    const { backup } = await product.succeed('backup', 'full');
    expect(backup).toMatchObject({ status: 'complete', location: `s3://primary/prod/backups/${backup.id}/` });
    expect(await listFiles(product.store)).toEqual([]);
    expect(await storedKeys()).toContain(`backups/${backup.id}/manifest.json`);

    const { backups } = await product.succeed('backup', 'list');
    expect(backups.map(({ id }: { id: string }) => id)).toEqual([backup.id]);
    const { problems } = await product.succeed('backup', 'verify', 'latest');
    expect(problems).toEqual([]);

    await product.destroy();
    await product.succeed('restore', 'latest');
    expect(await product.fingerprint()).toEqual(before);
  });

  test('rescue reads it with the standard environment of AWS, rights to read and the key alone', async () => {
    const { accessKeyId, secretAccessKey } = server.readOnly;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const args = ['--store', server.url('primary/prod'), '--key', join(product.folder, 'keys', 'encryption.key')];
    const found = await product.cli(['rescue', 'verify', 'latest', ...args], { env });
    expect(found).toMatchObject({ exit: 0, json: { ok: true, problems: [] } });

    const refused = await product.cli(['rescue', 'list', ...args], { env: { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' } });
    expect(refused).toMatchObject({ exit: 8, json: { error: { code: 'STORE_CREDENTIALS_REFUSED' } } });
    expect(refused.stdout + refused.stderr).not.toContain(secretAccessKey);
  });

  test('an object that is missing is named by verify, and refused by restore before anything is touched', async () => {
    const before = await product.fingerprint();
    const { backup } = await product.succeed('backup', 'full');
    const missing = (await storedKeys()).find((key) => key.includes(`${backup.id}/redis/attempt-1/snapshot-`));
    await server.client.send(new DeleteObjectCommand({ Bucket: 'primary', Key: `prod/${missing}` }));
    const verified = await product.cli(['backup', 'verify', backup.id]);
    expect(verified).toMatchObject({ exit: 4, json: { problems: [{ key: missing }] } });
    const restored = await product.cli(['restore', backup.id, '--drop-existing', '--yes']);
    expect(restored).toMatchObject({ exit: 4, json: { ok: false } });
    expect(await product.fingerprint()).toEqual(before);
  });

  test('no secret of the store is in what was printed, logged or stored', async () => {
    const { secretAccessKey } = server.credentials;
    const shown = await product.cli(['config', 'show']);
    expect(shown.stdout).not.toContain(secretAccessKey);
    const validated = await product.cli(['config', 'validate']);
    expect(validated.stdout + validated.stderr).not.toContain(secretAccessKey);
  });
});
