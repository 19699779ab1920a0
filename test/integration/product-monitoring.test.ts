/**
 * Goal: who reads /readyz and /metrics knows what could be restored and what is away; whatever is away, the worker goes on.
 * Method: a worker with journals and a target; a backup and a failure, then PostgreSQL, Temporal, and Temporal before the worker is there are
 * taken away and given back, while the pages are read as Prometheus and an orchestrator do.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../src/platform/ports.ts';
import { METRICS } from '../../src/monitoring/metrics.ts';
import { SOURCE_NAMES } from '../../src/monitoring/source-names.ts';
import { startProduct, type Product } from '../support/product.ts';
import { readMetrics, type Series } from '../support/metrics-text.ts';
import { whenAvailable } from '../support/tools.ts';

/** A machine that has much else to do; what is waited for takes a second or two on one that has not. */
const LIMIT_MS = 120_000;

interface Ready {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- JSON of any shape
  readonly body: Record<string, any>;
}

const suite = await whenAvailable('postgres 18', 'redis', 'temporal');
suite('health and metrics of a worker', () => {
  let product: Product;
  let port = 0;

  const get = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  const ready = async (): Promise<Ready> => {
    const response = await get('/readyz');
    return { status: response.status, body: (await response.json()) as Ready['body'] };
  };
  const scrape = async (): Promise<Series> => readMetrics(await (await get('/metrics')).text());
  /** Reads until it holds, and fails with what was read last. */
  const until = async <T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> => {
    for (const deadline = Date.now() + LIMIT_MS; ; await delay(200)) {
      const value = await read();
      if (holds(value)) return value;
      if (Date.now() > deadline) throw new Error(`not in ${LIMIT_MS} ms; last: ${JSON.stringify(value, null, 1)}`);
    }
  };

  beforeAll(async () => {
    port = await freePort();
    product = await startProduct({
      env: { LIFEBOAT_MONITORING_PORT: String(port), LIFEBOAT_MONITORING_INTERVAL: '500ms' },
      config: {
        journal: { enabled: true, flushSeconds: 1 },
        objectives: { rpo: '5m', rto: '1h' },
        drill: { every: '30d' },
        crossRegion: { enabled: true, regions: ['east'], replicationDelay: 0 },
        stores: { east: { url: 'file:./east' } },
      },
    });
  }, LIMIT_MS);
  afterAll(async () => product?.stop());

  test('a worker that has just begun says that there is no backup and that a drill is due', async () => {
    const { body } = await until(ready, ({ status }) => status === 200);
    expect(body).toMatchObject({ ready: true, group: 'default', temporal: { phase: 'polling', problem: null } });
    const series = await until(scrape, (read) => read.value('lifeboat_drill_overdue') === 1);
    expect(series.value('lifeboat_worker_info')).toBe(1);
    expect(series.has('lifeboat_last_backup_timestamp_seconds')).toBe(false);
    expect(series.value('lifeboat_operations_total', { kind: 'full', result: 'completed' })).toBeDefined();
  });

  test('a backup, its copy and the journals are seen, and what failed is counted', async () => {
    const before = Date.now() / 1_000;
    await product.succeed('backup', 'full');
    expect((await product.cli(['restore', 'backup-2020-01-01T00-00-00-000Z', '--yes'])).exit).toBe(5);
    const series = await until(
      scrape,
      (read) =>
        read.value('lifeboat_target_state', { target: 'east', state: 'in-sync' }) === 1 &&
        read.value('lifeboat_operations_total', { kind: 'full', result: 'completed' }) === 1 &&
        read.value('lifeboat_operations_total', { kind: 'restore', result: 'failed' }) === 1 &&
        (read.value('lifeboat_last_backup_timestamp_seconds', { kind: 'full', component: 'redis' }) ?? 0) > before &&
        read.value('lifeboat_journal_state', { component: 'postgres', state: 'following' }) === 1 &&
        read.value('lifeboat_journal_state', { component: 'redis', state: 'following' }) === 1 &&
        read.has('lifeboat_recovery_window_end_timestamp_seconds') &&
        read.has('lifeboat_journal_lag_bytes'),
    );
    expect(series.value('lifeboat_operation_duration_seconds_count', { kind: 'full', result: 'completed' })).toBe(1);
    const last = { kind: 'restore', result: 'failed' };
    expect(series.value('lifeboat_operation_last_timestamp_seconds', last)).toBeGreaterThan(before);
    for (const component of ['postgres', 'redis']) {
      expect(series.value('lifeboat_database_up', { component })).toBe(1);
      expect(series.value('lifeboat_recovery_point_timestamp_seconds', { component })).toBeGreaterThan(before);
      expect(series.value('lifeboat_last_backup_stored_bytes', { kind: 'full', component })).toBeGreaterThan(0);
      expect(series.value('lifeboat_recovery_gaps', { component, state: 'open' })).toBe(0);
    }
    for (const store of ['repository', 'east'])
      expect(series.value('lifeboat_storage_free_bytes', { store })).toBeGreaterThan(0);
    for (const role of ['control', 'data', 'journal', 'copy'])
      expect(series.value('lifeboat_queue_pollers', { role })).toBeGreaterThan(0);
    expect(series.value('lifeboat_target_used_bytes', { target: 'east', holds: 'backups' })).toBe(
      series.value('lifeboat_storage_used_bytes', { holds: 'backups' }),
    );
    expect(series.value('lifeboat_plan_state', { plan: 'default-recovery', state: 'needs-verification' })).toBe(1);
    expect(series.value('lifeboat_objective_seconds', { objective: 'rpo' })).toBe(300);
    expect(series.points.some(({ name }) => name.startsWith('temporal_'))).toBe(true);
    for (const source of SOURCE_NAMES)
      expect(series.value('lifeboat_sample_timestamp_seconds', { source })).toBeDefined();
    // Of all metrics only those of a drill, which was not done, and of a limit, which the server has not got, are missing.
    expect(Object.keys(METRICS).filter((name) => !series.has(name))).toEqual([
      'lifeboat_verification_last_timestamp_seconds',
      'lifeboat_slot_safe_bytes',
      'lifeboat_last_drill_timestamp_seconds',
      'lifeboat_last_drill_verdict',
      'lifeboat_last_drill_rto_seconds',
      'lifeboat_last_drill_rpo_seconds',
      'lifeboat_drill_due_timestamp_seconds',
    ]);
  });

  test('what was verified is seen', async () => {
    await product.succeed('backup', 'verify', 'latest');
    const read = await until(scrape, (one) => one.has('lifeboat_verification_last_timestamp_seconds'));
    expect(read.value('lifeboat_verification_last_timestamp_seconds')).toBeGreaterThan(1.7e9);
  });

  test('a database that is away is said, and the worker goes on', async () => {
    const { pid } = product.worker;
    await product.postgres.kill();
    const away = await until(ready, ({ body }) => body['databases'].postgres?.up === false);
    expect(away).toMatchObject({ status: 200, body: { ready: true, state: 'degraded' } });
    expect(away.body['databases']).toMatchObject({
      redis: { up: true },
      postgres: { problem: expect.stringContaining('POSTGRES_') },
    });
    expect((await scrape()).value('lifeboat_database_up', { component: 'postgres' })).toBe(0);
    const pages = await Promise.all(['/readyz', '/metrics'].map(async (path) => (await get(path)).text()));
    expect(pages.join()).not.toContain(product.postgres.target.password);
    expect((await product.succeed('backup', 'list')).backups.length).toBeGreaterThan(0);
    await product.postgres.restart();
    await until(ready, ({ body }) => body['state'] === 'ready');
    expect(product.worker.pid).toBe(pid);
  });

  test('a port that is taken is said, and nothing is begun', async () => {
    const { exit, stderr, stdout } = await product.cli(['worker'], { env: { LIFEBOAT_LOG_LEVEL: 'silent' } });
    expect([exit, `${stdout}${stderr}`]).toEqual([2, expect.stringContaining('MONITORING_PORT_IN_USE')]);
  });

  test('Temporal that goes away is said, and when it is back the worker takes work again', async () => {
    const { pid } = product.worker;
    await product.temporal.kill();
    const away = await until(ready, ({ status }) => status === 503);
    expect(away.body).toMatchObject({ ready: false, state: 'disconnected', temporal: { phase: 'polling' } });
    expect((await get('/healthz')).status).toBe(200);
    expect((await scrape()).value('lifeboat_temporal_up')).toBe(0);
    await product.temporal.restart();
    await product.reconnect();
    await until(ready, ({ status }) => status === 200);
    expect((await product.succeed('backup', 'list')).backups.length).toBeGreaterThan(0);
    expect(product.worker.pid).toBe(pid);
  });

  test('a worker that begins before Temporal waits, says so, and takes work once it is there', async () => {
    process.kill(product.worker.pid, 'SIGTERM');
    await until(
      async () => get('/healthz').catch(() => null),
      (answer) => answer === null,
    );
    await product.temporal.kill();
    const starting = product.worker.start();
    const reading = async (): Promise<Ready | null> => ready().catch(() => null);
    const waiting = await until(
      reading,
      (read) => read?.body['databases'].redis?.up === true && read.body['temporal'].problem !== null,
    );
    expect(waiting).toMatchObject({ status: 503, body: { ready: false, state: 'waiting' } });
    expect((await get('/healthz')).status).toBe(200);
    expect((await scrape()).value('lifeboat_worker_polling')).toBe(0);
    await product.temporal.restart();
    await starting;
    await product.reconnect();
    const { body } = await until(ready, ({ status }) => status === 200);
    expect(body['temporal']).toMatchObject({ phase: 'polling', problem: null });
    // What ended before this worker began is remembered by Temporal, and not counted a second time.
    const series = await until(scrape, (read) => read.has('lifeboat_operation_last_timestamp_seconds'));
    expect(series.value('lifeboat_operations_total', { kind: 'full', result: 'completed' })).toBe(0);
  });
});
