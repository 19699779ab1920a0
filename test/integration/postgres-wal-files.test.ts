/**
 * Goal: what was received brings a base to any moment: the last commit is found as the server itself chooses it, and damage is seen.
 * Method: commits with known times; found positions are compared with them, and with servers that replay to the time and to the LSN.
 */
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatLsn, lsnOf, segmentStart } from '../../src/domain/lsn.ts';
import { checkSegmentFile } from '../../src/postgres/wal/files/check-segment-file.ts';
import { findCommit, type FindCommit } from '../../src/postgres/wal/files/find-commit.ts';
import { caught } from '../support/caught.ts';
import type { TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { untilDone } from './postgres-support/round-trip.ts';
import { createMemoryJournal, replayFiles, type MemoryJournal } from './postgres-wal-support/memory-journal.ts';
import {
  copyCluster,
  flushedLsn,
  receive,
  startKeeping,
  until,
  wal,
  writeWal,
  type CopiedCluster,
} from './postgres-wal-support/wal-server.ts';
import type { WalIdentity } from '../../src/postgres/wal/wal.ts';

interface Commit {
  readonly n: number;
  readonly us: bigint;
}

const suite = await whenAvailable('postgres 15', 'postgres 18');
suite('files of received wal', () => {
  describe.each([15, 18] as const)('of postgresql %i', (major) => {
    let server: TestPostgres;
    let identity: WalIdentity;
    let journal: MemoryJournal;
    let copies: CopiedCluster[];
    let folder: string;
    let from: string;
    let base: { readonly timeline: number; readonly endLsn: string; readonly endAt: string };
    let commits: Commit[];
    let find: Omit<FindCommit, 'atMs'>;

    beforeAll(async () => {
      server = await startKeeping(major, { track_commit_timestamp: 'on', max_prepared_transactions: '5' });
      identity = await wal.identify(server.target);
      from = formatLsn(segmentStart(lsnOf(identity.lsn), identity.walSegmentBytes));
      journal = createMemoryJournal(identity);
      const follower = receive(server, identity, { slot: null, from: { timeline: 1, lsn: from } }, journal.take);
      await server.query('create table t (n int primary key)');
      const first = await copyCluster(server);
      const { rows: now } = await server.query<{ at: string }>(
        `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`,
      );
      base = { timeline: 1, endLsn: await flushedLsn(server), endAt: now[0]?.at ?? '' };
      copies = [first, await copyCluster(server)];
      for (let n = 1; n <= 120; n += 1) {
        if (n % 40 === 0) await writeWal(server, 25);
        if (n % 7 === 0) await server.query('begin; insert into t values (0); rollback');
        if (n % 5 !== 0) await server.query('insert into t values ($1)', [n]);
        else {
          await server.query(`begin; insert into t values (${n}); prepare transaction 'p${n}'`);
          await server.query(`commit prepared 'p${n}'`);
        }
      }
      const { rows } = await server.query<{ n: number; us: string }>(
        'select n, (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::int8::text as us from t order by n',
      );
      commits = rows.map(({ n, us }) => ({ n, us: BigInt(us) }));
      const end = await flushedLsn(server);
      await until(() => lsnOf(journal.epoch.durable.at) >= lsnOf(end), 'all was received');
      await follower.stop();

      folder = await mkdtemp(join(tmpdir(), 'lifeboat-wal-files-'));
      await chmod(folder, 0o755);
      const { plan, files } = await replayFiles(journal, { identity, base, target: 'end' });
      for (const [name, bytes] of files) await writeFile(join(folder, name), bytes, { mode: 0o644 });
      const names = [...files.keys()];
      find = {
        pgWaldump: join(server.binDir, 'pg_waldump'),
        segmentBytes: identity.walSegmentBytes,
        segments: plan.segments.map((segment, index) => ({
          path: join(folder, names[index] ?? ''),
          from: segment.from,
        })),
        from: base.endLsn,
        to: plan.reach.at,
      };
    });
    afterAll(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    it('the last commit at or before any moment is found, to the microsecond', async () => {
      const msOf = ({ us }: Commit): number => Number(us / 1_000n);
      let found = 0;
      for (const at of [3, 44, 45, 84, 99, 118]) {
        for (const shiftMs of [0, 1]) {
          const atMs = msOf(commits[at]!) + shiftMs;
          const expected = commits.findLast(({ us }) => us <= BigInt(atMs) * 1_000n);
          const commit = await findCommit({ ...find, atMs }, untilDone);
          // Rows of the filler are commits of their own between these.
          expect(commit?.timeMs).toBeGreaterThanOrEqual(expected ? msOf(expected) : 0);
          expect(commit?.timeMs).toBeLessThanOrEqual(atMs);
          found += Number(commit?.timeMs === (expected && msOf(expected)));
        }
      }
      expect(found).toBeGreaterThanOrEqual(8);
      expect(await findCommit({ ...find, atMs: Date.parse(base.endAt) - 60_000 }, untilDone)).toBeNull();
      const last = await findCommit({ ...find, atMs: Date.now() + 86_400_000 }, untilDone);
      expect(last?.timeMs).toBe(msOf(commits.at(-1)!));
    });

    it('a server that replays to the found position has what one has that replays to the time', async () => {
      const middle = commits[70]!;
      const atMs = Number(middle.us / 1_000n) + 1;
      const commit = await findCommit({ ...find, atMs }, untilDone);
      const time = new Date(atMs).toISOString().replace('T', ' ').replace('Z', '+00');
      const targets = [{ recovery_target_lsn: commit?.lsn ?? '' }, { recovery_target_time: time }];
      const rows: string[] = [];
      for (const [index, target] of targets.entries()) {
        const copy = await copies[index]!.start('recovery.signal', {
          restore_command: `cp ${folder}/%f %p`,
          track_commit_timestamp: 'on',
          max_prepared_transactions: '5',
          ...target,
        });
        try {
          const paused = async (): Promise<boolean> => {
            const { rows } = await copy.query<{ state: string }>('select pg_get_wal_replay_pause_state() as state');
            return rows[0]?.state === 'paused';
          };
          await until(paused, 'replay has reached its target');
          const { rows: held } = await copy.query<{ n: string }>(
            `select string_agg(n::text, ',' order by n) as n from t`,
          );
          rows.push(held[0]?.n ?? '');
        } finally {
          await copy.stop();
        }
      }
      const expected = commits.filter(({ us }) => us <= BigInt(atMs) * 1_000n).map(({ n }) => n);
      expect(rows).toEqual([expected.join(','), expected.join(',')]);
      expect(expected.length).toBeLessThan(commits.length);
    });

    it('damage in the middle is not taken for the end', async () => {
      const damaged = join(folder, 'damaged');
      await mkdir(damaged);
      // One that is full: the first ones end with a switch, and what is behind that is never read.
      const hit = find.segments.at(-2)!;
      const path = join(damaged, 'segment');
      await copyFile(hit.path, path);
      const bytes = await readFile(path);
      const offset = bytes.length / 2 + 100;
      bytes.subarray(offset, offset + 16).reverse();
      await writeFile(path, bytes);
      const segments = find.segments.map((segment) => (segment === hit ? { ...segment, path } : segment));
      const atMs = Number(commits.at(-1)!.us / 1_000n) + 1;
      expect(await findCommit({ ...find, atMs }, untilDone)).not.toBeNull();
      const error = await caught(async () => findCommit({ ...find, segments, atMs }, untilDone));
      expect(error.code).toBe('JOURNAL_WAL_UNREADABLE');
    });

    it('files of pg_wal are what their names say, and others are refused', async () => {
      const place = join(server.dataDir, 'pg_wal');
      const names = (await readdir(place)).filter((name) => /^[0-9A-F]{24}$/.test(name)).toSorted();
      const [name = ''] = names;
      const { systemIdentifier, walSegmentBytes: segmentBytes } = identity;
      const expected = { kind: 'segment', name, timeline: 1, systemIdentifier, segmentBytes, complete: true };
      expect(await checkSegmentFile(join(place, name))).toMatchObject(expected);
      const copy = async (as: string, change: (bytes: Buffer) => Buffer): Promise<string> => {
        const path = join(folder, as);
        await writeFile(path, change(await readFile(join(place, name))));
        return path;
      };
      const partial = await copy(`${name}.partial`, (bytes) => bytes);
      expect(await checkSegmentFile(partial)).toMatchObject({ ...expected, name: `${name}.partial`, complete: false });
      const wrong = [
        await copy('0000000100000000000000FF', (bytes) => bytes),
        await copy('0000000100000000000000FE', (bytes) => bytes.subarray(0, 8_192)),
        await copy('0000000100000000000000FD', (bytes) => Buffer.alloc(bytes.length)),
        await copy('no-segment', (bytes) => bytes),
        await copy('00000002.history', () => Buffer.from('2\t0/1000000\tout of order\n')),
      ];
      for (const path of wrong) {
        expect((await caught(async () => checkSegmentFile(path))).code).toBe('JOURNAL_SEGMENT_INVALID');
      }
      const history = await copy('00000003.history', () => Buffer.from('1\t0/1000000\tno recovery target specified\n'));
      expect(await checkSegmentFile(history)).toMatchObject({ kind: 'history', timeline: 3 });
    });
  });
});
