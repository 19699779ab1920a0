/** What a restore into a directory promises, on one pair of servers. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWal } from '../../../src/postgres/wal/create-wal.ts';
import { untilDone } from '../postgres-physical-support/bases.ts';
import { query, until } from '../postgres-physical-support/bank.ts';
import { differencesFrom, JOURNALED, openApplication } from '../product-point-in-time-support/moments.ts';
import type { Application, Moment } from '../product-point-in-time-support/moments.ts';
import { readDirectory, startPostgresOn } from './copies.ts';
import { startProduct, type Product, type ProductOptions } from '../../support/product.ts';
import { whenAvailable } from '../../support/tools.ts';

export type Pair = ProductOptions &
  Required<Pick<ProductOptions, 'postgresMajor' | 'redisVersion'>> & { readonly title: string };

const DAY_MS = 86_400_000;

export async function describeDirectories({ title, ...options }: Pair): Promise<void> {
  const { postgresMajor, redisVersion } = options;
  const describePair = await whenAvailable('temporal', `postgres ${postgresMajor}`, `redis ${redisVersion}`);
  describePair(`into a directory: ${title}`, () => {
    let product: Product;
    let application: Application;
    let full: { readonly id: string; readonly data: Moment['data'] };
    let moment: Moment;
    /** Where PostgreSQL was at the moment. */
    let lsn: string;
    let archive: string;

    beforeAll(async () => {
      product = await startProduct({ ...options, config: JOURNALED });
      archive = join(product.folder, 'archive');
      await archiveInto(product, archive);
      application = await openApplication(product);
      const data = await product.fingerprint();
      full = { id: (await product.succeed('backup', 'full')).backup.id, data };
      await application.mark(1);
      await application.redis.set('ttl:changed', 'x', 'PXAT', Date.now() + DAY_MS);
      await application.sql(`UPDATE users SET email = 'new' || id WHERE id % 10 = 0`);
      moment = await application.moment();
      const { rows } = await product.postgres.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
      lsn = rows[0]!.lsn;
      await application.redis.persist('ttl:changed');
      await product.spoil();
      await application.mark(2);
      await application.moment();
    });
    afterAll(async () => {
      application?.end();
      await product?.stop();
    });

    test('to a moment: both are there as they were, and nothing live has changed', async () => {
      const directory = join(product.folder, 'new', 'at-moment');
      const live = await product.fingerprint();
      const written = await product.succeed('restore', 'latest', '--to-time', moment.at, '--target-dir', directory);
      expect(differencesFrom(moment.data, await readDirectory(product, directory, redisVersion))).toEqual([]);
      expect(await product.fingerprint()).toEqual(live);
      expect(written['checks']).toEqual(written['checks'].map((check: object) => ({ ...check, status: 'pass' })));
      expect(written['checks'].map(({ name }: { name: string }) => name)).toEqual(
        expect.arrayContaining(['postgres archiving', 'postgres timeline', 'redis snapshot read to its end']),
      );
      const { postgres, redis, distanceMs } = written['positions'];
      for (const { at } of [postgres, redis]) expect(Date.parse(at)).toBeLessThanOrEqual(moment.atMs);
      expect(distanceMs).toBe(Math.abs(Date.parse(postgres.at) - Date.parse(redis.at)));
      expect(postgres.timeline).toBeGreaterThan(1);
      expect((await readdir(directory)).toSorted()).toEqual(['README', 'postgres', 'redis', 'restored.json']);
      expect(await readdir(join(product.folder, 'new'))).toEqual(['at-moment']);
    });

    test('a copy at a WAL position is cut off from its source, whose journal does not go on with it', async () => {
      const directory = join(product.folder, 'cut-off');
      await product.succeed('restore', 'latest', '--to-lsn', lsn, '--postgres', '--target-dir', directory);
      expect(await readdir(directory)).toEqual(expect.not.arrayContaining(['redis']));
      const copy = await startPostgresOn(product, join(directory, 'postgres'));
      try {
        expect(await settingsOf(copy.target)).toEqual({
          archive_mode: 'off',
          archive_command: '',
          primary_conninfo: '',
          slots: '0',
        });
        expect(await settingsOf(product.postgres.target)).toMatchObject({ archive_mode: 'on' });
        expect(await query({ ...copy.target, database: product.database }, 'SELECT n FROM marks')).toEqual([{ n: 1 }]);
        await query(copy.target, 'CREATE TABLE written_in_the_copy (id int)');
        await query(copy.target, 'SELECT pg_switch_wal()');
        await query(copy.target, 'CHECKPOINT');
        expect((await readdir(archive)).filter((name) => name.startsWith('00000002'))).toEqual([]);
        await expect(followAsSource(product, copy.target)).rejects.toMatchObject({ code: 'JOURNAL_HISTORY_MISMATCH' });
      } finally {
        await copy.stop();
      }
    });

    test('a full backup by its id, into a directory that is there and empty', async () => {
      const directory = join(product.folder, 'empty');
      await mkdir(directory);
      await product.succeed('restore', full.id, '--target-dir', directory);
      expect(differencesFrom(full.data, await readDirectory(product, directory, redisVersion))).toEqual([]);
    });

    test('what cannot be written is refused with what to do, and leaves everything as it was', async () => {
      const taken = join(product.folder, 'taken');
      await mkdir(taken);
      await writeFile(join(taken, 'precious'), 'data');
      const restore = async (...args: readonly string[]) => product.cli(['restore', 'latest', ...args]);
      expect(await restore('--target-dir', taken)).toMatchObject({
        exit: 2,
        json: { error: { code: 'RESTORE_DIRECTORY_NOT_EMPTY' } },
      });
      expect(await readFile(join(taken, 'precious'), 'utf8')).toBe('data');
      expect(await restore('--target-dir', join(taken, 'precious', 'below'))).toMatchObject({
        exit: 2,
        json: { error: { code: 'RESTORE_DIRECTORY_UNUSABLE' } },
      });
      const free = join(product.folder, 'free');
      expect(await restore('--target-dir', free, '--drop-existing')).toMatchObject({
        exit: 2,
        json: { error: { code: 'USAGE_INVALID' } },
      });
      expect(await restore('--target-dir', free, '--to-time', '2020-01-01T00:00:00Z')).toMatchObject({
        json: { error: { code: 'JOURNAL_TARGET_OUTSIDE' } },
      });
      const planned = await product.succeed('restore', 'latest', '--target-dir', free, '--dry-run');
      expect(planned['plan'].steps.join('\n')).toContain(`rename what is whole to ${free}`);
      expect(existsSync(free)).toBe(false);
    });
  });
}

