/**
 * Goal: a restore over an empty Redis that fails at its last step, or is undone, leaves Redis empty again.
 * Method: the whole product; the step is made to fail by a service's stop command that drops what was loaded aside.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRedis } from '../support/product/redis-client.ts';
import { startProduct, type Product } from '../support/product.ts';
import { type RedisVersion, whenAvailable } from '../support/tools.ts';

const describeRestore = await whenAvailable('temporal', 'postgres 18', 'redis 7', 'redis 6.2');
const PG = new URL('../../node_modules/pg/esm/index.mjs', import.meta.url).href;

/** Drops every database that a restore has loaded aside, when the file `sabotage` is there. */
const DROP_ASIDE = `import { existsSync } from 'node:fs';
import pg from '${PG}';
if (existsSync('sabotage')) {
  const client = new pg.Client(process.argv[2]);
  await client.connect();
  const { rows } = await client.query("select datname from pg_database where datname like '%restoring%'");
  for (const { datname } of rows) await client.query('drop database "' + datname + '" with (force)');
  await client.end();
}
`;

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
    const stop = [process.execPath, 'drop-aside.mjs'];
    product = await startProduct({ redisVersion, config: { services: [{ name: 'api', stop, start: ['true'] }] } });
    const { user, password, port } = product.postgres.target;
    const url = `postgres://${user}:${password}@127.0.0.1:${port}/postgres`;
    await writeFile(join(product.folder, 'drop-aside.mjs'), DROP_ASIDE.replace('process.argv[2]', `'${url}'`));
    backupId = (await product.succeed('backup', 'full'))['backup'].id;
    await product.redis.cli('flushall');
    if (redisVersion === '7') await product.redis.cli('function', 'flush');
  });
  afterAll(async () => product?.stop());

  test('that fails at the last step leaves it empty', async () => {
    const before = await product.fingerprint();
    await writeFile(join(product.folder, 'sabotage'), '');
    const { exit, json } = await product.cli(['restore', backupId, '--drop-existing', '--stop-services']);
    await rm(join(product.folder, 'sabotage'));
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
