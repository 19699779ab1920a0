/**
 * Goal: backups and journals reach every target whatever happens to the others, and a target alone is enough when all else is gone.
 * Method: a fast target, a slow one whose copy is killed, and one behind a port that nobody listens on at first; objects of a target are
 * cut and swapped; copies are cleaned up by the rules of one target; in the end the whole store is removed, and what comes back in every way
 * is compared with what both databases were at a moment after the last backup.
 */
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { createLifeboat } from '../../src/index.ts';
import { freePort } from '../../src/platform/ports.ts';
import { until } from '../support/product/mid-stream.ts';
import { listFiles, startProduct, type Product } from '../support/product.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';
import { readDirectory } from './product-target-dir-support/copies.ts';
import {
  differencesFrom,
  JOURNALED,
  openApplication,
  type Application,
  type Moment,
} from './product-point-in-time-support/moments.ts';

const describeCopies = await whenAvailable('temporal', 'postgres 17', 'redis 7', 's3');
const COPIED_WITHIN_MS = 60_000;
/** What docs/guides/copies.md promises, and a pause of the test's own. */
const JOURNALS_WITHIN_MS = 65_000;
/** The longer a target was away, the longer until it is tried again. */
const BACK_WITHIN_MS = 150_000;

type Target = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any

describeCopies('copies at targets', () => {
  let product: Product;
  let application: Application;
  let s3: TestS3;
  let door: Server | undefined;
  let port: number;
  let full: string;
  let incremental: string;
  let moment: Moment;
  /** Backups that the target listed when the store was gone. */
  let listed = 0;

  beforeAll(async () => {
    s3 = await startS3();
    await s3.createBucket('copies');
    port = await freePort();
    const { accessKeyId: accessKey, secretAccessKey: secretKey } = s3.credentials;
    const east = s3.url('copies/of-auth', `http://127.0.0.1:${port}`);
    product = await startProduct({
      postgresMajor: 17,
      redisVersion: '7',
      encrypted: true,
      env: { EAST_KEY: accessKey, EAST_SECRET: secretKey },
      config: {
        ...JOURNALED,
        crossRegion: { enabled: true, regions: ['west', 'slow', 'east'], replicationDelay: 0 },
        stores: {
          west: { url: 'file:./west' },
          slow: { url: 'file:./slow', rateLimit: '1MB', retention: { maxBackups: 1, grace: '0s' } },
          east: {
            url: east,
            credentials: { accessKey: { env: 'EAST_KEY' }, secretKey: { env: 'EAST_SECRET' } },
            timeout: '5s',
          },
        },
      },
    });
    application = await openApplication(product);
    full = (await product.succeed('backup', 'full')).backup.id;
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
    door?.close();
    await s3?.stop();
  });

  const targets = async (): Promise<Record<string, Target>> => {
    const { json } = await product.cli(['replication', 'status']);
    const list: Target[] = json['targets'] ?? [];
    return Object.fromEntries(list.map((target) => [String(target['name']), target]));
  };
  /** Of a folder: each manifest up to that of a backup is there, and a manifest comes last. Snapshots of a journal go with the next backup. */
  const inSync = async (name: string, backup: string): Promise<void> =>
    until(
      `${name} has all`,
      async () => {
        const there = await listFiles(join(product.folder, name));
        return (await product.storedKeys())
          .filter((key) => key.endsWith('manifest.json') && key <= `backups/${backup}/manifest.json`)
          .every((key) => there.includes(key));
      },
      COPIED_WITHIN_MS,
    );
  const objectsIn = async (name: string): Promise<string[]> =>
    (await listFiles(join(product.folder, name))).filter((key) => key.endsWith('.zst.esdk'));

  test('a dead target and a slow one hold up neither the backup nor the others; a killed copy goes on where it was', async () => {
    await until('an object of the slow target', async () => (await objectsIn('slow')).length > 0, COPIED_WITHIN_MS);
    await product.worker.kill();
    const before = await objectsIn('slow');
    const manifest = join(product.folder, 'slow', 'backups', full, 'manifest.json');
    await expect(stat(manifest)).rejects.toThrow('ENOENT');
    const times = await Promise.all(before.map(async (key) => (await stat(join(product.folder, 'slow', key))).mtimeMs));
    await product.worker.start();
    await inSync('west', full);
    await inSync('slow', full);
    const after = await Promise.all(before.map(async (key) => (await stat(join(product.folder, 'slow', key))).mtimeMs));
    expect(after).toEqual(times);
    const { east } = await targets();
    expect(east).toMatchObject({ state: 'unreachable', backups: null, pending: null });
    expect(east!['lastError']).toContain('STORE_');
    const planned = await product.cli(['backup', 'cleanup', '--dry-run']);
    const states = planned.json['targets'].map(({ name, state }: Target) => [name, state]);
    expect([planned.exit, planned.json['error'].code, states]).toEqual([
      3,
      'TARGET_FAILED',
      [
        ['west', 'done'],
        ['slow', 'done'],
        ['east', 'failed'],
      ],
    ]);
    door = createServer((socket) => {
      const upstream = connect({ host: '127.0.0.1', port: s3.port });
      socket.on('error', () => upstream.destroy()).pipe(upstream);
      upstream.on('error', () => socket.destroy()).pipe(socket);
    });
    door.listen(port, '127.0.0.1');
  });

  test('an incremental backup brings the journals along', async () => {
    await application.mark(1);
    incremental = (await product.succeed('backup', 'incremental')).backup.id;
    await inSync('west', incremental);
    const { backups, from } = await product.succeed('backup', 'list', '--target', 'west');
    expect([backups.map(({ id }: Target) => id), from]).toEqual([expect.arrayContaining([incremental, full]), 'west']);
    const { verified } = await product.succeed('backup', 'verify', 'all', '--target', 'west');
    expect(verified).toEqual(expect.arrayContaining([full, incremental, 'journals/postgres', 'journals/redis']));
  });

  test('what is written after the last backup is at a target within a minute, too, and its window says so', async () => {
    await application.mark(2);
    moment = await application.moment();
    await product.spoil();
    await application.mark(3);
    await application.moment();
    const reached = async (): Promise<boolean> =>
      Date.parse((await targets())['west']?.['journals']?.window.to) >= moment.atMs;
    await until('the window at west holds the moment', reached, JOURNALS_WITHIN_MS);
    const { journals } = (await targets())['west']!;
    expect(journals.lagSeconds).toBeLessThan(60);
    expect(Date.parse(journals.window.from)).toBeLessThan(moment.atMs);
    expect((await product.succeed('backup', 'list', '--target', 'west')).backups[0].id).toBe(incremental);
  });

  test(
    'a target that comes back gets what it lacks by itself',
    async () => {
      await until('east has all', async () => (await targets())['east']?.['state'] === 'in-sync', BACK_WITHIN_MS);
      const { verified } = await product.succeed('backup', 'verify', 'latest', '--target', 'east');
      expect(verified).toContain(incremental);
      const { backups } = await product.succeed('backup', 'list');
      const { copies } = backups.find(({ id }: Target) => id === incremental);
      const now = Date.now();
      const ages = copies.map(
        ({ verifiedAt }: Target) => now - Date.parse(verifiedAt) < BACK_WITHIN_MS + COPIED_WITHIN_MS,
      );
      expect(copies.map(({ target, state }: Target) => [target, state])).toEqual([
        ['west', 'present'],
        ['slow', 'present'],
        ['east', 'present'],
      ]);
      expect(ages).toEqual([true, true, true]);
    },
    BACK_WITHIN_MS + COPIED_WITHIN_MS,
  );

  test('a target that cuts and swaps objects is found, and put right', async () => {
    await inSync('slow', incremental);
    const keys = (await objectsIn('slow')).filter((key) => key.startsWith(`backups/${full}`));
    const [first, second, third] = keys.map((key) => join(product.folder, 'slow', key)) as [string, string, string];
    const [one, other] = [await readFile(first), await readFile(second)];
    await Promise.all([writeFile(first, other), writeFile(second, one)]);
    await truncate(third, (await stat(third)).size - 1);
    const damaged = await product.cli(['backup', 'verify', full, '--target', 'slow']);
    expect(damaged.exit).toBe(4);
    const named: string[] = damaged.json['problems'].map(({ key }: Target) => key);
    expect(named.toSorted()).toEqual(keys.slice(0, 3).toSorted());
    const { targets: synced } = await product.succeed('replication', 'sync', 'slow');
    expect(synced).toMatchObject([{ name: 'slow', state: 'synced', backups: [full] }]);
    await product.succeed('backup', 'verify', full, '--target', 'slow');
  });

  test('a cleanup removes at a target what the rules of that target do not keep, and nothing elsewhere', async () => {
    const held = await product.manager.listBackups();
    // The rules of a target let nothing go of which its own copy is the only one that was ever read back.
    for (const id of [full, incremental]) await product.succeed('backup', 'verify', id);
    const later = (await product.succeed('backup', 'full')).backup.id;
    await inSync('slow', later);
    await inSync('west', later);
    const api = await createLifeboat({ env: product.env, cwd: product.folder });
    try {
      await until(
        'east has all',
        async () => (await api.crossRegionManager.getMetrics()).pending === 0,
        BACK_WITHIN_MS,
      );
      const metrics = await api.crossRegionManager.getMetrics();
      expect(metrics).toMatchObject({ targets: 3, inSync: 3, maxLagSeconds: 0, failing: [] });
      expect(metrics.maxJournalLagSeconds).toBeLessThan(60);
      const names = (await api.crossRegionManager.getTargetsStatus()).map(({ name }) => name);
      expect(names).toEqual(['west', 'slow', 'east']);
    } finally {
      await api.close();
    }
    const { removed, targets: cleaned } = await product.succeed('backup', 'cleanup');
    const gone = cleaned.map((target: Target) => [target['name'], target['removed'].map(({ id }: Target) => id)]);
    expect([removed, gone]).toEqual([
      [],
      [
        ['west', []],
        ['slow', [incremental, full]],
        ['east', []],
      ],
    ]);
    await product.succeed('backup', 'cleanup');
    await product.succeed('replication', 'sync', 'slow');
    const left = (await listFiles(join(product.folder, 'slow'))).filter((key) => key.includes(full));
    expect(left).toEqual([`removals/${full}.json`]);
    expect((await product.manager.listBackups()).length).toBeGreaterThan(held.length);
    const { backup } = await product.succeed('backup', 'show', full);
    expect(backup.copies.map(({ state }: Target) => state)).toEqual(['present', 'removed', 'present']);
  }, 240_000);

  test('with the store gone, a target alone lists and verifies', async () => {
    await product.worker.stop();
    await rm(product.store, { recursive: true });
    await product.worker.start();
    const unknown = await product.cli(['replication', 'status']);
    const states = unknown.json['targets'].map(({ state }: Target) => state);
    expect([unknown.exit, states]).toEqual([3, ['unknown', 'unknown', 'unknown']]);
    const refusedCleanup = await product.cli(['backup', 'cleanup', '--dry-run']);
    expect([refusedCleanup.exit, refusedCleanup.json['error'].code]).toEqual([4, 'REPOSITORY_LOST']);
    const answer = await product.cli(['backup', 'list']);
    const ids = answer.json['backups'].map(({ id }: Target) => id);
    expect([answer.exit, answer.json['from'], ids]).toEqual([0, 'west', expect.arrayContaining([incremental, full])]);
    listed = ids.length;
    expect(answer.stderr).toContain('reading the copies of target west');
    await product.succeed('backup', 'verify', 'latest');
  });

  test('directories, single tables and a rescue come from it alone, as of a moment after the last backup', async () => {
    const rescued = ['rescue', 'list', '--store', join(product.folder, 'west')];
    const trusted = ['--trusted-key', `${product.env['LIFEBOAT_SIGNING_KEY_PATH']}.pub`];
    expect((await product.succeed(...rescued, ...trusted))['backups']).toHaveLength(listed);
    const key = ['--key', product.env['BACKUP_ENCRYPTION_KEY_PATH']!];
    const west = ['--store', join(product.folder, 'west'), ...trusted, ...key];
    const at = ['--to-time', moment.at];
    const [directory, rescuedInto] = [join(product.folder, 'new', 'copy'), join(product.folder, 'new', 'rescued')];
    expect((await product.succeed('restore', 'latest', ...at, '--target-dir', directory))['from']).toBe('west');
    await product.succeed('rescue', 'restore', 'latest', ...at, '--target-dir', rescuedInto, ...west);
    for (const copy of [directory, rescuedInto])
      expect(differencesFrom(moment.data, await readDirectory(product, copy, '7'))).toEqual([]);
    const tables = ['--table', 'public.tokens', '--into-schema', 'recovered'];
    const { restored: single } = await product.succeed('restore', 'latest', ...at, ...tables);
    expect(single.postgres).toMatchObject({ tables: [{ as: 'recovered.tokens', rows: 998 }] });
  }, 240_000);

  test('both databases come back from it alone as they were at that moment', async () => {
    await product.destroy();
    const restored = await product.succeed('restore', 'latest', '--to-time', moment.at, '--drop-existing');
    expect(restored['from']).toBe('west');
    expect(differencesFrom(moment.data, await product.fingerprint())).toEqual([]);
    // What the restore kept began a repository anew: it is not mixed with the copies of the old one.
    const refused = await product.cli(['replication', 'sync', 'west']);
    expect([refused.exit, refused.json['targets'][0].error.code]).toEqual([3, 'TARGET_FOREIGN']);
    expect((await product.succeed('backup', 'list', '--target', 'west'))['backups']).toHaveLength(listed);
  });
});
