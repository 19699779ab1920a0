/**
 * Goal: a physical base that is taken under write load restores to a state that the cluster had, on every major version, and
 * replays from there to any position. Method: a ledger whose rows tell which state it is; restored by our own code and started
 * as a scratch instance; pg_verifybackup and pg_amcheck judge, too.
 */
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PhysicalBackup, PostgresServerTools } from '../../src/postgres/physical/physical.ts';
import {
  prepareTargetDirectory,
  RESTORE_FROM_FOLDER,
  WAL_FOLDER,
} from '../../src/postgres/scratch/prepare-directory.ts';
import type { Recovery } from '../../src/postgres/scratch/scratch.ts';
import { startScratch } from '../../src/postgres/scratch/start-scratch.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable, type PostgresMajor } from '../support/tools.ts';
import { createBank, query, readBank, runBank, until } from './postgres-physical-support/bank.ts';
import {
  physicalOf,
  runTool,
  serverFolder,
  startDirectory,
  startStandby,
  takeBase,
  toolsOf,
  unpack,
  untilDone,
  type TakenBase,
} from './postgres-physical-support/bases.ts';

/** What ALTER SYSTEM may have set on a source. */
const COPIED_SETTINGS = `archive_mode = 'always'
archive_command = 'false'
primary_conninfo = 'host=primary password=secret'
recovery_target_lsn = '0/1'
work_mem = '8MB'
`;

