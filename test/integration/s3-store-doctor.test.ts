/**
 * Goal: `store doctor` says what a store really enforces, and a store that lies about it is found and refused as a primary.
 * Method: the command line on a real S3 server, with and without Object Lock, and through a proxy that says yes where it says no.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createS3Store } from '../../src/storage/s3-store.ts';
import { requireConditionalWrites } from '../../src/storage/require-conditional-writes.ts';
import { collect } from '../support/collect.ts';
import { runCli, type CliResult } from '../support/product/run-cli.ts';
import { startLyingS3, type LyingS3 } from '../support/s3-lying.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';

const describeHere = await whenAvailable('s3');

interface Check {
  readonly name: string;
  readonly status: string;
  readonly message: string;
}

describeHere('store doctor', () => {
  let server: TestS3;
  let forgiving: LyingS3;
  let careless: LyingS3;
  let folder: string;

  const doctor = async (store: string, options: { readonly objectLock?: object } = {}): Promise<CliResult> => {
    const credentials = { accessKey: { env: 'TEST_S3_KEY' }, secretKey: { env: 'TEST_S3_SECRET' } };
    const config = join(folder, 'backup.json');
    await writeFile(config, JSON.stringify({ stores: { tried: { url: store, credentials, ...options } } }));
    const { accessKeyId, secretAccessKey } = server.credentials;
    const env = { LIFEBOAT_CONFIG: config, TEST_S3_KEY: accessKeyId, TEST_S3_SECRET: secretAccessKey };
    return runCli({ args: ['store', 'doctor', 'tried'], cwd: folder, env });
  };
  const statusOf = ({ json }: CliResult): Record<string, string> =>
    Object.fromEntries((json['checks'] as Check[]).map(({ name, status }) => [name, status]));

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('plain');
    await server.createBucket('locked', { objectLock: true });
    forgiving = await startLyingS3(server.port, { onRefused: 412 });
    careless = await startLyingS3(server.port, { onRefused: 400 });
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-doctor-'));
  });
  afterAll(async () => {
    await Promise.all([forgiving?.close(), careless?.close()]);
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('a good store passes every check, and nothing of them is left in it', async () => {
    const found = await doctor(server.url('plain/x'));
    expect(found).toMatchObject({ exit: 0, json: { ok: true, primary: true, store: 's3://plain/x' } });
    expect(statusOf(found)).toEqual({
      'write and read': 'pass',
      'conditional write': 'pass',
      'conditional write, big object': 'pass',
      'conditional replacement': 'pass',
      'first writers at once': 'pass',
      'order of lists': 'pass',
      checksums: 'pass',
      'unfinished uploads': 'pass',
      'wrong key': 'pass',
      versions: 'pass',
      'object lock': 'skip',
    });
    const store = createS3Store(server.url('plain/x'), { credentials: server.credentials });
    expect(await collect(store.list(''))).toEqual([]);
    expect(await store.removeLeftovers('', 0)).toBe(0);
  });

  test('a bucket with Object Lock keeps a locked version, and one without it does not pass for one', async () => {
    const objectLock = { mode: 'governance', period: '1d' };
    const locked = await doctor(server.url('locked/x'), { objectLock });
    expect(statusOf(locked)).toMatchObject({ 'object lock': 'pass', versions: 'pass' });
    expect(locked.exit).toBe(0);
    const plain = await doctor(server.url('plain/x'), { objectLock });
    expect(statusOf(plain)).toMatchObject({ 'object lock': 'fail', 'conditional write': 'pass' });
    expect(plain).toMatchObject({ exit: 2, json: { primary: true, error: { code: 'STORE_UNSUPPORTED' } } });
  });

  test('a store that lets a second first writer win is named, and refused as a primary', async () => {
    const url = server.url('plain/lying', forgiving.endpoint);
    const found = await doctor(url);
    expect(found).toMatchObject({ exit: 2, json: { primary: false, error: { code: 'STORE_NOT_CONDITIONAL' } } });
    expect(statusOf(found)).toMatchObject({
      'write and read': 'pass',
      'conditional write': 'fail',
      'conditional replacement': 'fail',
    });
    const store = createS3Store(url, { credentials: server.credentials });
    await expect(requireConditionalWrites(store)).rejects.toMatchObject({ code: 'STORE_NOT_CONDITIONAL' });
    const honest = createS3Store(server.url('plain/honest'), { credentials: server.credentials });
    await requireConditionalWrites(honest);
    await requireConditionalWrites(honest);
  });

  test('a store that takes damaged bytes is named, and is no worse a primary', async () => {
    const found = await doctor(server.url('plain/x', careless.endpoint));
    expect(statusOf(found)).toMatchObject({ checksums: 'fail', 'conditional write': 'pass' });
    expect(found.json).toMatchObject({ ok: false, primary: true });
  });

  test('a server that lists folder by folder is named until the store is told so', async () => {
    const found = await doctor(server.url('plain/x').replace('listing=folders', 'listing=flat'));
    expect(statusOf(found)).toMatchObject({ 'order of lists': 'fail' });
    expect(found.stdout).toContain('listing=folders');
  });

  test('a store that cannot be reached, or does not exist, is one error and not ten', async () => {
    const missing = await doctor(server.url('no-such-bucket'));
    expect(missing).toMatchObject({ exit: 5, json: { error: { code: 'STORE_BUCKET_MISSING' } } });
    expect(Object.values(statusOf(missing)).filter((status) => status === 'fail')).toHaveLength(1);
    const unknown = await runCli({ args: ['store', 'doctor', 'nobody'], cwd: folder, env: {} });
    expect(unknown).toMatchObject({ exit: 2, json: { error: { code: 'STORE_UNKNOWN' } } });
  });

  test('a folder is examined by the same questions', async () => {
    const found = await runCli({ args: ['store', 'doctor', join(folder, 'store')], cwd: folder, env: {} });
    expect(found).toMatchObject({ exit: 0, json: { primary: true } });
    expect(Object.values(statusOf(found))).toEqual(['pass', 'pass', 'pass', 'pass', 'pass', 'pass']);
  });
});
