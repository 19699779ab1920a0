/**
 * Goal: a restore over an empty Redis that fails at its last step, or is undone, leaves Redis empty again.
 * Method: the whole product; the step is made to fail by a service's stop command that drops what was loaded aside.
 */
import { prepareDropAside, SABOTAGED, withAsideDropped } from '../support/product/drop-aside.ts';
import { openRedis } from '../support/product/redis-client.ts';
import { startProduct, type Product } from '../support/product.ts';
import { type RedisVersion, whenAvailable } from '../support/tools.ts';

const describeRestore = await whenAvailable('temporal', 'postgres 18', 'redis 7', 'redis 6.2');
const VERSIONS: readonly RedisVersion[] = ['7', '6.2'];

for (const redisVersion of VERSIONS)
  describeRestore(`a restore over an empty Redis ${redisVersion}`, () => restores(redisVersion));

function restores(redisVersion: RedisVersion): void {
  let product: Product;
  let backupId = '';

  const redisSize = async (): Promise<number> => {
    const redis = await openRedis(product.redis.target);
    try {
      return await redis.dbsize();
    } finally {
      redis.disconnect();
    }
  };

  beforeAll(async () => {
    product = await startProduct({ redisVersion, config: SABOTAGED });
    await prepareDropAside(product);
    backupId = (await product.succeed('backup', 'full'))['backup'].id;
    await product.redis.cli('flushall');
    if (redisVersion === '7') await product.redis.cli('function', 'flush');
  });
  afterAll(async () => product?.stop());

  test('that fails at the last step leaves it empty', async () => {
    const before = await product.fingerprint();
    const { exit, json } = await withAsideDropped(product, () =>
      product.cli(['restore', backupId, '--drop-existing', '--stop-services']),
    );
    expect(json['error']).toMatchObject({ code: 'POSTGRES_DATABASE_MISSING' });
    expect(exit).not.toBe(0);
    expect(await product.fingerprint()).toEqual(before);
  });

  test('is undone to an empty one, unless clients have written to it', async () => {
    const before = await product.fingerprint();
    const { restoreId } = await product.succeed('restore', backupId, '--drop-existing', '--stop-services');
    const full = await redisSize();
    expect(full).toBeGreaterThan(0);
    await product.redis.cli('set', 'order:1', 'of a client');
    const restored = await product.fingerprint();
    const refused = await product.cli(['restore', 'undo', restoreId]);
    expect(refused.json['error']).toMatchObject({
      code: 'REDIS_TARGET_CHANGED',
      message: expect.stringContaining('key order:…'),
    });
    expect(await product.fingerprint()).toEqual(restored);
    await product.redis.cli('del', 'order:1');
    const undone = await product.succeed('restore', 'undo', restoreId);
    expect(undone['checks']).toMatchObject([{ name: 'redis emptied again', status: 'pass' }]);
    expect(await product.fingerprint()).toEqual(before);
  });
}
