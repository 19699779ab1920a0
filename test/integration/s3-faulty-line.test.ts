/**
 * Goal: whatever happens to the line while a backup is written to a bucket, what is listed afterwards is whole.
 * Method: the repository on a real S3 server behind a proxy; a fault is planted at each kind of request and at each part in turn, for
 * good or once; after each, everything that is listed is read back, and the failed ones are discarded.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { LifeboatError } from '../../src/domain/errors.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import { createS3Store } from '../../src/storage/s3-store.ts';
import { collect } from '../support/collect.ts';
import { PASS, startS3Faults, type Fault, type S3Faults, type S3Request } from '../support/s3-faults.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';
import { chunks, ENCRYPTED, openPlace, OPERATION, POSTGRES_FACTS, type TestPlace } from '../unit/repository/fixture.ts';

const describeHere = await whenAvailable('s3');

/** Encrypted and not compressible: two parts in each of two objects. */
const DUMP = randomBytes(20 * 1024 * 1024);
const OBJECT_BYTES = 12 * 1024 * 1024;

type Fits = (request: S3Request) => boolean;

const PLACES: readonly [string, Fits][] = [
  ['the beginning of an upload', ({ operation }) => operation === 'create'],
  ['part 2 of the first object', ({ part, key }) => part === 2 && key.includes('000001')],
  ['the end of an upload', ({ operation }) => operation === 'complete'],
  ['the manifest', ({ key, operation }) => key.endsWith('/manifest.json') && operation === 'put'],
];

const FAULTS: readonly [string, Fault, 'once' | 'always'][] = [
  ['reset once', { kind: 'reset' }, 'once'],
  ['lost its answer once', { kind: 'lost answer' }, 'once'],
  ['answered by 503 for good', { kind: 'error', status: 503, code: 'SlowDown' }, 'always'],
  ['lost its answer for good', { kind: 'lost answer' }, 'always'],
];

describeHere('a backup over a faulty line', () => {
  let server: TestS3;
  let faults: S3Faults;
  let place: TestPlace;

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('faulty');
    faults = await startS3Faults(server.port);
    place = await openPlace();
  });
  afterAll(async () => {
    await faults?.close();
    await server?.stop();
    await place?.remove();
  });

  const openRepository = async (prefix: string): Promise<Repository> =>
    createRepository({
      store: createS3Store(server.url(`faulty/${prefix}`, faults.endpoint), {
        credentials: server.credentials,
        maxAttempts: 2,
      }),
      keyring: place.keyring,
      signer: place.signer,
      group: 'default',
      objectBytes: OBJECT_BYTES,
    });

  async function backUp(repository: Repository, createdAt: string): Promise<string> {
    const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: createdAt, codec: ENCRYPTED });
    const attempt = await repository.claimAttempt(backupId, 'postgres');
    const part = { backupId, component: 'postgres', codec: ENCRYPTED, attempt } as const;
    const dump = await repository.writeArtifact(
      { ...part, name: 'dump', format: 'pg-dump-custom' },
      chunks(DUMP),
      OPERATION,
    );
    await repository.publish({
      backupId,
      kind: 'full',
      codec: ENCRYPTED,
      label: {},
      holds: [],
      components: [await repository.writeComponent({ ...part, facts: POSTGRES_FACTS, artifacts: [dump] })],
      recoveryPoint: { time: createdAt },
      createdAt,
      finishedAt: createdAt,
      warnings: [],
    });
    return backupId;
  }

  test.each(PLACES)('%s: a fault there leaves a whole backup or none', async (_, fits) => {
    const prefix = randomUUID();
    const repository = await openRepository(prefix);
    const sound = new Set<string>();
    for (const [index, [name, fault, how]] of FAULTS.entries()) {
      let hits = 0;
      faults.plan((request) => {
        if (!fits(request) || ['get', 'head', 'list'].includes(request.operation)) return PASS;
        hits += 1;
        return how === 'always' || hits === 1 ? fault : PASS;
      });
      const createdAt = new Date(Date.UTC(2026, 0, 15, 10, index)).toISOString();
      const failure = await backUp(repository, createdAt).then(
        () => undefined,
        (error: unknown) => error,
      );
      faults.plan(() => PASS);
      expect({ name, hits: hits > 0 }).toEqual({ name, hits: true });
      if (how === 'once') expect(failure).toBeUndefined();
      if (failure !== undefined) expect(failure).toBeInstanceOf(LifeboatError);
      await requireAllSound(repository, sound);
    }
    await discardTheRest(repository, prefix);
  });

  /** What is listed as complete is read back, byte by byte, once. */
  async function requireAllSound(repository: Repository, sound: Set<string>): Promise<void> {
    for (const { id, status } of await repository.list()) {
      if (status !== 'complete' || sound.has(id)) continue;
      expect(await repository.verify(id, OPERATION)).toEqual([]);
      sound.add(id);
    }
    expect(await repository.verifyChain()).toEqual([]);
  }

  /** The failed ones go without a trace: no object, no upload. */
  async function discardTheRest(repository: Repository, prefix: string): Promise<void> {
    const complete = new Set((await repository.list()).map(({ id }) => id));
    const store = createS3Store(server.url(`faulty/${prefix}`), { credentials: server.credentials });
    for (const id of await collect(store.folders('backups/'))) if (!complete.has(id)) await repository.discard(id);
    expect(new Set(await collect(store.folders('backups/')))).toEqual(complete);
    // An upload whose beginning lost its answer has an id that nobody was told: it goes with the leftovers.
    await store.removeLeftovers('', 0);
    const uploads = await server.client.send(new ListMultipartUploadsCommand({ Bucket: 'faulty', Prefix: prefix }));
    expect(uploads.Uploads ?? []).toEqual([]);
  }
});
