/**
 * Goal: a journal that began anew behind a gap gets the base it needs, also when the worker that knew it dies before it can say so; and
 * until then no incremental backup pretends to stand on something.
 * Method: the slot and its WAL are taken away, what follows the server begins anew, and its answer is thrown away, which is what Temporal
 * sees of a worker killed there; then the same is asked of a new attempt and of the command line.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { followPostgresWal } from '../../src/activities/journal/follow-postgres.ts';
import type { FollowEnd } from '../../src/contract/journal.ts';
import { openCopies, type Copies } from '../chaos/journal-support/copies.ts';
import { until } from '../support/product/mid-stream.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeLost = await whenAvailable('temporal', 'postgres 17', 'redis 7');
/** Some flushes of a journal that has nothing to ask for. */
const QUIET_MS = 5_000;

describeLost('a base that a journal needs', () => {
  let product: Product;
  let copies: Copies;
  let firstEnd: FollowEnd | 'stopped';

  /** An attempt of a worker; `stop` ends it as a shutdown does. */
  const attempt = (resumed: boolean): { readonly end: Promise<FollowEnd | 'stopped'>; stop(): Promise<void> } => {
    const abort = new AbortController();
    const limits = { slot: copies.deps.settings.journal.slot, deadlineMs: Number.POSITIVE_INFINITY, resumed };
    const operation = { signal: abort.signal, onProgress: () => undefined };
    const end = followPostgresWal(copies.deps, limits, operation).catch((error: unknown) => {
      if (abort.signal.aborted) return 'stopped' as const;
      throw error;
    });
    return {
      end,
      async stop() {
        abort.abort(new Error('the test stops it'));
        await end;
      },
    };
  };
  const slots = async (): Promise<number> =>
    (await product.postgres.query<{ n: number }>('SELECT count(*)::int AS n FROM pg_replication_slots WHERE active'))
      .rows[0]!.n;
  const write = async (n: number): Promise<void> =>
    void (await product.postgres.query(`INSERT INTO marks VALUES (${n})`, [], product.database));

  const removeWal = async (): Promise<void> => {
    for (let round = 0; round < 4; round += 1) {
      await product.postgres.query('CREATE TABLE filler AS SELECT 1; DROP TABLE filler');
      await product.postgres.query('SELECT pg_switch_wal()');
      await product.postgres.query('CHECKPOINT');
    }
  };

  beforeAll(async () => {
    product = await startProduct({ postgresMajor: 17, redisVersion: '7' });
    copies = openCopies(product);
    await product.postgres.query('CREATE TABLE marks (n int)', [], product.database);
    await product.succeed('backup', 'full');
    await write(0);
    await removeWal();
    firstEnd = await attempt(false).end;
    const first = attempt(false);
    await until('the journal follows', async () => (await slots()) === 1);
    await product.succeed('backup', 'full');
    await write(1);
    await delay(2_000);
    await first.stop();
    await until('nobody holds the slot', async () => (await slots()) === 0);
    await product.postgres.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
    await write(2);
    await removeWal();
  });
  afterAll(async () => product?.stop());

  test('is asked for by the first journal of a server whose WAL since the newest base is gone', () => {
    expect(firstEnd).toMatchObject({ end: 'new-base-needed', code: 'JOURNAL_WAL_REMOVED' });
  });

  test('is asked for where the journal begins anew', async () => {
    expect(await attempt(false).end).toMatchObject({ end: 'new-base-needed', code: 'JOURNAL_WAL_REMOVED' });
  });

  test('is asked for again by the attempt that follows a lost one', async () => {
    const resumed = attempt(true);
    const end = await Promise.race([resumed.end, delay(QUIET_MS * 4).then(() => 'nothing was asked for')]);
    await resumed.stop();
    expect(end).toMatchObject({ end: 'new-base-needed', code: 'JOURNAL_WAL_REMOVED' });
  });

  test('is taken by whoever asks for an incremental backup meanwhile, and then nobody asks any more', async () => {
    await write(3);
    const { backup, warnings } = await product.succeed('backup', 'incremental');
    expect({ kind: backup.kind, warnings }).toEqual({
      kind: 'full',
      warnings: expect.arrayContaining([expect.stringContaining('a full backup was taken instead')]),
    });
    await product.succeed('restore', backup.id, '--postgres', '--target-database', 'elsewhere');
    const { rows } = await product.postgres.query<{ n: number }>('SELECT n FROM marks ORDER BY n', [], 'elsewhere');
    expect(rows.map(({ n }) => n)).toEqual([0, 1, 2, 3]);

    const quiet = attempt(true);
    const end = await Promise.race([quiet.end, delay(QUIET_MS).then(() => 'follows')]);
    expect(end).toBe('follows');
    await write(4);
    const again = await product.succeed('backup', 'incremental');
    expect(again['backup'].kind).toBe('incremental');
    await quiet.stop();
    await product.succeed('restore', again['backup'].id, '--postgres', '--target-database', 'later');
    const later = await product.postgres.query<{ n: number }>('SELECT n FROM marks ORDER BY n', [], 'later');
    expect(later.rows.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4]);
  });
});