/** As a person sets it: in the configuration that a base brings along. */
async function archiveInto({ postgres }: Product, archive: string): Promise<void> {
  await mkdir(archive, { mode: 0o777 });
  await chmod(archive, 0o777);
  await postgres.query("ALTER SYSTEM SET archive_mode = 'on'");
  await postgres.query(`ALTER SYSTEM SET archive_command = 'cp %p ${archive}/%f'`);
  await postgres.restart();
  await postgres.query('SELECT pg_switch_wal()');
  await until(async () => (await readdir(archive)).length > 0);
}

async function settingsOf(target: Parameters<typeof query>[0]): Promise<Record<string, string>> {
  const [row] = await query<Record<string, string>>(
    target,
    `SELECT current_setting('archive_mode') AS archive_mode, replace(current_setting('archive_command'), '(disabled)', '') AS archive_command,
       current_setting('primary_conninfo') AS primary_conninfo, (SELECT count(*) FROM pg_replication_slots)::text AS slots`,
  );
  return row!;
}

/** What a journal does that takes the copy for its source: it goes on where the source is now. */
async function followAsSource({ postgres }: Product, target: Parameters<typeof query>[0]): Promise<void> {
  const wal = createWal();
  const { systemIdentifier, timeline, lsn } = await wal.identify(postgres.target);
  expect((await wal.identify(target)).systemIdentifier).toBe(systemIdentifier);
  const from = { timeline, lsn };
  const received = wal.receive({ target, slot: null, from, flushMs: 500, expect: { systemIdentifier } }, untilDone);
  for await (const event of received) expect(event.event).toBe('time');
}
