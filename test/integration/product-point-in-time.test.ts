/**
 * Goal: both databases come back as they were at one instant between two backups, on every supported pair of servers.
 * Method: an application writes rows, keys, transactions and expiries around a moment; everything is read at that moment, spoilt
 * later, restored by the command line, and read again by the same independent means.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startProduct, type Product, type ProductOptions } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  differencesFrom,
  JOURNALED,
  marksOf,
  openApplication,
  type Application,
  type Moment,
} from './product-point-in-time-support/moments.ts';

interface Pair extends ProductOptions {
  readonly title: string;
}

const PAIRS: readonly Pair[] = [
  { title: 'PostgreSQL 18 and Redis 7, encrypted', postgresMajor: 18, redisVersion: '7', encrypted: true },
  { title: 'PostgreSQL 17 and Redis 6.2', postgresMajor: 17, redisVersion: '6.2' },
  {
    title: 'PostgreSQL 16 and Redis 7, uncompressed',
    postgresMajor: 16,
    redisVersion: '7',
    env: { BACKUP_COMPRESSION_ENABLED: 'false' },
  },
  { title: 'PostgreSQL 15 and Redis 6.2, encrypted', postgresMajor: 15, redisVersion: '6.2', encrypted: true },
];

const DAY_MS = 86_400_000;
/** Longer than it takes to come to the moment, and shorter than until the restore. */
const SHORT_MS = 15_000;

/** Set with the time that is left. */
const RELATIVE = ['key 0 ttl:relative', 'key 0 ttl:expire'];
/** Redis 6.2 sends that, and it counts from when the journal received it: on a machine with much to do a moment later. */
const RECEIVED_WITHIN_MS = 2_000;

for (const { title, ...options } of PAIRS) {
  const describePair = await whenAvailable(
    'temporal',
    `postgres ${options.postgresMajor!}`,
    `redis ${options.redisVersion!}`,
  );
  describePair(title, () => {
    let product: Product;
    let application: Application;
    let incremental: { readonly id: string; readonly data: Moment['data'] };
    let moment: Moment;
    /** Absolute expiries at the moment. */
    const lastingUntil = Date.now() + DAY_MS;

    beforeAll(async () => {
      product = await startProduct({ ...options, config: JOURNALED });
      await product.succeed('backup', 'full');
      application = await openApplication(product);
      const { redis } = application;
      await application.mark(1);
      await redis.set('ttl:changed', 'x', 'PXAT', lastingUntil);
      await redis.set('ttl:removed', 'x', 'PXAT', lastingUntil);
      await redis.set('ttl:deleted', 'x', 'PXAT', lastingUntil);
      await redis.set('ttl:added', 'x');
      const { backup, durationMs } = await product.succeed('backup', 'incremental');
      expect([backup.kind, durationMs < 20_000]).toEqual(['incremental', true]);
      incremental = { id: backup.id, data: await product.fingerprint() };

      await application.mark(2);
      await application.sql(`UPDATE users SET email = 'new' || id WHERE id % 10 = 0; SELECT nextval('"ticket No"')`);
      // Sent by a client, what follows in the stream would make a lasting key of one that has expired by then.
      await redis.set('short', '1', 'PX', SHORT_MS);
      await redis.incr('short');
      // Redis 6.2 sends what is left of these, and not when it ends.
      await redis.setex('ttl:relative', 86_400, 'x');
      await redis.set('ttl:expire', 'x');
      await redis.expire('ttl:expire', 43_200);
      moment = await application.moment();

      await redis.incr('short');
      await application.mark(3);
      await redis.pexpireat('ttl:changed', lastingUntil + DAY_MS);
      await redis.persist('ttl:removed');
      await redis.pexpireat('ttl:added', lastingUntil);
      await redis.del('ttl:deleted');
      await product.spoil();
      await application.sql('UPDATE users SET password_hash = \'x\'; DROP TABLE "Audit Log"."Entries"');
      await redis.flushall();
      await application.mark(4);
      await application.moment();
    });
    afterAll(async () => {
      application?.end();
      await product?.stop();
    });

    test('to a moment: what was acknowledged before it is there, what came after it is not', async () => {
      const expired = expiryOf(moment.data['key 0 short']);
      expect(expired).toBeGreaterThan(moment.atMs);
      await delay(Math.max(0, expired - Date.now() + 100));
      const restored = await product.succeed('restore', 'latest', '--to-time', moment.at, '--drop-existing');

      const now = await product.fingerprint();
      for (const key of RELATIVE) {
        const lagMs = Math.abs(expiryOf(now[key]) - expiryOf(moment.data[key]));
        expect({ key, isClose: lagMs <= (options.redisVersion === '7' ? 0 : RECEIVED_WITHIN_MS), lagMs }).toMatchObject(
          {
            isClose: true,
          },
        );
      }
      expect(differencesFrom(without(moment.data, RELATIVE), without(now, RELATIVE))).toEqual([]);
      expect(await marksOf(product)).toEqual({ rows: [1, 2], keys: [1, 2] });
      expect(await product.redis.cli('exists', 'short')).toBe('0');
      expect(restored['checks'].filter(({ status }: { status: string }) => status === 'fail')).toEqual([]);
      const { postgres, redis, distanceMs } = restored['positions'];
      for (const { at } of [postgres, redis]) expect(Date.parse(at)).toBeLessThanOrEqual(moment.atMs);
      expect(distanceMs).toBe(Math.abs(Date.parse(postgres.at) - Date.parse(redis.at)));
      expect(await product.strayDatabases()).toEqual([expect.stringContaining('__replaced_')]);
    });

    test('to a moment, into a database beside the live one, which stays as it is', async () => {
      const before = await product.fingerprint();
      const args = ['restore', 'latest', '--to-time', moment.at, '--postgres', '--target-database', 'as_it_was'];
      await product.succeed(...args);
      const { rows } = await marksOf(product, 'as_it_was');
      expect(rows).toEqual([1, 2]);
      const aside = rowsOnly(await product.fingerprint('as_it_was'));
      expect(differencesFrom(rowsOnly(moment.data), aside)).toEqual([]);
      expect(await product.fingerprint()).toEqual(before);
    });

    test('an incremental backup comes back by its id, as it was when it was taken', async () => {
      await product.succeed('restore', incremental.id, '--drop-existing');
      expect(differencesFrom(incremental.data, await product.fingerprint())).toEqual([]);
      expect(await marksOf(product)).toEqual({ rows: [1], keys: [1] });
    });
  });
}

function expiryOf(line: string | undefined): number {
  return Number(/^\S+ expires (\d+) /.exec(line ?? '')?.[1]);
}

function without(data: Moment['data'], names: readonly string[]): Moment['data'] {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !names.includes(name)));
}

/** Of PostgreSQL alone. */
function rowsOnly(data: Moment['data']): Moment['data'] {
  return Object.fromEntries(
    Object.entries(data).filter(
      ([name]) => !name.startsWith('key ') && name !== 'functions' && !name.startsWith('database '),
    ),
  );
}
