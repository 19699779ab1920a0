/**
 * Goal: the Redis journal follows a replica where there is one, spares the master, and goes on from the master when the replica dies,
 * without a hole.
 * Method: a master with a replica and a stack that keeps journals; who is attached to whom is read from both servers; after the kill a
 * moment from before and one from behind it are restored and compared with what was read then.
 */
import {
  differencesFrom,
  JOURNALED,
  openApplication,
  type Application,
} from './product-point-in-time-support/moments.ts';
import { until } from '../support/product/mid-stream.ts';
import { startProduct, type Product } from '../support/product.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeReplica = await whenAvailable('temporal', 'postgres 18', 'redis 7');
/** A replica that is none tells port 0. */
const OURS = /^slave\d+:.*port=0,state=online/m;

describeReplica('a journal of a master with a replica', () => {
  let product: Product;
  let replica: TestRedis;
  let application: Application;
  const followers = async (server: TestRedis): Promise<string> => server.cli('info', 'replication');

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', config: JOURNALED });
    await until('the journal follows', async () => OURS.test(await followers(product.redis)));
    replica = await startRedis({
      version: '7',
      args: ['--replicaof', '127.0.0.1', String(product.redis.port), '--repl-ping-replica-period', '1'],
    });
    await until('the replica is in step', async () => (await followers(replica)).includes('master_link_status:up'));
    application = await openApplication(product);
    await product.succeed('backup', 'full');
  });
  afterAll(async () => {
    application?.end();
    await replica?.stop();
    await product?.stop();
  });

  test('follows the replica, and the master when that is gone, and nothing is missing', async () => {
    // As after any start of a worker: sources are looked for anew.
    await product.worker.stop();
    await product.worker.start();
    await until('the journal follows the replica', async () => OURS.test(await followers(replica)));
    expect(await followers(product.redis)).not.toMatch(OURS);
    await application.mark(1);
    await until('the journal holds the mark', async () => isDurable(product, await offsetOf(product.redis)));
    const before = { at: new Date().toISOString(), data: await product.fingerprint() };

    await replica.kill();
    await application.mark(2);
    await until('the journal follows the master', async () => OURS.test(await followers(product.redis)));
    await application.mark(3);
    const after = await application.moment();

    const windowOf = async () => (await product.succeed('backup', 'list'))['window'];
    await until('both journals reach the moment', async () => Date.parse((await windowOf()).to) >= after.atMs);
    expect((await windowOf()).gaps).toEqual([]);
    await product.succeed('restore', 'latest', '--to-time', after.at, '--drop-existing');
    expect(differencesFrom(after.data, await product.fingerprint())).toEqual([]);
    await product.succeed('restore', 'latest', '--to-time', before.at, '--drop-existing');
    expect(differencesFrom(before.data, await product.fingerprint())).toEqual([]);
  });
});

async function offsetOf(server: TestRedis): Promise<number> {
  return Number(/master_repl_offset:(\d+)/.exec(await server.cli('info', 'replication'))?.[1]);
}

async function isDurable(product: Product, offset: number): Promise<boolean> {
  const journals = await product.manager.journalStatus();
  return Number(journals.find(({ kind }) => kind === 'redis')?.durable?.at ?? 0) >= offset;
}
