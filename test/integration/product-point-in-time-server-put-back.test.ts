/**
 * Goal: a server whose disk was put back to an older state, and that has written on since then, does not continue the old journal: the
 * gap is named, a base is asked for, and both sides can be restored.
 * Method: the data directory is copied while the server is down, more is journaled, the copy is put back and written on beyond the
 * journal's position; then the journal's own activity goes on. Identifier, timeline and position fit: the bytes do not.
 */
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { followPostgresWal } from '../../src/activities/journal/follow-postgres.ts';
import type { FollowEnd } from '../../src/contract/journal.ts';
import { lsnOf } from '../../src/domain/lsn.ts';
import { runChild } from '../../src/platform/child-process.ts';
import { openCopies, type Copies } from '../chaos/journal-support/copies.ts';
import { until } from '../support/product/mid-stream.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describePutBack = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const UNDISTURBED_MS = 4_000;

describePutBack('a server that was put back', () => {
  let product: Product;
  let copies: Copies;

  const follow = (): { readonly end: Promise<FollowEnd | 'stopped'>; stop(): Promise<void> } => {
    const abort = new AbortController();
    const limits = { slot: copies.deps.settings.journal.slot, deadlineMs: Number.POSITIVE_INFINITY };
    const end = followPostgresWal(copies.deps, limits, { signal: abort.signal, onProgress: () => undefined }).catch(
      (error: unknown) => {
        if (abort.signal.aborted) return 'stopped' as const;
        throw error;
      },
    );
    return { end, stop: async () => void (abort.abort(new Error('the test stops it')), await end) };
  };
  const query = async <Row extends object>(sql: string): Promise<Row[]> =>
    (await product.postgres.query<Row & Record<string, unknown>>(sql, [], product.database)).rows;
  const write = async (n: number): Promise<void> => void (await query(`INSERT INTO marks VALUES (${n})`));
  const marksIn = async (database: string): Promise<number[]> =>
    (await product.postgres.query<{ n: number }>('SELECT n FROM marks ORDER BY n', [], database)).rows.map(
      ({ n }) => n,
    );
  const untilDurable = async (): Promise<string> => {
    const [row] = await query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    await until('all is durable', async () => {
      const { epochs } = await (await copies.deps.repository()).journals.catalog('postgres');
      return epochs.some(({ durable }) => lsnOf(durable.at) >= lsnOf(row!.lsn));
    });
    return row!.lsn;
  };
  /** With owners and modes. */
  const copyFolder = async (from: string, to: string): Promise<void> => {
    const args = ['-a', from, to];
    const { exit } = await runChild({ name: 'cp', command: '/bin/cp', args, signal: AbortSignal.timeout(60_000) });
    if (exit.code !== 0) throw new Error(exit.stderrTail);
  };

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7' });
    copies = openCopies(product);
    await query('CREATE TABLE marks (n int)');
  });
  afterAll(async () => product?.stop());

  test('a restart alone changes nothing: the journal goes on', async () => {
    const first = follow();
    await until(
      'the journal follows',
      async () => (await query('SELECT FROM pg_replication_slots WHERE active')).length === 1,
    );
    await product.succeed('backup', 'full');
    await write(1);
    await untilDurable();
    await first.stop();
    await product.postgres.kill();
    await copyFolder(product.postgres.dataDir, `${product.postgres.dataDir}.older`);
    await product.postgres.restart();
    const second = follow();
    await write(2);
    await untilDurable();
    expect(await Promise.race([second.end, delay(UNDISTURBED_MS).then(() => 'follows')])).toBe('follows');
    await second.stop();
    expect((await copies.window()).postgres!.spans).toHaveLength(1);
  });

  test('what it has written since then is kept apart, and what was lost can still be had', async () => {
    const lastMs = Date.now();
    const [journaled] = await query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    const { postgres } = await copies.window();
    const beforeMs = Math.floor(postgres!.spans.at(-1)!.toMs);
    expect(beforeMs).toBeLessThanOrEqual(lastMs);
    await product.postgres.kill();
    await rm(product.postgres.dataDir, { recursive: true });
    await copyFolder(`${product.postgres.dataDir}.older`, product.postgres.dataDir);
    await product.postgres.restart();
    expect(await marksIn(product.database)).toEqual([1]);
    await write(3);
    const beyond = async (): Promise<boolean> => {
      await query("SELECT pg_logical_emit_message(true, 'test', repeat('x', 50000))");
      const [now] = await query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
      return lsnOf(now!.lsn) > lsnOf(journaled!.lsn) + 100_000n;
    };
    await until('the server is beyond what was journaled', beyond);

    expect(await follow().end).toMatchObject({ end: 'new-base-needed', code: 'JOURNAL_HISTORY_MISMATCH' });
    const { backup } = await product.succeed('backup', 'incremental');
    expect(backup.kind).toBe('full');
    const { gaps } = await copies.window();
    expect(gaps.filter(({ component }) => component === 'postgres').map(({ code }) => code)).toEqual([
      'JOURNAL_HISTORY_MISMATCH',
    ]);
    const lost = ['--to-time', new Date(beforeMs).toISOString(), '--postgres', '--target-database', 'lost'];
    await product.succeed('restore', 'latest', ...lost);
    expect(await marksIn('lost')).toEqual([1, 2]);
    await product.succeed('restore', backup.id, '--postgres', '--target-database', 'present');
    expect(await marksIn('present')).toEqual([1, 3]);
  });
});
