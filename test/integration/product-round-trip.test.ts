/**
 * Goal: what a backup took comes back, all of it, on every supported pair of servers and with every way of storing.
 * Method: real servers, a worker and the command line; the live data is destroyed or spoilt, and a comparison of its own reads
 * rows, rights, sequences, large objects, keys, expiries and groups before and after.
 */
import { startProduct, type Product, type ProductOptions } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

interface Case extends ProductOptions {
  readonly title: string;
}

const PAIRS: readonly Case[] = [
  { title: 'PostgreSQL 18 and Redis 7', postgresMajor: 18, redisVersion: '7', encrypted: true },
  {
    title: 'PostgreSQL 17 and Redis 6.2, strongest compression',
    postgresMajor: 17,
    redisVersion: '6.2',
    env: { BACKUP_COMPRESSION_LEVEL: '9' },
  },
  {
    title: 'PostgreSQL 16 and Redis 7 key by key, encrypted without compression',
    postgresMajor: 16,
    redisVersion: '7',
    encrypted: true,
    env: { LIFEBOAT_REDIS_METHOD: 'dump', BACKUP_COMPRESSION_ENABLED: 'false' },
  },
  {
    title: 'PostgreSQL 15 and Redis 6.2 key by key, lightest compression',
    postgresMajor: 15,
    redisVersion: '6.2',
    env: { LIFEBOAT_REDIS_METHOD: 'dump', BACKUP_COMPRESSION_LEVEL: '1' },
  },
];

for (const { title, ...options } of PAIRS) {
  const describePair = await whenAvailable(
    'temporal',
    `postgres ${options.postgresMajor!}`,
    `redis ${options.redisVersion!}`,
  );
  describePair(title, () => {
    let product: Product;
    beforeAll(async () => {
      product = await startProduct(options);
    });
    afterAll(async () => product?.stop());

    test('a backup survives the loss of everything', async () => {
      const before = await product.fingerprint();
      const { backup } = await product.succeed('backup', 'full', '--label', 'release=1');
      expect(backup).toMatchObject({
        kind: 'full',
        status: 'complete',
        signed: true,
        encrypted: options.encrypted === true,
        label: { release: '1' },
      });
      await product.destroy();
      const restored = await product.succeed('restore', 'latest');
      expect(restored['checks'].filter(({ status }: { status: string }) => status === 'fail')).toEqual([]);
      expect(await product.fingerprint()).toEqual(before);
      expect(await product.strayDatabases()).toEqual([]);
    });

    test('a restore over spoilt data brings back what was, and its undo what was spoilt', async () => {
      const before = await product.fingerprint();
      const { backup } = await product.succeed('backup', 'full');
      await product.spoil();
      const spoilt = await product.fingerprint();
      expect(spoilt).not.toEqual(before);

      const restored = await product.succeed('restore', backup.id, '--drop-existing');
      expect(await product.fingerprint()).toEqual(before);
      expect(restored['undo'].command).toBe(`lifeboat restore undo ${restored['restoreId']}`);

      await product.succeed('restore', 'undo', restored['restoreId']);
      expect(await product.fingerprint()).toEqual(spoilt);
      expect(await product.strayDatabases()).toEqual([]);

      await product.succeed('restore', backup.id, '--drop-existing');
      expect(await product.fingerprint()).toEqual(before);
    });

    test('verification finds every backup sound', async () => {
      const { backups } = await product.succeed('backup', 'list');
      const { verified, problems } = await product.succeed('backup', 'verify', 'all');
      expect(problems).toEqual([]);
      const ids: string[] = backups.map(({ id }: { id: string }) => id);
      expect(verified.toSorted()).toEqual([...ids, 'journals/postgres', 'journals/redis'].toSorted());
    });
  });
}
