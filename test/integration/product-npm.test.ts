/**
 * Goal: the manual's command lines do what they say, typed as they stand there, through the real npm.
 * Method: npm runs the script of package.json in the project's folder; npm takes the flags for itself, and what arrives is put
 * together again. Each restore is judged by both databases, not by its answer.
 */
import { runCli, type CliResult } from '../support/product/run-cli.ts';
import { startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import { whenAvailable } from '../support/tools.ts';

const describeNpm = await whenAvailable('temporal', 'postgres 18', 'redis 7');

describeNpm('npm run backup:cli', () => {
  let product: Product;
  let good: Fingerprint;
  let backupId = '';

  const npm = async (...args: readonly string[]): Promise<CliResult> =>
    runCli({
      command: ['npm', 'run', 'backup:cli'],
      args,
      cwd: PROJECT_DIR,
      env: { ...product.env, NPM_CONFIG_UPDATE_NOTIFIER: 'false' },
    });

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7' });
    good = await product.fingerprint();
  });
  afterAll(async () => product?.stop());

  test('backup full', async () => {
    const { exit, stdout } = await npm('backup', 'full');
    expect(exit).toBe(0);
    backupId = /backup-[0-9TZ-]+/.exec(stdout)?.[0] ?? '';
    expect(backupId).not.toBe('');
  });

  test('backup list', async () => {
    const { exit, stdout } = await npm('backup', 'list');
    expect(exit).toBe(0);
    expect(stdout).toContain(backupId);
  });

  test('restore ID refuses over data, and changes nothing', async () => {
    const { exit, stderr } = await npm('restore', backupId);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining('--drop-existing') });
    expect(await product.fingerprint()).toEqual(good);
  });

  test('restore ID --postgres', async () => {
    await product.postgres.query(`DROP DATABASE ${product.database}`);
    const { exit, stderr } = await npm('restore', backupId, '--postgres');
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    expect(await product.fingerprint()).toEqual(good);
  });

  test('restore ID --redis', async () => {
    await product.redis.cli('flushall');
    await product.redis.cli('function', 'flush');
    const { exit, stderr } = await npm('restore', backupId, '--redis');
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    expect(await product.fingerprint()).toEqual(good);
  });

  test('restore ID --drop-existing --target-database X --stop-services goes into X and nowhere else', async () => {
    await product.spoil();
    const spoilt = await product.fingerprint();
    const { exit, stderr } = await npm(
      'restore',
      backupId,
      '--drop-existing',
      '--target-database',
      'enterprise_auth_restored',
      '--stop-services',
    );
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    const beside = await product.fingerprint('enterprise_auth_restored');
    expect({ ...beside, 'database itself': '' }).toEqual({ ...good, 'database itself': '' });
    const live = await product.fingerprint();
    const tables = (all: Fingerprint): Fingerprint =>
      Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('key ')));
    expect(tables(live)).toEqual(tables(spoilt));
  });

  test('restore ID --drop-existing brings everything back', async () => {
    const { exit, stderr } = await npm('restore', backupId, '--drop-existing');
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    expect(await product.fingerprint()).toEqual(good);
  });

  test('dr list-plans, and a dry run whose flags npm swallowed', async () => {
    const listed = await npm('dr', 'list-plans');
    expect(listed).toMatchObject({ exit: 0, stdout: expect.stringContaining('default-recovery') });
    const { exit, stdout } = await npm('dr', 'execute', 'default-recovery', '--dry-run', '--mode', 'ungraceful');
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringContaining('left out in the ungraceful mode') });
  });

  test('dr execute default-recovery brings everything back', async () => {
    await product.spoil();
    const { exit, stderr } = await npm('dr', 'execute', 'default-recovery');
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    expect(await product.fingerprint()).toEqual(good);
  });

  test('a flag that npm swallowed and that no command knows is refused', async () => {
    const { exit, stderr } = await npm('restore', backupId, '--drop-existin');
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining('--drop-existing') });
  });
});