const majors: readonly PostgresMajor[] = [15, 16, 17, 18];
for (const major of majors) {
  const suite = await whenAvailable(`postgres ${major}`);
  suite(`a physical base of PostgreSQL ${major}`, () => {
    let server: TestPostgres;
    let tools: PostgresServerTools;
    let physical: PhysicalBackup;
    let scratchDir: string;
    let base: TakenBase;
    let taken: { readonly before: number; readonly after: number };
    const folders: string[] = [];

    beforeAll(async () => {
      const incremental: Record<string, string> = major >= 17 ? { summarize_wal: 'on' } : {};
      server = await startPostgres({
        major,
        settings: { wal_keep_size: '1GB', max_connections: '130', ...incremental },
      });
      tools = await toolsOf(server, major);
      scratchDir = await mkdtemp(join(tmpdir(), 'lifeboat-scratch-'));
      physical = physicalOf(tools, scratchDir);
      await createBank(server.target);
      const bank = runBank(server.target);
      await until(() => bank.acknowledged > 50);
      const before = bank.acknowledged;
      base = await takeBase(physical, server.target);
      const after = bank.acknowledged;
      taken = { before, after };
      await until(() => bank.acknowledged > after + 200);
      await bank.stop();
    }, 120_000);
    afterAll(async () => {
      await server.stop();
      for (const folder of [...folders, scratchDir]) await rm(folder, { recursive: true, force: true });
    });

    const restored = async (): Promise<string> => {
      const { folder } = await serverFolder();
      folders.push(folder);
      const directory = join(folder, 'data');
      await unpack(physical, base, directory);
      return directory;
    };
    const scratchOf = async (directory: string, recovery: Recovery) =>
      startScratch({ directory, tools, user: 'no such role', database: 'postgres', recovery }, untilDone);
    /** All WAL of the source, as a journal would give it. */
    const copyWal = async (folder: string): Promise<void> => {
      await server.query('select pg_switch_wal()');
      await mkdir(folder, { recursive: true });
      const names = await readdir(join(server.dataDir, 'pg_wal'));
      for (const name of names.filter((name) => /^[0-9A-F]{24}$/.test(name))) {
        await copyFile(join(server.dataDir, 'pg_wal', name), join(folder, name));
      }
    };

    it('is in several pieces and says where it is consistent', async () => {
      const names = base.store.artifacts.map(({ name }) => name);
      expect(names.filter((name) => name.startsWith('base-')).length).toBeGreaterThan(3);
      expect(names.slice(-2)).toEqual(['wal', 'manifest']);
      const { systemIdentifier, timeline, startLsn, endLsn, walSegmentBytes, fromStandby } = base.facts;
      const [control] = await query<{ id: string }>(
        server.target,
        'select system_identifier::text as id from pg_control_system()',
      );
      expect({ systemIdentifier, timeline, walSegmentBytes, fromStandby }).toEqual({
        systemIdentifier: control?.id,
        timeline: 1,
        walSegmentBytes: 16_777_216,
        fromStandby: false,
      });
      const [row] = await query<{ later: boolean }>(
        server.target,
        `select '${endLsn}'::pg_lsn > '${startLsn}'::pg_lsn as later`,
      );
      expect(row?.later).toBe(true);
      expect(Date.parse(base.facts.endAt)).toBeGreaterThanOrEqual(Date.parse(base.facts.startAt));
      expect((await server.query('select from pg_replication_slots')).rowCount).toBe(0);
    });

    it('restores to a state of the run, with all indexes sound, and stands alone', async () => {
      const directory = await restored();
      await runTool(tools.pgVerifybackup, [directory]);
      const scratch = await scratchOf(directory, { target: 'end', action: 'promote' });
      try {
        const recovered = await scratch.waitForRecovery();
        expect(recovered).toMatchObject({ lsn: base.facts.endLsn, timeline: 2, paused: false });
        const state = await readBank(scratch.target);
        expect(state.wrong).toBe(0);
        expect(state.transfers).toBeGreaterThanOrEqual(taken.before);
        expect(state.transfers).toBeLessThanOrEqual(taken.after + 1);
        expect(state.fingerprint).toBe((await readBank(server.target, state.transfers)).fingerprint);
        await runTool(tools.pgAmcheck, ['--install-missing', '--heapallindexed', '--all'], scratch.target);
        const settings = await query<{ name: string; setting: string }>(
          scratch.target,
          `select name, setting from pg_settings where name in ('archive_mode', 'listen_addresses', 'primary_conninfo') order by 1`,
        );
        expect(settings.map(({ setting }) => setting)).toEqual(['off', '', '']);
      } finally {
        await scratch.stop();
      }
    }, 120_000);

    it('replays to a position, pauses there to be read, and is promoted', async () => {
      const directory = await restored();
      const wal = join(directory, '..', 'wal');
      await copyWal(wal);
      await runTool('/bin/chmod', ['-R', 'a+rX', wal]);
      const [middle] = await query<{ lsn: string }>(server.target, 'select pg_current_wal_insert_lsn()::text as lsn');
      const target = middle?.lsn ?? '';
      await query(server.target, `create table after_the_target (id int)`);
      await copyWal(wal);
      await runTool('/bin/chmod', ['-R', 'a+rX', wal]);
      const scratch = await scratchOf(directory, {
        restoreCommand: `[ -f "${wal}/%f" ] || exit 1; cp "${wal}/%f" "%p" || exit 200`,
        target: { lsn: target, inclusive: false },
        action: 'pause',
      });
      try {
        const seen = await scratch.waitForRecovery();
        expect(seen).toMatchObject({ timeline: 1, paused: true });
        expect(Date.parse(seen.lastCommitAt ?? '')).toBeGreaterThan(Date.parse(base.facts.startAt));
        const state = await readBank(scratch.target);
        expect(state).toEqual(await readBank(server.target));
        expect(await query(scratch.target, `select from pg_class where relname = 'after_the_target'`)).toEqual([]);
        expect(await scratch.promote()).toMatchObject({ timeline: 2, paused: false });
        await query(scratch.target, 'create table written (id int)');
      } finally {
        await scratch.stop();
        await query(server.target, 'drop table after_the_target');
      }
    }, 120_000);

    it('becomes a directory that starts without us, at its target and without recovery', async () => {
      const { folder, user } = await serverFolder();
      folders.push(folder);
      const directory = join(folder, 'data');
      await unpack(physical, base, directory);
      await copyWal(join(directory, WAL_FOLDER));
      const prepare = async () => prepareTargetDirectory({ directory, tools, operation: untilDone });
      await expect(prepare()).rejects.toMatchObject({ code: 'POSTGRES_SCRATCH_FAILED' });
      await writeFile(join(directory, 'postgresql.auto.conf'), COPIED_SETTINGS);
      const scratch = await scratchOf(directory, {
        restoreCommand: RESTORE_FROM_FOLDER,
        target: 'end',
        action: 'promote',
      });
      try {
        expect(await scratch.waitForRecovery()).toMatchObject({ timeline: 2, paused: false });
        await scratch.shutDown();
      } finally {
        await scratch.stop();
      }
      await prepare();
      expect(
        (await readdir(directory)).filter((name) => /lifeboat|signal|\.source|\.old|postmaster/.test(name)),
      ).toEqual([]);
      const started = await startDirectory(server, { folder, user }, {});
      try {
        expect(await readBank(started.target)).toEqual(await readBank(server.target));
        const settings = await query<{ name: string; setting: string }>(
          started.target,
          `select name, setting from pg_settings where name in
             ('archive_mode', 'archive_command', 'primary_conninfo', 'max_logical_replication_workers', 'work_mem', 'data_directory')`,
        );
        expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
          archive_mode: 'off',
          // What the server says of any command while archive_mode is off.
          archive_command: '(disabled)',
          primary_conninfo: '',
          max_logical_replication_workers: '0',
          work_mem: '8192',
          data_directory: directory,
        });
      } finally {
        await started.stop();
      }
    }, 120_000);

    it('is an error where a position is never reached, with the end of the log', async () => {
      const directory = await restored();
      const recovery: Recovery = { target: { lsn: 'F/0', inclusive: true }, action: 'pause' };
      const failure = await scratchOf(directory, recovery)
        .then(async (scratch) => {
          try {
            return await scratch.waitForRecovery();
          } finally {
            await scratch.stop();
          }
        })
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'POSTGRES_SCRATCH_FAILED' });
      expect(String(failure)).toContain('recovery target');
    }, 60_000);

    const onlyNative = major >= 17 ? it : it.skip;
    onlyNative(
      'is followed by incremental ones that combine into a full directory (PostgreSQL 17 and later)',
      async () => {
        const change = async (from: number): Promise<void> =>
          void (await query(
            server.target,
            `update ballast set text = md5(text) where id between ${from} and ${from + 500}`,
          ));
        await change(1_000);
        const parentManifest = () => base.store.source('manifest');
        const second = await takeBase(physical, server.target, { parentManifest });
        await change(3_000);
        const third = await takeBase(physical, server.target, {
          parentManifest: () => second.store.source('manifest'),
        });
        expect(second.facts.parentStartLsn).toBe(base.facts.startLsn);
        expect(third.facts.parentStartLsn).toBe(second.facts.startLsn);
        expect(second.facts.bytes).toBeLessThan(base.facts.bytes / 2);
        const { folder } = await serverFolder();
        folders.push(folder);
        const chain: string[] = [];
        for (const [index, part] of [base, second, third].entries()) {
          chain.push(join(folder, `part-${index}`));
          await unpack(physical, part, chain.at(-1) ?? '');
        }
        const directory = join(folder, 'data');
        await physical.combine({ chain, directory }, untilDone);
        await runTool(tools.pgVerifybackup, [directory]);
        const scratch = await scratchOf(directory, { target: 'end', action: 'promote' });
        try {
          expect(await scratch.waitForRecovery()).toMatchObject({ lsn: third.facts.endLsn, timeline: 2 });
          expect(await readBank(scratch.target)).toEqual(await readBank(server.target));
          await runTool(tools.pgAmcheck, ['--install-missing', '--heapallindexed', '--all'], scratch.target);
        } finally {
          await scratch.stop();
        }
        const failure = await physical
          .combine({ chain: [chain[0] ?? '', chain[2] ?? ''], directory: join(folder, 'gap') }, untilDone)
          .catch((error: unknown) => error);
        expect(failure).toMatchObject({ code: 'POSTGRES_COMBINE_FAILED' });
        await Promise.all([second.store.remove(), third.store.remove()]);
      },
      180_000,
    );

    it('is taken from a standby as well', async () => {
      const standby = await startStandby(server, base, physical);
      const bank = runBankAgain(server);
      try {
        await bank.begin();
        const second = await takeBase(physical, standby.target);
        await bank.stop();
        expect(second.facts).toMatchObject({ fromStandby: true, systemIdentifier: base.facts.systemIdentifier });
        const { folder } = await serverFolder();
        folders.push(folder);
        const directory = join(folder, 'data');
        await unpack(physical, second, directory);
        await runTool(tools.pgVerifybackup, [directory]);
        const scratch = await scratchOf(directory, { target: 'end', action: 'promote' });
        try {
          expect(await scratch.waitForRecovery()).toMatchObject({ lsn: second.facts.endLsn, timeline: 2 });
          const state = await readBank(scratch.target);
          expect(state.wrong).toBe(0);
          expect(state.fingerprint).toBe((await readBank(server.target, state.transfers)).fingerprint);
          await runTool(tools.pgAmcheck, ['--install-missing', '--heapallindexed', '--all'], scratch.target);
        } finally {
          await scratch.stop();
        }
      } finally {
        await bank.stop();
        await standby.stop();
      }
    }, 120_000);
  });
}

/** Goes on with the ledger where it ended. */
function runBankAgain(server: TestPostgres) {
  let bank: ReturnType<typeof runBank> | undefined;
  return {
    async begin() {
      const { transfers } = await readBank(server.target);
      const running = runBank(server.target, transfers);
      bank = running;
      await until(() => running.acknowledged > transfers + 20);
    },
    async stop() {
      await bank?.stop();
      bank = undefined;
    },
  };
}
