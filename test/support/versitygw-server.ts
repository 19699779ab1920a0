/** A second S3 server for tests (versitygw): on a free port, over a private folder, and gone with the test process. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import './one-realm.ts';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startGuarded } from '../../src/embedded/local-server.ts';
import { freePort } from '../../src/platform/ports.ts';
import type { TestS3 } from './s3-server.ts';
import { resolveTools } from './tools.ts';

const CREDENTIALS = { accessKeyId: 'AKIALIFEBOATVGW', secretAccessKey: 'test-secret-of-versitygw' };

/** `versions`: buckets with versions can be made. Without them a delete of a locked object is refused, and not hidden by a marker. */
export async function startVersitygw({ versions = false } = {}): Promise<Omit<TestS3, 'readOnly'>> {
  const program = await resolveTools().versitygw();
  // Not in memory: files there have no extended attributes of users on older kernels.
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-vgw-'));
  await Promise.all(['data', 'versions'].map(async (name) => mkdir(join(folder, name))));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = await startGuarded({
    name: 'versitygw',
    command: program,
    args: [
      '--port',
      `127.0.0.1:${port}`,
      '--quiet',
      'posix',
      ...(versions ? ['--versioning-dir', join(folder, 'versions')] : []),
      join(folder, 'data'),
    ],
    env: { ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey },
    cwd: folder,
    isReady: async () => (await fetch(endpoint)).status === 403,
  });
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: CREDENTIALS });
  return {
    endpoint,
    port,
    credentials: CREDENTIALS,
    client,
    async createBucket(name, options = {}) {
      await client.send(
        new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: options.objectLock === true }),
      );
    },
    url: (bucketAndPrefix, other = endpoint) =>
      `s3://${bucketAndPrefix}?region=us-east-1&forcePathStyle=true&endpoint=${encodeURIComponent(other)}`,
    async stop() {
      client.destroy();
      await child.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
