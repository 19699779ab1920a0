/**
 * Goal: what cannot be had is refused before anything is touched, with the nearest that can be had; what is lost or damaged is named.
 * Method: moments outside the window, a slot dropped with and without its WAL, and journal objects altered and removed in the store;
 * both databases and the store are read before and after each refusal.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/product/mid-stream.ts';
import { startProduct, type CliResult, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  differencesFrom,
  JOURNALED,
  marksOf,
  openApplication,
  type Application,
  type Moment,
} from './product-point-in-time-support/moments.ts';

const describeTroubles = await whenAvailable('temporal', 'postgres 17', 'redis 7');
const GAP_NAMED_WITHIN_MS = 60_000;
const AFTER_FLUSHES_MS = 4_000;

describeTroubles('restores to a moment', () => {
  let product: Product;
  let application: Application;
  let first: Moment;

  beforeAll(async () => {
    product = await startProduct({ postgresMajor: 17, redisVersion: '7', encrypted: true, config: JOURNALED });
    application = await openApplication(product);
    await product.succeed('backup', 'full');
    await application.sql('CREATE UNLOGGED TABLE drafts AS SELECT 1 AS n');
    await application.mark(1);
    first = await application.moment();
    await application.mark(2);
    await application.moment();
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
  });

  /** The command ends with the exit code, and has changed nothing in either database and left nothing of its own. */
  const refused = async (exit: number, ...args: string[]): Promise<CliResult> => {
    const before = await product.fingerprint();
    const strays = await product.strayDatabases();
    const result = await product.cli(['restore', 'latest', '--drop-existing', ...args]);
    expect({ exit: result.exit, out: result.exit === exit ? '' : result.stdout }).toEqual({ exit, out: '' });
    expect(await product.fingerprint()).toEqual(before);
    expect(await product.strayDatabases()).toEqual(strays);
    return result;
  };
  const restoredTo = async (moment: Moment): Promise<string[]> => {
    const target = ['--postgres', '--target-database', 'elsewhere', '--drop-existing'];
    await product.succeed('restore', 'latest', '--to-time', moment.at, ...target);
    const { rows } = await marksOf(product, 'elsewhere');
    return rows.map(String);
  };

  test('outside the window they are refused with the nearest moments', async () => {
    const early = await refused(5, '--to-time', '2024-01-15T10:30:00Z');
    expect(early.json['error']).toMatchObject({
      code: 'JOURNAL_TARGET_OUTSIDE',
      details: { nearestBefore: null, nearestAfter: expect.stringMatching(/^20.*Z$/) },
    });
    const late = await refused(5, '--to-time', new Date(Date.now() + 3_600_000).toISOString());
    const { nearestBefore, nearestAfter } = late.json['error'].details;
    expect([Date.parse(nearestBefore) > first.atMs, nearestAfter]).toEqual([true, null]);
    await refused(5, '--to-lsn', 'FFFF/0');
    await refused(2, '--to-time', '2024-01-15 10:30:00');
  });

  test('the nearest that is named can be had', async () => {
    const early = await refused(5, '--to-time', '2024-01-15T10:30:00Z');
    const nearest = early.json['error'].details.nearestAfter;
    const { plan } = await product.succeed('restore', 'latest', '--to-time', nearest, '--drop-existing', '--dry-run');
    expect(plan.steps.join('\n')).toContain(nearest);
  });

  test('an unlogged table is there, and empty', async () => {
    expect(await restoredTo(first)).toEqual(['1']);
    expect((await product.postgres.query('SELECT * FROM drafts', [], 'elsewhere')).rows).toEqual([]);
    expect((await product.postgres.query('SELECT * FROM drafts', [], product.database)).rows).toEqual([{ n: 1 }]);
  });

  test('a dropped slot leaves no hole while the server still has its WAL', async () => {
    await product.worker.stop();
    await dropSlot(product);
    await application.mark(3);
    await product.worker.start();
    await until('the slot is there again', async () => (await slots(product)) === 1, GAP_NAMED_WITHIN_MS);
    const moment = await application.moment();
    await application.mark(4);
    await application.moment();
    expect(await restoredTo(moment)).toEqual(['1', '2', '3']);
  });

  describe.each([
    ['postgres', 'altered'],
    ['postgres', 'removed'],
    ['redis', 'altered'],
    ['redis', 'removed'],
  ] as const)('when the data objects of the %s journal are %s', (kind, how) => {
    const spoilt = new Map<string, Buffer>();

    beforeAll(async () => {
      const keys = (await product.storedKeys()).filter((key) => key.startsWith(`journals/${kind}/`));
      // Data, and not the documents that name it: those are checked below.
      for (const key of keys.filter((name) => !name.endsWith('.json'))) {
        const path = join(product.store, key);
        const bytes = await readFile(path);
        spoilt.set(path, bytes);
        const middle = Math.floor(bytes.length / 2);
        if (how === 'removed') await rm(path);
        else
          await writeFile(
            path,
            bytes.map((byte, at) => (at === middle ? byte ^ 1 : byte)),
          );
      }
      expect(spoilt.size).toBeGreaterThan(0);
    });
    afterAll(async () => {
      for (const [path, bytes] of spoilt) await writeFile(path, bytes);
    });

    test('verification names them', async () => {
      const { exit, json } = await product.cli(['backup', 'verify', 'all']);
      expect(exit).toBe(4);
      const named = json['error'].details?.problems ?? json['problems'] ?? [];
      expect(JSON.stringify(json)).toContain(`journals/${kind}/`);
      expect(named).toBeDefined();
    });

    test('a restore that needs them is refused, and nothing has changed', async () => {
      const { json } = await refused(4, '--to-time', first.at);
      expect(json['error'].code).toMatch(/DAMAGED|MISSING|JOURNAL_|OBJECT_/);
    });
  });

  test.each(['postgres', 'redis'])('when the document of the %s journal that names them is gone', async (kind) => {
    const documents = (await product.storedKeys()).filter(
      (key) => key.startsWith(`journals/${kind}/`) && key.endsWith('/begin.json'),
    );
    const kept = await Promise.all(documents.map(async (key) => readFile(join(product.store, key))));
    await Promise.all(documents.map(async (key) => rm(join(product.store, key))));
    try {
      expect((await product.cli(['backup', 'verify', 'all'])).exit).toBe(4);
      const before = await product.fingerprint();
      const { exit } = await product.cli(['restore', 'latest', '--to-time', first.at, '--drop-existing']);
      expect([4, 5]).toContain(exit);
      expect(await product.fingerprint()).toEqual(before);
    } finally {
      await Promise.all(documents.map(async (key, at) => writeFile(join(product.store, key), kept[at]!)));
    }
  });

  test('where the WAL is gone with the slot the gap is named, a full backup follows, and both sides of it can be had', async () => {
    const before = await application.moment();
    // Of a server that writes nothing, the time goes on with each flush.
    await delay(AFTER_FLUSHES_MS);
    await product.worker.stop();
    await dropSlot(product);
    await application.mark(5);
    const inGap = new Date().toISOString();
    await removeWal(product);
    await product.worker.start();
    await until(
      'a full backup because of the gap',
      async () => (await gapBackups(product)).length > 0,
      GAP_NAMED_WITHIN_MS,
    );
    await application.mark(6);
    const after = await application.moment();
    await application.mark(7);
    await application.moment();

    const { window } = await product.succeed('backup', 'list');
    expect(JSON.stringify(window.gaps)).toMatch(/JOURNAL_(WAL_REMOVED|SLOT_LOST|GAP)/);
    const { json } = await refused(5, '--to-time', inGap);
    const { nearestBefore, nearestAfter } = json['error'].details;
    expect(Date.parse(nearestBefore)).toBeLessThanOrEqual(Date.parse(inGap));
    expect(Date.parse(nearestAfter)).toBeGreaterThan(Date.parse(inGap));
    expect(await restoredTo(before)).toEqual(['1', '2', '3', '4']);
    expect(await restoredTo(after)).toEqual(['1', '2', '3', '4', '5', '6']);
    await product.succeed('restore', 'latest', '--to-time', after.at, '--drop-existing');
    // In the base that followed the gap it was full; unlogged tables come back empty all the same.
    const differences = differencesFrom(after.data, await product.fingerprint());
    expect(differences.filter((line) => !line.startsWith('rows public.drafts'))).toEqual([]);
  });
});

async function slots(product: Product): Promise<number> {
  const { rows } = await product.postgres.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM pg_replication_slots WHERE active',
  );
  return rows[0]!.n;
}

async function dropSlot(product: Product): Promise<void> {
  await until('nobody holds the slot', async () => (await slots(product)) === 0);
  await product.postgres.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
}

/** Old segments are taken for new ones as soon as nobody needs them. */
async function removeWal(product: Product): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await product.postgres.query('CREATE TABLE filler AS SELECT 1; DROP TABLE filler');
    await product.postgres.query('SELECT pg_switch_wal()');
    await product.postgres.query('CHECKPOINT');
  }
}

async function gapBackups(product: Product): Promise<string[]> {
  const backups = await product.manager.listBackups();
  return backups.filter(({ label }) => label['reason'] === 'journal-gap').map(({ id }) => id);
}
