/**
 * Goal: the manual's programmatic calls work from a program that knows only the configuration.
 * Method: `createLifeboat` on a real product; what it restores is compared with what was there.
 */
import { createLifeboat, LifeboatError } from '../../src/index.ts';
import type { Lifeboat } from '../../src/index.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeApi = await whenAvailable('temporal', 'postgres 18', 'redis 7');

describeApi('the programmatic interface', () => {
  let product: Product;
  let lifeboat: Lifeboat;

  beforeAll(async () => {
    product = await startProduct();
    lifeboat = await createLifeboat({ env: product.env, cwd: product.folder, requestedBy: 'program@test' });
  });
  afterAll(async () => {
    await lifeboat?.close();
    await product?.stop();
  });

  test('backs up, lists, restores and compares equal', async () => {
    const { backupManager } = lifeboat;
    const good = await product.fingerprint();
    const { backup } = await backupManager.performFullBackup();
    expect((await backupManager.listBackups()).map(({ id }) => id)).toEqual([backup.id]);

    await product.spoil();
    expect(await product.fingerprint()).not.toEqual(good);
    const restored = await backupManager.restoreFromBackup(backup.id, { dropExisting: true });
    expect(restored.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(await product.fingerprint()).toEqual(good);
  });

  test('an incremental backup without a journal is a full one and says so', async () => {
    const { backup, warnings } = await lifeboat.backupManager.performIncrementalBackup({ label: { by: 'api' } });
    expect(backup).toMatchObject({ kind: 'full', label: { by: 'api' } });
    expect(warnings.join()).toContain('full backup was taken');
  });

  test('lists recovery plans, and runs one', async () => {
    const { disasterRecoveryManager } = lifeboat;
    const good = await product.fingerprint();
    const plans = disasterRecoveryManager.listRecoveryPlans();
    expect(plans.map(({ id }) => id)).toEqual(['default-recovery']);
    await product.spoil();
    const run = await disasterRecoveryManager.executeRecoveryPlan('default-recovery', { mode: 'ungraceful' });
    expect(run).toMatchObject({ state: 'succeeded', startedBy: 'program@test', reportPath: expect.any(String) });
    expect(await product.fingerprint()).toEqual(good);
  });

  test('a refusal is a LifeboatError with its code and hint', async () => {
    const refused = lifeboat.backupManager.restoreFromBackup('latest');
    await expect(refused).rejects.toBeInstanceOf(LifeboatError);
    await expect(refused).rejects.toMatchObject({
      code: 'RESTORE_TARGET_NOT_EMPTY',
      hint: expect.stringContaining('--drop-existing'),
    });
  });
});
