/**
 * Goal: roles and users with the rights that docs/reference/permissions.md lists, and no more, back up, keep journals and restore.
 * Method: the whole product; its statements and lines are run as they stand there, by a superuser; a database of another owner with row-level
 * security, and a Redis, are read by independent means before and after.
 */
import { documented } from '../support/documented-permissions.ts';
import { openRedis } from '../support/product/redis-client.ts';
import { startProduct, type Product } from '../support/product.ts';
import { startPostgres, startTemporal, type TestPostgres, type TestTemporal } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { differencesFrom, JOURNALED } from './product-point-in-time-support/moments.ts';

const describeProduct = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const PASSWORD = 'of-a-test';
const DATABASE = 'enterprise_auth_permissions';
const TABLES = `
  CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, tenant int NOT NULL);
  INSERT INTO users SELECT n, n || '@example.org', n % 10 FROM generate_series(1, 5000) AS n;
  ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON users USING (tenant = 1);
  CREATE SEQUENCE tickets; SELECT nextval('tickets');
  CREATE VIEW emails AS SELECT email FROM users`;

describeProduct('with the documented rights', () => {
  let postgres: TestPostgres;
  let temporal: TestTemporal;
  let product: Product;
  let login: Readonly<Record<string, string>>;

  const as = (who: string, base: Readonly<Record<string, string>>): Record<string, string> => ({
    DATABASE_URL: base['DATABASE_URL']!.replace(/\/\/[^@]+@/, `//lifeboat_${who}:${PASSWORD}@`),
    REDIS_URL: base['REDIS_URL']!.replace('redis://', `redis://lifeboat_${who}:${PASSWORD}@`),
  });

  beforeAll(async () => {
    [postgres, temporal] = await Promise.all([startPostgres({ major: 18 }), startTemporal()]);
    await run('CREATE ROLE app LOGIN');
    await run(`CREATE DATABASE ${DATABASE} OWNER app`);
    await run(`SET ROLE app; ${TABLES}`, DATABASE);
    for (const heading of ['backup and journal', 'restore']) {
      await run((await documented(`PostgreSQL: ${heading}`)).replaceAll('…', PASSWORD));
    }
    product = await startProduct({
      shared: { postgres, temporal },
      group: 'permissions',
      redisVersion: '7',
      seed: 'none',
      encrypted: true,
      config: JOURNALED,
      env: (base) => {
        login = base;
        return { ...base, ...as('backup', base) };
      },
      via: async (name, port) => {
        if (name === 'redis') await fill(port);
        return port;
      },
    });
  });
  afterAll(async () => {
    await product?.stop();
    await Promise.all([postgres?.stop(), temporal?.stop()]);
  });

  const run = async (sql: string, database = 'postgres'): Promise<void> =>
    void (await postgres.query(sql, [], database));

  test('a full backup has a dump and a base, journals follow, and an incremental one stands on them', async () => {
    const { backup, warnings } = await product.succeed('backup', 'full');
    expect(backup.components).toMatchObject({
      postgres: { method: ['logical', 'physical'] },
      redis: { method: 'replication', keys: 200 },
    });
    expect(warnings).toEqual([expect.stringContaining('no superuser')]);
    await run(`UPDATE users SET email = 'later' || id WHERE id % 7 = 0`, DATABASE);
    await product.redis.cli('set', 'later', '1');
    expect((await product.succeed('backup', 'incremental'))['backup'].kind).toBe('incremental');
    const { journals } = await product.succeed('journal', 'status');
    expect(journals.map(({ state }: { state: string }) => state)).toEqual(['following', 'following']);
    expect((await product.succeed('backup', 'verify', 'all'))['problems']).toEqual([]);
  });

  test('a restore brings both back, with the owner, and is undone', async () => {
    const whole = await product.fingerprint();
    await run(`DELETE FROM users WHERE id > 10; DROP VIEW emails`, DATABASE);
    await product.redis.cli('flushall');
    await product.redis.cli('set', 'session:1', 'stolen');
    const spoilt = await product.fingerprint();
    const env = as('restore', login);
    await product.worker.stop();
    await product.worker.start(env);
    const { exit, json } = await product.cli(['restore', 'latest', '--drop-existing'], { env });
    expect({ exit, error: json['error'] }).toEqual({ exit: 0, error: undefined });
    expect(json['checks'].filter(({ status }: { status: string }) => status === 'fail')).toEqual([]);
    expect(differencesFrom(whole, await product.fingerprint())).toEqual([]);
    const undone = await product.cli(['restore', 'undo', json['restoreId']], { env });
    expect({ exit: undone.exit, error: undone.json['error'] }).toEqual({ exit: 0, error: undefined });
    expect(await product.fingerprint()).toEqual(spoilt);
  });
});

/** Keys, and both users as documented. */
async function fill(port: number): Promise<void> {
  const redis = await openRedis({ host: '127.0.0.1', port });
  try {
    for (let n = 0; n < 200; n += 1) await redis.set(`session:${n}`, String(n));
    for (const heading of ['backup and journal', 'restore by replication']) {
      const [, , ...rules] = (await documented(`Redis: ${heading}`)).replace('…', PASSWORD).split(' ');
      await redis.call('ACL', 'SETUSER', ...rules);
    }
  } finally {
    redis.disconnect();
  }
}
