/**
 * Goal: a restore to an instant over an empty Redis that fails at its last step, or is undone, leaves Redis empty again.
 * Method: the whole product with journals; the last step is made to fail by a service's stop command; keys are written behind the full
 * backup, so that what is loaded is not what the snapshot holds.
 */
import { prepareDropAside, SABOTAGED, withAsideDropped } from '../support/product/drop-aside.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import { JOURNALED, openApplication, type Application, type Moment } from './product-point-in-time-support/moments.ts';

const describeRestore = await whenAvailable('temporal', 'postgres 18', 'redis 7');

describeRestore('a restore to an instant over an empty Redis', () => {
  let product: Product;
  let application: Application;
  let moment: Moment;

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', config: { ...JOURNALED, ...SABOTAGED } });
    await prepareDropAside(product);
    application = await openApplication(product);
    await product.succeed('backup', 'full');
    await application.mark(1);
    await product.redis.cli('del', 'set:words');
    moment = await application.moment();
    await application.mark(2);
    await application.moment();
    await product.redis.cli('flushall');
    await product.redis.cli('function', 'flush');
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
  });

  const restore = (): ReturnType<Product['cli']> =>
    product.cli(['restore', 'latest', '--to-time', moment.at, '--drop-existing', '--stop-services']);

  test('that fails at the last step leaves it empty', async () => {
    const before = await product.fingerprint();
    const { exit, json } = await withAsideDropped(product, restore);
    expect(json['error']).toMatchObject({ code: 'POSTGRES_DATABASE_MISSING' });
    expect(json['error'].message).not.toContain('cleaning up after it');
    expect(exit).not.toBe(0);
    expect(await product.redis.cli('dbsize')).toBe('0');
    expect(await product.fingerprint()).toEqual(before);
  });

  test('is undone to an empty one, unless clients have written to it', async () => {
    const before = await product.fingerprint();
    const { json } = await restore();
    expect(json['ok']).toBe(true);
    expect(await product.redis.cli('get', 'mark:1')).toBe('1');
    await product.redis.cli('set', 'order:1', 'of a client');
    const refused = await product.cli(['restore', 'undo', json['restoreId']]);
    expect(refused.json['error']).toMatchObject({
      code: 'REDIS_TARGET_CHANGED',
      message: expect.stringContaining('key order:…'),
    });
    expect(await product.redis.cli('get', 'mark:1')).toBe('1');
    await product.redis.cli('del', 'order:1');
    const undone = await product.succeed('restore', 'undo', json['restoreId']);
    expect(undone['checks']).toMatchObject([{ name: 'redis emptied again', status: 'pass' }]);
    expect(await product.fingerprint()).toEqual(before);
  });
});
