/**
 * Goal: an incremental backup with the changed blocks is small, and a restore that begins with them gives the very rows that were there.
 * Method: a table of which 5 % changes before each of three backups; every link of the chain, and a moment behind it, is restored beside
 * the live database and compared row by row by means of its own.
 */
import { whenAvailable } from '../support/tools.ts';
import { startNative, rowsOnly, type Native, type Taken } from './product-native-support/native.ts';
import { differencesFrom, type Moment } from './product-point-in-time-support/moments.ts';

const describeNative = await whenAvailable('temporal', 'postgres 18', 'redis 7');

describeNative('changed blocks', () => {
  let native: Native;
  let full: Record<string, any>; // oxlint-disable-line typescript/no-explicit-any
  const links: Taken[] = [];
  let moment: Moment;

  beforeAll(async () => {
    native = await startNative({ postgresMajor: 18, encrypted: true });
    full = (await native.product.succeed('backup', 'full'))['backup'];
    for (const percent of [10, 40, 70]) {
      await native.change(percent);
      links.push(await native.incremental());
    }
    await native.change(20);
    await native.application.mark(1);
    moment = await native.application.moment();
    await native.application.mark(2);
    await native.application.sql('DELETE FROM accounts WHERE id % 3 = 0');
    await native.application.moment();
  });
  afterAll(async () => native?.stop());

  const restored = async (...args: readonly string[]) => {
    const into = ['--postgres', '--target-database', 'aside', '--drop-existing'];
    const answer = await native.product.succeed('restore', ...args, ...into);
    return { answer, data: rowsOnly(await native.product.fingerprint('aside')) };
  };

  test('each is taken on the one before it, and is a small part of the full base', () => {
    const ids = [full['id'], ...links.map(({ id }) => id)];
    for (const [at, { answer }] of links.entries()) {
      const { backup, native: outcome, warnings } = answer;
      expect({ kind: backup.kind, outcome, warnings }).toEqual({
        kind: 'incremental',
        outcome: { parentId: ids[at], obstacle: null },
        warnings: [],
      });
      const { base, method } = backup.components.postgres;
      expect([method, base.chain]).toEqual([['physical', 'wal'], ids.slice(0, at + 1)]);
      expect(base.bytes).toBeLessThan(full['components'].postgres.base.bytes / 2);
    }
  });

  test.each([0, 1])('link %i of the chain comes back as it was when it was taken', async (at) => {
    const { id, data } = links[at]!;
    const { answer, data: now } = await restored(id);
    expect(differencesFrom(data, now)).toEqual([]);
    const checks: { name: string; status: string; actual: string }[] = answer['checks'];
    expect(checks.find(({ name }) => name === 'base chain')).toMatchObject({
      status: 'pass',
      actual: [full['id'], ...links.slice(0, at + 1).map((link) => link.id)].join(' → '),
    });
    expect(checks.find(({ name }) => name === 'combined base files')?.status).toBe('pass');
  });

  test('a moment behind the chain comes back, and the plan names the chain and the disk it takes', async () => {
    const to = ['latest', '--to-time', moment.at];
    const { plan } = await native.product.succeed('restore', ...to, '--drop-existing', '--dry-run');
    expect(plan.replay.postgres.chain).toEqual([full['id'], ...links.map(({ id }) => id)]);
    expect(plan.steps[0]).toMatch(/^unpack and combine 4 bases: .* about \d+ MiB of disk/);
    const { data } = await restored(...to);
    expect(differencesFrom(rowsOnly(moment.data), data)).toEqual([]);
  });

  test('the last is shown with all that it needs, and verification reads all of that', async () => {
    const ids = [full['id'], ...links.map(({ id }) => id)];
    const last = links.at(-1)!.id;
    expect((await native.product.succeed('backup', 'show', last))['lineage']).toEqual({ ids, missing: [] });
    expect(await native.product.succeed('backup', 'verify', last)).toMatchObject({ verified: ids, problems: [] });
    expect((await native.product.succeed('backup', 'verify', 'all'))['problems']).toEqual([]);
  });

  test('both databases go back to the last link as they were', async () => {
    await native.product.succeed('restore', links[2]!.id, '--drop-existing');
    expect(differencesFrom(links[2]!.data, rowsOnly(await native.product.fingerprint()))).toEqual([]);
  });
});
