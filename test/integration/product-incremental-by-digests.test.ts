/**
 * Goal: `backup incremental` works with a Redis that does not let us replicate: a chain of them restores PostgreSQL and Redis,
 * and a chain with a hole or damage in it is named and refused before anything is touched.
 * Method: the whole product with a Redis user without PSYNC, as managed services have it; everything is read back by
 * independent means.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprintRedis } from '../support/product/fingerprint-redis.ts';
import { openRedis } from '../support/product/redis-client.ts';
import { listFiles, startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeProduct = await whenAvailable('temporal', 'postgres 18', 'redis 7');
/** All but what replication and its administration take. */
const MANAGED = ['+@all', '-psync', '-sync', '-replconf', '-replicaof', '-slaveof', '-config', '-save', '-bgsave'];

describeProduct('incremental backups of a Redis without replication', () => {
  let product: Product;
  let fullId = '';
  const chain: { readonly id: string; readonly data: Fingerprint }[] = [];

  const change = async (work: (redis: Awaited<ReturnType<typeof openRedis>>) => Promise<unknown>): Promise<void> => {
    const redis = await openRedis(product.redis.target);
    try {
      await work(redis);
    } finally {
      redis.disconnect();
    }
    const rows = `UPDATE users SET email = 'round ${chain.length} ' || id WHERE id % 7 = 0`;
    await product.postgres.query(rows, [], product.database);
  };
  const incremental = async (): Promise<Awaited<ReturnType<Product['succeed']>>> => {
    const { backup, warnings } = await product.succeed('backup', 'incremental');
    expect(warnings).toEqual([expect.stringContaining('not at one instant')]);
    chain.push({ id: backup.id, data: await product.fingerprint() });
    return backup;
  };
  const filesOf = async (id: string, pattern: RegExp): Promise<string[]> =>
    (await listFiles(product.store)).filter((file) => file.startsWith(`backups/${id}/`) && pattern.test(file));

  beforeAll(async () => {
    product = await startProduct({
      redisVersion: '7',
      encrypted: true,
      env: (base) => ({ ...base, REDIS_URL: base['REDIS_URL']!.replace('redis://', 'redis://managed:pw@') }),
    });
    await product.redis.cli('acl', 'setuser', 'managed', 'on', '>pw', '~*', '&*', ...MANAGED);
  });
  afterAll(async () => product?.stop());

  test('take a full one first, and say so', async () => {
    const { backup, warnings } = await product.succeed('backup', 'incremental');
    expect(backup).toMatchObject({ kind: 'full', components: { redis: { method: 'dump', consistent: false } } });
    expect(warnings).toContainEqual(expect.stringContaining('there is no full backup to stand on'));
    fullId = backup.id;
  });

  test('store what changed, and stand on each other', async () => {
    await change(async (redis) => {
      await redis.set('session:1', 'changed');
      await redis.del('set:words');
      await redis.rpush('now:a:list', 'a');
    });
    expect(await incremental()).toMatchObject({
      kind: 'incremental',
      parentId: fullId,
      components: {
        redis: { method: 'dump-incremental', consistent: false, digests: { layers: [fullId], changed: 2, deleted: 1 } },
      },
    });
    await change(async (redis) => {
      await redis.del('now:a:list');
      await redis.hset('now:a:list', 'field', 'of a hash');
      await redis.set('session:1', 'changed again', 'PX', 86_400_000);
    });
    await incremental();
    await change(async (redis) => redis.del('now:a:list'));
    const { components } = await incremental();
    expect(components.redis.digests).toEqual({ layers: [fullId, chain[0]!.id, chain[1]!.id], changed: 0, deleted: 1 });
  });

  test('are listed, and verified with all that they stand on', async () => {
    const { backups } = await product.succeed('backup', 'list');
    expect(backups.map(({ id }: { id: string }) => id)).toEqual([chain[2]!.id, chain[1]!.id, chain[0]!.id, fullId]);
    const { verified, problems } = await product.succeed('backup', 'verify', 'latest');
    expect([verified, problems]).toEqual([[fullId, chain[0]!.id, chain[1]!.id, chain[2]!.id], []]);
  });

  test('restore both databases, each as of its own instant, and are undone', async () => {
    await product.spoil();
    for (const at of [1, 2]) {
      const before = await product.fingerprint();
      const { restoreId, checks, restored } = await product.succeed('restore', chain[at]!.id, '--drop-existing');
      expect(checks.filter(({ status }: { status: string }) => status === 'fail')).toEqual([]);
      expect(restored).toMatchObject({ redis: { method: 'restore' }, postgres: { database: product.database } });
      expect(await product.fingerprint()).toEqual(chain[at]!.data);
      if (at === 2) continue;
      await product.succeed('restore', 'undo', restoreId);
      expect(await product.fingerprint()).toEqual(before);
    }
  });

  test('give single keys back, merged into what is there', async () => {
    const before = await product.fingerprint();
    await product.succeed('restore', chain[0]!.id, '--keys', 'session:1', '--merge');
    const after = await product.fingerprint();
    const changed = Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name]);
    expect(changed).toEqual([expect.stringMatching(/^key .*session:1$/)]);
    for (const name of changed) expect(after[name]).toBe(chain[0]!.data[name]);
  });

  test('restore into an empty Redis, are undone to an empty one, and are rescued without Temporal', async () => {
    const only = ({ data }: (typeof chain)[number]): Fingerprint =>
      Object.fromEntries(Object.entries(data).filter(([name]) => /^(key|function)/.test(name)));
    await product.redis.cli('flushall');
    await product.redis.cli('function', 'flush');
    const { restoreId } = await product.succeed('restore', chain[0]!.id, '--redis');
    expect(await fingerprintRedis(product.redis)).toEqual(only(chain[0]!));
    const undone = await product.cli(['restore', 'undo', restoreId]);
    expect(undone.json['checks']).toMatchObject([{ name: 'redis emptied again', status: 'pass' }]);
    expect(await product.redis.cli('dbsize')).toBe('0');
    const keys = join(product.folder, 'keys');
    const opened = ['--store', product.store, '--key', join(keys, 'encryption.key')];
    const target = [
      '--trusted-key',
      join(keys, 'signing.key.pub'),
      '--target-redis',
      `redis://127.0.0.1:${product.redis.port}`,
    ];
    const { checks } = await product.succeed('rescue', 'restore', chain[2]!.id, ...opened, ...target);
    expect(checks.map(({ status }: { status: string }) => status)).not.toContain('fail');
    expect(await fingerprintRedis(product.redis)).toEqual(only(chain[2]!));
  });

  test.each([
    ['a flipped byte in the changes of the one in the middle', 1, /redis\/.*\/changes-/],
    ['a flipped byte in its own index', 2, /redis\/.*\/digests-/],
    ['a flipped byte in the keys of the full one', -1, /redis\/.*\/snapshot-/],
  ] as const)('with %s are named and refused', async (_title, at, pattern) => {
    const live = await product.fingerprint();
    const [file] = await filesOf(chain[at]?.id ?? fullId, pattern);
    const path = join(product.store, file!);
    const bytes = await readFile(path);
    const changed = Buffer.from(bytes);
    changed[bytes.length >> 1]! ^= 0x10;
    await writeFile(path, changed);
    const verify = await product.cli(['backup', 'verify', 'latest']);
    const restore = await product.cli(['restore', chain[2]!.id, '--drop-existing', '--redis']);
    await writeFile(path, bytes);
    expect(verify.exit).toBe(4);
    expect(JSON.stringify(verify.json['problems'])).toContain(file);
    expect({ exit: restore.exit, error: restore.json['error'] }).toMatchObject({
      exit: 4,
      error: { hint: expect.any(String) },
    });
    expect(await product.fingerprint()).toEqual(live);
  });

  test('without the one in the middle are named and refused, and those before it are not', async () => {
    const live = await product.fingerprint();
    const folder = join(product.store, 'backups', chain[1]!.id);
    await rename(folder, `${folder}.away`);
    const verify = await product.cli(['backup', 'verify', chain[2]!.id]);
    const refused = await product.cli(['restore', chain[2]!.id, '--drop-existing', '--redis']);
    const dry = await product.cli(['restore', chain[2]!.id, '--drop-existing', '--dry-run']);
    const earlier = await product.cli(['restore', chain[0]!.id, '--drop-existing', '--dry-run']);
    await rename(`${folder}.away`, folder);
    expect(verify.exit).toBe(4);
    expect(verify.json['problems']).toContainEqual(expect.objectContaining({ code: 'BACKUP_NOT_FOUND' }));
    for (const { exit, json } of [refused, dry]) {
      expect([exit, json['error'].code]).toEqual([4, 'REDIS_CHAIN_BROKEN']);
      expect(json['error'].message).toContain(chain[1]!.id);
    }
    expect(earlier.exit).toBe(0);
    expect(await product.fingerprint()).toEqual(live);
  });
});
