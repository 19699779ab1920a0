/**
 * Goal: with journals on and a Redis that nobody may replicate, PostgreSQL has its window, Redis has its backups, and nothing is in alarm
 * for what was decided; before it is decided, the alarm says what to set.
 * Method: the whole product with a Redis user without PSYNC, first with redis.method `auto`, then with `dump`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import { until } from '../support/product/mid-stream.ts';
import { openRedis } from '../support/product/redis-client.ts';
import { runCli } from '../support/product/run-cli.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import { JOURNALED } from './product-point-in-time-support/moments.ts';

const describeProduct = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const MANAGED = ['+@all', '-psync', '-sync', '-replconf', '-replicaof', '-slaveof', '-config', '-save', '-bgsave'];
const PLAIN = [process.execPath, join(PROJECT_DIR, 'src/cli/main.ts')] as const;
const JUDGED_WITHIN_MS = 60_000;
const AFTER_FLUSHES_MS = 3_000;

interface Journal {
  readonly kind: string;
  readonly state: string;
  readonly reason: string | null;
}

describeProduct('journals with a Redis without replication', () => {
  let product: Product;

  const statusOf = async (kind: string): Promise<Journal & Record<string, unknown>> =>
    (await product.cli(['journal', 'status'])).json['journals'].find((journal: Journal) => journal.kind === kind);
  const becomes = async (kind: string, state: string): Promise<void> =>
    until(`${kind} is ${state}`, async () => (await statusOf(kind)).state === state, JUDGED_WITHIN_MS);

  beforeAll(async () => {
    product = await startProduct({
      redisVersion: '7',
      config: JOURNALED,
      env: (base) => ({ ...base, REDIS_URL: base['REDIS_URL']!.replace('redis://', 'redis://managed:pw@') }),
      // Before the worker comes, so that its journal meets the user as it is.
      via: async (name, port) => {
        if (name === 'redis') await restrict(port);
        return port;
      },
    });
  });
  afterAll(async () => product?.stop());

  test('are in alarm while the method is left open, and the hint says what to set', async () => {
    await becomes('redis', 'alarm');
    const { exit, json } = await product.cli(['journal', 'status']);
    expect({ exit, error: json['error'] }).toMatchObject({
      exit: 3,
      error: { code: 'JOURNAL_ALARM', hint: expect.stringContaining('set redis.method to `dump`') },
    });
    expect(await statusOf('redis')).toMatchObject({ notKept: null, refused: expect.stringMatching(/psync/i) });
  });

  test('are kept of PostgreSQL alone once it is set: no alarm, no run, and the reason', async () => {
    await product.worker.stop();
    const config = { ...JOURNALED, redis: { method: 'dump' } };
    await writeFile(join(product.folder, 'config', 'backup.json'), JSON.stringify(config));
    await product.worker.start();
    await becomes('postgres', 'following');
    const { exit } = await product.cli(['journal', 'status']);
    expect(exit).toBe(0);
    expect(await statusOf('redis')).toMatchObject({
      state: 'disabled',
      reason: expect.stringContaining('redis.method is dump'),
      serverProblem: null,
    });
    const run = product.client.workflow.getHandle(String((await statusOf('redis'))['workflowId']));
    await until('the run has ended', async () => (await run.describe()).status.name !== 'RUNNING', JUDGED_WITHIN_MS);
  });

  test('leave incremental backups of both, and a window that is of PostgreSQL alone', async () => {
    await product.succeed('backup', 'full');
    await product.postgres.query("UPDATE users SET email = 'later' || id WHERE id % 9 = 0", [], product.database);
    await product.redis.cli('set', 'session:1', 'later');
    const { backup } = await product.succeed('backup', 'incremental');
    expect(backup).toMatchObject({
      kind: 'incremental',
      components: { postgres: { journal: expect.anything() }, redis: { method: 'dump-incremental' } },
    });
    await delay(AFTER_FLUSHES_MS);
    const { window } = await product.succeed('backup', 'list');
    expect(window).toMatchObject({ from: null, to: null, gaps: [], redis: { spans: [] } });
    const [{ from, to }] = window.postgres.spans;
    expect(Date.parse(to)).toBeGreaterThan(Date.parse(from));
    for (const command of [['backup', 'list'], ['status']]) {
      const { stdout } = await runCli({ args: command, cwd: product.folder, env: product.env, command: PLAIN });
      expect(stdout).toContain(`recovery window: of PostgreSQL alone, ${from.slice(0, 16)}`);
      expect(stdout).toContain('Redis has no journal');
    }
    const { status } = await product.succeed('status');
    expect([status.rpoMs.postgres < status.rpoMs.redis, status.rpoMs.redis]).toEqual([true, expect.any(Number)]);
    expect(status.lastIncremental.id).toBe(backup.id);
  });

  test('restore PostgreSQL to an instant, and refuse both with the way out, before anything is touched', async () => {
    const { window } = await product.succeed('backup', 'list');
    const at = window.postgres.spans[0].to;
    const changed = await product.fingerprint();
    await product.spoil();
    const spoilt = await product.fingerprint();
    const refused = await product.cli(['restore', 'latest', '--to-time', at, '--drop-existing']);
    expect({ exit: refused.exit, error: refused.json['error'] }).toMatchObject({
      exit: 5,
      error: { code: 'JOURNAL_TARGET_OUTSIDE', message: expect.stringContaining('(--postgres)') },
    });
    expect(await product.fingerprint()).toEqual(spoilt);
    await product.succeed('restore', 'latest', '--to-time', at, '--drop-existing', '--postgres');
    await product.succeed('restore', 'latest', '--drop-existing', '--redis');
    expect(await product.fingerprint()).toEqual(changed);
  });

  test('end when they are switched off: the worker ends their runs, and the slot is an alarm until it is dropped', async () => {
    const run = product.client.workflow.getHandle(String((await statusOf('postgres'))['workflowId']));
    expect((await run.describe()).status.name).toBe('RUNNING');
    await product.worker.stop();
    const config = { ...JOURNALED, journal: { ...JOURNALED.journal, enabled: false }, redis: { method: 'dump' } };
    await writeFile(join(product.folder, 'config', 'backup.json'), JSON.stringify(config));
    await product.worker.start();
    await until('the run has ended', async () => (await run.describe()).status.name !== 'RUNNING', JUDGED_WITHIN_MS);
    expect(await statusOf('postgres')).toMatchObject({
      state: 'alarm',
      reason: expect.stringContaining('pg_drop_replication_slot'),
    });
    await product.postgres.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
    expect(await statusOf('postgres')).toMatchObject({ state: 'disabled', reason: 'journal.enabled is false' });
  });
});

async function restrict(port: number): Promise<void> {
  const redis = await openRedis({ host: '127.0.0.1', port });
  try {
    await redis.call('ACL', 'SETUSER', 'managed', 'on', '>pw', '~*', '&*', ...MANAGED);
  } finally {
    redis.disconnect();
  }
}
