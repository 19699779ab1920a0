/**
 * Goal: a cleanup removes what retention does not keep, says why, and takes nothing that a kept point needs: each is restored afterwards,
 * as it is and to an instant, also when the worker was killed in the middle of the removal.
 * Method: the whole product with journals, full and incremental backups, a maximum of two and a grace period of a second; what is
 * restored is compared row by row and key by key.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  differencesFrom,
  marksOf,
  openApplication,
  type Application,
  type Moment,
} from './product-point-in-time-support/moments.ts';

const describeCleanup = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const DIE_AT_UNLINK = pathToFileURL(join(import.meta.dirname, '../support/programs/die-at-unlink.ts')).href;
const GRACE_MS = 1_000;
const DEATHS = [4];

describeCleanup('a cleanup', () => {
  let product: Product;
  let application: Application;
  let marks = '';
  let moment: Moment;
  const taken: { readonly id: string; readonly data: Fingerprint }[] = [];

  const take = async (kind: 'full' | 'incremental'): Promise<void> => {
    await application.mark(taken.length + 1);
    const { backup } = await product.succeed('backup', kind);
    expect(backup.kind).toBe(kind);
    taken.push({ id: backup.id, data: await product.fingerprint() });
  };
  const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
  const taking = (...at: readonly number[]): string[] => at.map((one) => taken[one]!.id);
  /** Of those that were asked for; the journal has some of its own. */
  const listed = async (): Promise<string[]> => {
    return idsOf(await product.manager.listBackups()).filter((id) => taken.some((one) => one.id === id));
  };
  const filesOf = async (id: string): Promise<string[]> =>
    (await product.storedKeys()).filter((key) => key.includes(id) && !key.startsWith('removals/'));
  const codesOf = (reasons: readonly { readonly code: string }[]): string[] => reasons.map(({ code }) => code);

  beforeAll(async () => {
    marks = await mkdtemp(join(tmpdir(), 'lifeboat-marks-'));
    product = await startProduct({
      encrypted: true,
      redisVersion: '7',
      preload: [DIE_AT_UNLINK],
      config: {
        journal: { enabled: true, flushSeconds: 1 },
        retention: { maxBackups: 2, grace: `${GRACE_MS}ms` },
        restore: { keepReplaced: '1s' },
      },
    });
    application = await openApplication(product);
    for (const kind of ['full', 'incremental', 'full', 'incremental'] as const) await take(kind);
    await application.mark(90);
    moment = await application.moment();
    await application.mark(91);
    await take('incremental');
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
    await rm(marks, { recursive: true, force: true });
  });

  test('that is a dry run says what goes, what stays and why, how the window shrinks, and changes nothing', async () => {
    const before = await product.storedKeys();
    const answer = await product.succeed('backup', 'cleanup', '--dry-run');
    expect(idsOf(answer.removed)).toEqual(taking(1, 0));
    expect(answer.removed[0].reasons).toEqual([{ code: 'surplus', message: '2 newer backups are kept (maxBackups)' }]);
    const kept = new Map<string, string[]>(
      answer.kept.map((one: { id: string; reasons: { code: string }[] }) => [one.id, codesOf(one.reasons)]),
    );
    expect(taking(4, 3, 2).map((id) => kept.get(id))).toEqual([
      ['young', 'newest', 'newest'],
      ['young'],
      ['minimum', 'minimum', 'needed'],
    ]);
    expect(Date.parse(answer.windowBefore.from)).toBeLessThan(Date.parse(answer.windowAfter.from));
    expect(answer.windowAfter.to).not.toBeNull();
    expect({ dryRun: answer.dryRun, freed: answer.freedBytes, later: answer.freedLaterBytes > 10_000 }).toEqual({
      dryRun: true,
      freed: 0,
      later: true,
    });
    const objects = (keys: readonly string[]): string[] => keys.filter((key) => !key.startsWith('journals/'));
    expect(objects(await product.storedKeys())).toEqual(objects(before));
    const { retention } = await product.succeed('backup', 'show', taken[0]!.id);
    expect(retention).toMatchObject({ keep: false, reasons: [{ code: 'surplus' }] });
  });

  test('leaves what is held, with what it stands on, until it is released', async () => {
    const { backup } = await product.succeed('backup', 'hold', taken[1]!.id, '--reason', 'audit');
    expect(backup.holds).toEqual(['audit']);
    expect((await product.manager.cleanupOldBackups({ dryRun: true })).plan.hide.backups).toEqual([]);
    const { retention } = await product.manager.showBackup(taken[0]!.id);
    expect(retention).toMatchObject({
      keep: true,
      reasons: [{ code: 'needed', message: expect.stringContaining(taken[1]!.id) }],
    });
    expect((await product.succeed('backup', 'release', taken[1]!.id)).backup.holds).toEqual([]);
    expect(await product.cli(['backup', 'hold', taken[1]!.id])).toMatchObject({
      exit: 2,
      json: { error: { code: 'USAGE_INVALID' } },
    });
    expect(await product.cli(['backup', 'hold', 'backup-2020-01-01T00-00-00-000Z', '--reason', 'x'])).toMatchObject({
      exit: 5,
    });
  });

  test('hides first: nothing is listed that goes, its objects stay, and a hold brings the whole chain back', async () => {
    expect(idsOf((await product.manager.cleanupOldBackups()).plan.hide.backups)).toEqual(taking(1, 0));
    expect(await listed()).toEqual(taking(4, 3, 2));
    expect((await filesOf(taken[0]!.id)).length).toBeGreaterThan(5);
    expect((await product.manager.verifyBackups('all')).problems).toEqual([]);
    const { recalled } = await product.manager.holdBackup(taken[1]!.id, 'a mistake');
    expect(recalled).toEqual(taking(0, 1));
    expect(await listed()).toEqual(taking(4, 3, 2, 1, 0));
    await product.manager.releaseBackup(taken[1]!.id);
    await product.manager.cleanupOldBackups();
    expect(await listed()).toEqual(taking(4, 3, 2));
  });

  test('removes the objects after the grace period, whoever is killed meanwhile, and one at a time', async () => {
    await delay(GRACE_MS);
    await product.worker.kill();
    const running = await product.manager.startCleanup();
    expect(await product.cli(['backup', 'cleanup'])).toMatchObject({
      exit: 6,
      json: { error: { code: 'GROUP_BUSY' } },
    });
    const env = { TEST_DIE_AT_UNLINK: DEATHS.join(','), TEST_DIE_MARKS: marks };
    await product.worker.start(env);
    const { restarts } = product.worker.supervise(env);
    const { plan } = await running.result();
    expect(plan.purge.backupIds.toSorted()).toEqual(taking(0, 1));
    expect(plan.freedBytes).toBeGreaterThan(10_000);
    expect(restarts()).toBeGreaterThanOrEqual(DEATHS.length);
    expect((await readdir(marks)).length).toBe(DEATHS.length);
    for (const id of taking(0, 1)) expect(await filesOf(id)).toEqual([]);
    expect((await product.manager.verifyBackups('all')).problems).toEqual([]);
    expect(await product.cli(['backup', 'hold', taken[1]!.id, '--reason', 'too late'])).toMatchObject({ exit: 5 });
  });

  test('leaves every point that it kept: as it was, and any instant of the window', async () => {
    await product.spoil();
    const { checks } = await product.manager.restoreFromBackup(taken[3]!.id, { dropExisting: true });
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(differencesFrom(taken[3]!.data, await product.fingerprint())).toEqual([]);
    await product.succeed('restore', 'latest', '--to-time', moment.at, '--drop-existing');
    expect(differencesFrom(moment.data, await product.fingerprint())).toEqual([]);
    expect((await marksOf(product)).rows).toEqual([1, 2, 3, 4, 90]);
  });

  test('drops databases and tables, and removes keys, that restores replaced and that can no longer be undone', async () => {
    expect((await product.strayDatabases()).length).toBe(2);
    const data = await product.fingerprint();
    const { restored } = await product.succeed('restore', 'latest', '--table', 'public.empty_table', '--drop-existing');
    const schema = (restored.postgres.replaced[0] as string).split('.')[0];
    const count = (): Promise<{ rows: unknown[] }> =>
      product.postgres.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema], product.database);
    expect((await count()).rows.length).toBe(1);
    await delay(1_000);
    const { databases, tables, removed } = await product.succeed('backup', 'cleanup');
    expect(databases.length).toBe(2);
    expect(tables).toEqual([{ database: product.database, schema }]);
    expect((await count()).rows).toEqual([]);
    expect(differencesFrom(data, await product.fingerprint())).toEqual([]);
    const codes = removed.map(({ reasons }: { reasons: { code: string }[] }) => reasons[0]!.code);
    expect(codes.filter((code: string) => code === 'undo-over').length).toBe(2);
    expect(await product.strayDatabases()).toEqual([]);
  });
});
