// Goal: the S3 driver keeps every promise of a store, on a real server.
// Method: the suite of all drivers, each test under a prefix of its own in one bucket of SeaweedFS.
import { randomUUID } from 'node:crypto';
import { createS3Store } from '../../src/storage/s3-store.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';
import { describeObjectStore } from './object-store.ts';

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
});
