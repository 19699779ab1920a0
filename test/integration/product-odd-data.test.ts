/**
 * Goal: nothing is too empty or too large.
 * Method: an empty database with an empty Redis, and a key and a field of 100 MB, there and back on real servers.
 */
import { openRedis } from '../support/product/redis-client.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeOdd = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const LARGE_BYTES = 100 * 1_024 * 1_024;

describeOdd('a backup', () => {
  let product: Product;
  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', seed: 'none' });
    await product.postgres.query(`CREATE DATABASE ${product.database}`);
  });
  afterAll(async () => product?.stop());

  test('of nothing at all is a backup, and comes back as nothing', async () => {
    const before = await product.fingerprint();
    const { backup } = await product.succeed('backup', 'full');
    expect(backup.components).toMatchObject({ postgres: { tables: 0 }, redis: { keys: 0 } });
    const restored = await product.succeed('restore', 'latest');
    expect(restored['undo']).toEqual(expect.anything());
    expect(await product.fingerprint()).toEqual(before);
    await product.postgres.query('CREATE TABLE later (id int)', [], product.database);
    await product.redis.cli('set', 'later', '1');
    await product.succeed('restore', backup.id, '--drop-existing');
    expect(await product.fingerprint()).toEqual(before);
  });

  test('holds a key and a value of 100 MB', async () => {
    await product.postgres.query('CREATE TABLE large (id int, body bytea)', [], product.database);
    const body = `INSERT INTO large SELECT 1, string_agg(sha256(g::text::bytea), ''::bytea) FROM generate_series(1, ${LARGE_BYTES / 32}) g`;
    await product.postgres.query(body, [], product.database);
    const redis = await openRedis(product.redis.target);
    try {
      await redis.set('large', Buffer.alloc(LARGE_BYTES, 'lifeboat '));
      await redis.pexpireat('large', Date.now() + 86_400_000);
    } finally {
      redis.disconnect();
    }
    const before = await product.fingerprint();
    await product.succeed('backup', 'full');
    await product.destroy();
    await product.succeed('restore', 'latest');
    expect(await product.fingerprint()).toEqual(before);
  });
});
