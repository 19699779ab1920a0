/**
 * Goal: Redis comes back in another server than the protected one, which stays as it is, and no password is told to anybody.
 * Method: a second server with a password of its own takes a backup and an instant, beside the live pair; everything in both is read
 * by independent means.
 */
import { readFile } from 'node:fs/promises';
import { fingerprintRedis } from '../support/product/fingerprint-redis.ts';
import { startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { differencesFrom, JOURNALED, openApplication } from './product-point-in-time-support/moments.ts';
import type { Application, Moment } from './product-point-in-time-support/moments.ts';

const PASSWORD = 'word-of-the-other-one';
const describeTarget = await whenAvailable('temporal', 'postgres 18', 'redis 7');

describeTarget('a restore into another Redis', () => {
  let product: Product;
  let application: Application;
  let other: TestRedis;
  let url: string;
  let moment: Moment;
  let full: Fingerprint;

  beforeAll(async () => {
    [product, other] = await Promise.all([
      startProduct({ redisVersion: '7', config: JOURNALED, env: { LIFEBOAT_TARGET_REDIS_PASSWORD: PASSWORD } }),
      startRedis({ version: '7', password: PASSWORD }),
    ]);
    url = `redis://127.0.0.1:${other.port}`;
    full = await fingerprintRedis(product.redis);
    await product.succeed('backup', 'full');
    application = await openApplication(product);
    await application.mark(1);
    moment = await application.moment();
    await application.mark(2);
    await application.moment();
  });
  afterAll(async () => {
    application?.end();
    await other?.stop();
    await product?.stop();
  });

  test('a password in the URL is refused, and told to nobody', async () => {
    const refused = await product.cli([
      'restore',
      'latest',
      '--redis',
      '--target-redis',
      `redis://:${PASSWORD}@127.0.0.1`,
    ]);
    expect(refused).toMatchObject({ exit: 2, json: { error: { code: 'USAGE_INVALID' } } });
    expect(refused.json['error'].hint).toContain('LIFEBOAT_TARGET_REDIS_PASSWORD');
    expect(refused.stdout + refused.stderr).not.toContain(PASSWORD);
  });

  test('a backup: all keys are there, the live ones stay, and there is nothing to undo', async () => {
    const live = await product.fingerprint();
    const restored = await product.succeed('restore', 'latest', '--redis', '--target-redis', url);
    expect(restored['restored'].redis).toMatchObject({ target: url, savedAs: null });
    expect(restored['undo']).toBeNull();
    expect(differencesFrom(full, await fingerprintRedis(other))).toEqual([]);
    expect(await product.fingerprint()).toEqual(live);
    const handle = product.client.workflow.getHandle(restored['workflowId'], restored['runId']);
    const history = JSON.stringify(await handle.fetchHistory());
    expect(history).not.toContain(Buffer.from(PASSWORD).toString('base64').slice(0, 12));
    expect(history).not.toContain(PASSWORD);
    expect(await readFile(product.env['LIFEBOAT_LOG_PATH']!, 'utf8')).not.toContain(PASSWORD);
  });

  test('over what it holds only when asked, at an instant, with PostgreSQL beside the live database', async () => {
    const live = await product.fingerprint();
    const args = ['restore', 'latest', '--to-time', moment.at, '--target-database', 'beside', '--target-redis', url];
    const refused = await product.cli(args);
    expect(refused).toMatchObject({ exit: 2, json: { error: { code: 'RESTORE_TARGET_NOT_EMPTY' } } });
    expect(refused.json['error'].hint).toContain('not saved');
    const planned = await product.succeed(...args, '--drop-existing', '--dry-run');
    expect(planned['plan'].steps.join('\n')).toContain('which are not saved');
    await product.succeed(...args, '--drop-existing');
    const redis = await fingerprintRedis(other);
    const postgres = await product.fingerprint('beside');
    const now = Object.fromEntries(Object.keys(moment.data).map((name) => [name, redis[name] ?? postgres[name] ?? '']));
    expect(differencesFrom(withoutDatabase(moment.data), withoutDatabase(now))).toEqual([]);
    expect(Object.keys(redis).filter((name) => !(name in moment.data))).toEqual([]);
    expect(await product.fingerprint()).toEqual(live);
  });

  test('the protected server under another name is the protected server: its keys are saved', async () => {
    const live = `redis://localhost:${product.redis.port}`;
    const planned = await product.succeed(
      'restore',
      'latest',
      '--redis',
      '--target-redis',
      live,
      '--drop-existing',
      '--dry-run',
    );
    expect(planned['plan'].redis.target).toBeUndefined();
    expect(planned['plan'].steps.join('\n')).toMatch(/save the \d+ present Redis keys as a backup/);
    const contradiction = await product.cli(['restore', 'latest', '--postgres', '--target-redis', url]);
    expect(contradiction).toMatchObject({ exit: 2, json: { error: { code: 'USAGE_INVALID' } } });
  });
});

/** Owner and settings of a database are not those of one of another name. */
function withoutDatabase(data: Fingerprint): Fingerprint {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !name.startsWith('database ')));
}
