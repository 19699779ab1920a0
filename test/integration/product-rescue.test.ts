/**
 * Goal: a copy of the repository and the keys are enough: with Temporal, the worker, the configuration and both servers gone, everything
 * comes back by the rescue commands, and nothing that is damaged or signed by somebody else does.
 * Method: a backup of a real product, whose parts are then killed; the commands of docs/guides/rescue.md run in an empty folder against
 * new servers; both are read row by row and key by key.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprintPostgres, type Fingerprint } from '../support/product/fingerprint-postgres.ts';
import { fingerprintRedis } from '../support/product/fingerprint-redis.ts';
import { runCli, type CliResult } from '../support/product/run-cli.ts';
import { startProduct } from '../support/product.ts';
import { startPostgres, startRedis, type TestPostgres, type TestRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeRescue = await whenAvailable('temporal', 'postgres 18', 'redis 7');

describeRescue('when everything else is gone', () => {
  let folder: string;
  let good: Fingerprint;
  let backupId: string;
  let postgres: TestPostgres;
  let redis: TestRedis;
  let database: string;

  /** Of the environment nothing but where PostgreSQL's client programs are, and the password of the target. */
  const rescue = async (...args: readonly string[]): Promise<CliResult> =>
    runCli({
      args: ['rescue', ...args, '--store', 'store', '--trusted-key', 'signing.pub'],
      cwd: folder,
      env: { PATH: `${postgres.binDir}:${process.env['PATH']}`, HOME: folder, PGPASSWORD: postgres.target.password! },
    });
  const intoPostgres = (): string[] => ['--target-postgres', `postgres://postgres@127.0.0.1:${postgres.target.port}`];
  const intoRedis = (): string[] => ['--target-redis', `redis://127.0.0.1:${redis.port}`];
  const found = async (): Promise<Fingerprint> => ({
    ...(await fingerprintPostgres(postgres, database)),
    ...(await fingerprintRedis(redis)),
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-rescue-'));
    const product = await startProduct({ redisVersion: '7', encrypted: true });
    try {
      good = await product.fingerprint();
      database = product.database;
      backupId = (await product.succeed('backup', 'full'))['backup'].id;
      await cp(product.store, join(folder, 'store'), { recursive: true });
      const keys = join(product.folder, 'keys');
      await cp(join(keys, 'encryption.key'), join(folder, 'keyring.json'));
      await cp(join(keys, 'signing.key.pub'), join(folder, 'signing.pub'));
    } finally {
      await product.stop();
    }
    [postgres, redis] = await Promise.all([startPostgres({ major: 18 }), startRedis({ version: '7' })]);
  });
  afterAll(async () => {
    await Promise.all([postgres?.stop(), redis?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  test('the backup is listed and read back to the last byte', async () => {
    const list = await rescue('list');
    expect([list.exit, list.json['backups']?.map(({ id }: { id: string }) => id)]).toEqual([0, [backupId]]);
    const verify = await rescue('verify', 'all', '--key', 'keyring.json');
    expect([verify.exit, verify.json['problems'], verify.json['verified']]).toEqual([
      0,
      [],
      expect.arrayContaining([backupId]),
    ]);
  });

  test('both databases come back into new servers, and over them only when that is said', async () => {
    const args = ['restore', 'latest', '--key', 'keyring.json', ...intoPostgres(), ...intoRedis()];
    const first = await rescue(...args);
    expect({ exit: first.exit, stderr: first.exit === 0 ? '' : first.stderr }).toEqual({ exit: 0, stderr: '' });
    expect(await found()).toEqual(good);

    await postgres.query("UPDATE users SET email = 'stolen' || id", [], database);
    await redis.cli('flushall');
    await redis.cli('set', 'intruder', 'here');
    const spoilt = await found();
    expect(spoilt).not.toEqual(good);
    expect((await rescue(...args)).exit).toBe(2);
    expect(await found()).toEqual(spoilt);
    expect((await rescue(...args, '--drop-existing')).exit).toBe(0);
    expect(await found()).toEqual(good);
  });

  test('what is damaged, or signed with a key that is not trusted, is refused and touches nothing', async () => {
    const before = await found();
    const restore = [
      'restore',
      backupId,
      '--key',
      'keyring.json',
      ...intoPostgres(),
      ...intoRedis(),
      '--drop-existing',
    ];
    const rows = join(folder, 'store', 'backups', backupId, 'postgres', 'attempt-1');
    const object = join(
      rows,
      (await readdir(rows)).find((name) => name.startsWith('data-'))!,
    );
    const whole = await readFile(object);
    await writeFile(object, Buffer.from(whole.map((byte, at) => (at === whole.length >> 1 ? byte ^ 1 : byte))));
    expect((await rescue('verify', backupId, '--key', 'keyring.json')).exit).toBe(4);
    expect((await rescue(...restore)).exit).toBe(4);
    expect(await found()).toEqual(before);
    await writeFile(object, whole);

    const own = join(folder, 'signing.pub');
    const kept = await readFile(own);
    const others = join(folder, 'others');
    await mkdir(others);
    const env = {
      HOME: folder,
      LIFEBOAT_SIGNING_KEY_PATH: join(others, 'signing.key'),
      BACKUP_ENCRYPTION_KEY_PATH: join(others, 'encryption.key'),
    };
    expect((await runCli({ args: ['key', 'generate'], cwd: others, env })).exit).toBe(0);
    await cp(join(others, 'signing.key.pub'), own);
    expect((await rescue(...restore)).exit).toBe(4);
    expect(await found()).toEqual(before);
    await writeFile(own, kept);
    expect((await rescue(...restore)).exit).toBe(0);
    expect(await found()).toEqual(good);
  });
});
