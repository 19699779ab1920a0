/**
 * Goal: a restore into a directory survives the death of its worker, leaves nothing when it is cancelled, and needs neither worker,
 * Temporal nor configuration in the end.
 * Method: the worker is killed as soon as something is written; a cancellation at the same place; then rescue, with all servers gone.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SIGNALS } from '../../src/contract/names.ts';
import { differencesFrom, JOURNALED, openApplication } from './product-point-in-time-support/moments.ts';
import type { Application, Moment } from './product-point-in-time-support/moments.ts';
import { readDirectory } from './product-target-dir-support/copies.ts';
import { runCli } from '../support/product/run-cli.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeSurvival = await whenAvailable('temporal', 'postgres 17', 'redis 7');

describeSurvival('a restore into a directory', () => {
  let product: Product;
  let application: Application;
  let moment: Moment;
  let place: string;

  beforeAll(async () => {
    product = await startProduct({ postgresMajor: 17, redisVersion: '7', encrypted: true, config: JOURNALED });
    place = join(product.folder, 'copies');
    await mkdir(place, { mode: 0o755 });
    await product.succeed('backup', 'full');
    application = await openApplication(product);
    await application.mark(1);
    moment = await application.moment();
    await application.mark(2);
    await application.moment();
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
  });

  const start = async (directory: string): Promise<string> => {
    const args = ['restore', 'latest', '--to-time', moment.at, '--target-dir', directory, '--detach'];
    return (await product.succeed(...args))['workflowId'];
  };
  /** Something is written, and it is not yet where it belongs. */
  const untilWriting = async (directory: string): Promise<void> => {
    while ((await readdir(place)).length === 0) await delay(5);
    expect(existsSync(directory)).toBe(false);
  };

  test('killed with its worker, leaves nothing at its place, and is whole after the next attempt', async () => {
    const directory = join(place, 'killed');
    const workflowId = await start(directory);
    await untilWriting(directory);
    await product.worker.kill();
    expect(existsSync(directory)).toBe(false);
    await product.worker.start();
    const { result } = await product.succeed('attach', workflowId);
    expect(result).toMatchObject({ directory, dryRun: false });
    expect(await readdir(place)).toEqual(['killed']);
    expect(differencesFrom(moment.data, await readDirectory(product, directory, '7'))).toEqual([]);
    const again = await product.cli(['restore', 'latest', '--target-dir', directory]);
    expect(again).toMatchObject({ exit: 2, json: { error: { code: 'RESTORE_DIRECTORY_NOT_EMPTY' } } });
  });

  test('cancelled, leaves nothing beside its place either; meanwhile no other one writes there', async () => {
    const before = await readdir(place);
    const directory = join(place, 'cancelled');
    const options = { directory, toTime: new Date(moment.atMs) };
    const started = await product.manager.startRestoreToDirectory('latest', options);
    while ((await readdir(place)).length === before.length) await delay(5);
    const other = product.manager.startRestoreToDirectory('latest', options);
    await expect(other).rejects.toMatchObject({ code: 'GROUP_BUSY' });
    await started.handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'test@here' });
    await expect(started.result()).rejects.toMatchObject({ code: 'OPERATION_CANCELLED' });
    expect(await readdir(place)).toEqual(before);
  });

  test('is written by rescue when everything else is gone', async () => {
    application.end();
    await product.worker.stop();
    await product.client.connection.close();
    await Promise.all([product.temporal.kill(), product.postgres.kill(), product.redis.kill()]);
    const directory = join(place, 'rescued');
    const rescue = async (...args: readonly string[]) =>
      runCli({
        args: [
          'rescue',
          'restore',
          'latest',
          '--store',
          product.store,
          '--trusted-key',
          `${keys}/signing.key.pub`,
          ...args,
        ],
        cwd: place,
        env: {},
      });
    const keys = join(product.folder, 'keys');
    const key = ['--key', join(keys, 'encryption.key')];
    const refused = await rescue(...key, '--target-dir', directory, '--drop-existing');
    expect(refused).toMatchObject({ exit: 2, json: { error: { code: 'USAGE_INVALID' } } });
    const rescued = await rescue(...key, '--to-time', moment.at, '--target-dir', 'rescued');
    expect(rescued).toMatchObject({ exit: 0, json: { ok: true, directory } });
    expect(differencesFrom(moment.data, await readDirectory(product, directory, '7'))).toEqual([]);
    expect((await readdir(place)).toSorted()).toEqual(['killed', 'rescued']);
  });
});
