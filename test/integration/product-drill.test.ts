/**
 * Goal: a drill proves that what is stored can be restored, without touching what is live, and leaves nothing but its report.
 * Method: an application writes; drills restore a new backup, the newest point and others, with the live data compared before and after, and
 * folders and processes looked through behind each.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLifeboat } from '../../src/index.ts';
import { openApplication, JOURNALED, type Application } from './product-point-in-time-support/moments.ts';
import { leftovers, OWN_TEMPORARY_FILES } from './product-drill-support/leftovers.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeDrills = await whenAvailable('temporal', 'postgres 18', 'redis 7');

/** `marks` counts what was written before the backup that is drilled. */
const CONFIG = {
  ...JOURNALED,
  objectives: { rto: '10m', rpo: '1h' },
  drill: {
    every: '30d',
    checks: [
      { name: 'users <b>&', sql: 'SELECT count(*) FROM users', min: 1 },
      { name: 'marks', sql: 'SELECT count(*) FROM marks', min: 1, max: 2 },
      {
        name: 'where',
        command: ['/bin/sh', '-c', 'test -S "$PGHOST/.s.PGSQL.$PGPORT" && echo $DRILL_REDIS_PORT'],
      },
    ],
  },
};

interface Found {
  readonly name: string;
  readonly status: string;
  readonly actual: string;
}

describeDrills('a drill', () => {
  let product: Product;
  let application: Application;

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', encrypted: true, config: CONFIG, env: OWN_TEMPORARY_FILES });
    application = await openApplication(product);
    await application.mark(1);
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
  });

  const actualOf = (checks: readonly Found[], name: string): string =>
    checks.find((check) => check.name === name && check.status === 'pass')?.actual ?? `no such pass: ${name}`;

  test('is overdue while none was done', async () => {
    const { status } = await product.succeed('status');
    expect(status.drill).toEqual({ last: null, dueAt: null, overdue: true });
  });

  test('of a new backup restores both of its copies, compares them, and is in the ledger and in the status', async () => {
    const live = await product.fingerprint();
    const drill = await product.succeed('backup', 'test');
    expect(await product.fingerprint()).toEqual(live);
    expect(await leftovers(product)).toEqual([]);

    const { backups } = await product.succeed('backup', 'list');
    expect(drill).toMatchObject({ verdict: 'pass', reasons: [], point: { backupId: backups[0].id, replay: null } });
    const { checks } = drill as { checks: Found[] };
    expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(actualOf(checks, 'dump: rows')).toMatch(/^\d+ rows in \d+ tables$/);
    expect(actualOf(checks, 'pg_amcheck --heapallindexed')).toMatch(/^none in [1-9]\d+ relations$/);
    expect(actualOf(checks, 'own timeline')).toBe('2');
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['every row read', 'redis digest', 'redis answers', 'users <b>&', 'marks', 'where']),
    );
    expect(drill['rtoMs']).toBeGreaterThan(0);
    expect(drill['rtoMs']).toBeLessThan(drill['durationMs']);
    // Every stored byte of it was read: verification has nothing left to do.
    expect(drill['readWhole']).toEqual([backups[0].id]);
    expect(Date.parse(backups[0].verifiedAt)).toBeGreaterThan(Date.parse(backups[0].finishedAt));

    const { status } = await product.succeed('status');
    expect(status.drill).toMatchObject({ overdue: false, dueAt: drill['nextDueAt'], last: { verdict: 'pass' } });
  });

  test('leaves a report whose page and JSON belong together, and escapes what it is told', async () => {
    const { drills } = await product.succeed('dr', 'drills');
    const [{ drillId }] = drills;
    const folder = join(product.store, 'reports', drillId);
    expect((await readdir(folder)).toSorted()).toEqual(['report.html', 'report.json']);
    const sha256 = createHash('sha256')
      .update(await readFile(join(folder, 'report.json')))
      .digest('hex');
    const {
      report,
      reportPath,
      sha256: told,
    } = await product.succeed('dr', 'report', 'latest', '--html', 'drill.html');
    expect({ told, drillId: report.drillId, reportPath: fileURLToPath(reportPath) }).toEqual({
      told: sha256,
      drillId,
      reportPath: join(folder, 'report.html'),
    });
    const page = await readFile(join(folder, 'report.html'), 'utf8');
    expect(await readFile(join(product.folder, 'drill.html'), 'utf8')).toBe(page);
    expect(page).toContain(sha256);
    expect(page).toContain('users &lt;b&gt;&amp;');
    expect(page).not.toMatch(/<b>|<script|https?:/);
    expect((await product.cli(['dr', 'report', 'drill-1'])).exit).toBe(5);
  });

  test('of the newest point replays to the end of the journals, and one at a time is let in', async () => {
    await application.mark(2);
    const { atMs } = await application.moment();
    const started = await product.succeed('dr', 'test', '--detach');
    expect(await product.cli(['dr', 'test'])).toMatchObject({ exit: 6, json: { error: { code: 'GROUP_BUSY' } } });
    const { result } = await product.succeed('attach', started['workflowId']);
    const { report } = result;
    expect(report).toMatchObject({ verdict: 'pass', behindNewestMs: 0, point: { how: 'newest' } });
    expect(Date.parse(report.point.recoveryPoint.time)).toBeGreaterThan(atMs - 10_000);
    expect(report.point.replay.postgres.target.atMs).toBe(Date.parse(report.point.recoveryPoint.time));
    expect(actualOf(report.checks, 'redis stream errors')).toBe('0');
    expect(await leftovers(product)).toEqual([]);
  });

  test('of an incremental backup, and by lot, tells a program whether recovery works', async () => {
    await product.succeed('backup', 'incremental');
    const lifeboat = await createLifeboat({ env: product.env, cwd: product.folder });
    try {
      const { disasterRecoveryManager } = lifeboat;
      expect(await disasterRecoveryManager.testRecoveryProcedures({ backup: 'latest' })).toBe(true);
      expect(await disasterRecoveryManager.testRecoveryProcedures({ point: 'random' })).toBe(true);
      const { drills } = await disasterRecoveryManager.readDrills();
      expect(drills.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass', 'pass']);
    } finally {
      await lifeboat.close();
    }
    expect(await leftovers(product)).toEqual([]);
  });

  test('where there is a dump alone, of either database, makes a server for it', async () => {
    await product.worker.stop();
    const config = { ...CONFIG, journal: {}, postgres: { physical: false }, redis: { method: 'dump' } };
    await writeFile(join(product.folder, 'config', 'backup.json'), JSON.stringify(config));
    await product.worker.start();
    const drill = await product.succeed('backup', 'test');
    expect(drill).toMatchObject({ verdict: 'pass', point: { components: ['postgres', 'redis'] } });
    const { backups } = await product.succeed('backup', 'list');
    const { postgres, redis } = backups[0].components;
    expect([postgres.method, redis.method]).toEqual([['logical'], 'dump']);
    const names = (drill['checks'] as Found[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['dump: rows', 'pg_amcheck --heapallindexed', 'redis digest']));
    expect(names).not.toContain('own timeline');
    expect(await leftovers(product)).toEqual([]);
  });
});
