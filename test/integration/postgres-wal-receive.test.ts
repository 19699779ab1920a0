/**
 * Goal: whatever a server writes is received byte for byte, also when the receiver is killed, and no moment is claimed too early.
 * Method: real servers of four versions under load; what was received is put together again and compared with the files in pg_wal.
 */
import { lsnOf, segmentStart, formatLsn } from '../../src/domain/lsn.ts';
import type { TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { createMemoryJournal, differences, replayFiles } from './postgres-wal-support/memory-journal.ts';
import {
  flushedLsn,
  receive,
  runServerTool,
  startKeeping,
  stopFast,
  until,
  wal,
  writeWal,
} from './postgres-wal-support/wal-server.ts';

const suite = await whenAvailable('postgres 15', 'postgres 16', 'postgres 17', 'postgres 18');
suite('a receiver of wal', () => {
  describe.each([15, 16, 17, 18] as const)('of postgresql %i', (major) => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await startKeeping(major);
    });
    afterAll(async () => server.stop());

    it('gives every byte, over segment switches and with pieces in between', async () => {
      const identity = await wal.identify(server.target);
      const slot = await wal.createSlot(server.target, 'bytes');
      const from = formatLsn(segmentStart(lsnOf(slot.restartLsn ?? ''), identity.walSegmentBytes));
      const journal = createMemoryJournal(identity);
      const follower = receive(server, identity, { slot: 'bytes', from: { timeline: 1, lsn: from } }, journal.take);
      for (let round = 0; round < 12; round += 1) {
        await writeWal(server, 1 + (round % 3));
        await server.query('select pg_switch_wal()');
      }
      await writeWal(server, 5);
      const end = await flushedLsn(server);
      await until(() => lsnOf(journal.epoch.durable.at) >= lsnOf(end), 'all was received');
      await follower.stop();
      const base = { timeline: 1, endLsn: from, endAt: new Date(0).toISOString() };
      const replay = await replayFiles(journal, { identity, base, target: 'end' });
      expect(replay.plan.segments.length).toBeGreaterThan(12);
      expect(await differences(server, replay)).toEqual([]);
      expect(journal.epoch.entries.some(({ kind }) => kind === 'piece')).toBe(true);
      const state = await wal.slot(server.target, 'bytes');
      expect(lsnOf(state.restartLsn ?? '')).toBeGreaterThanOrEqual(lsnOf(end));
      await wal.dropSlot(server.target, 'bytes');
    });

    it('claims a moment only when all that was committed until then was given, busy or idle', async () => {
      const identity = await wal.identify(server.target);
      const claims: { readonly timeMs: number; readonly lsn: string }[] = [];
      const from = { timeline: 1, lsn: identity.lsn };
      const follower = receive(server, identity, { slot: null, from, flushMs: 100 }, (event) => {
        if (event.event === 'piece') claims.push({ timeMs: event.toMs, lsn: event.to });
        if (event.event === 'time') claims.push({ timeMs: event.timeMs, lsn: event.lsn });
      });
      const commits: { readonly ms: string; readonly lsn: string }[] = [];
      await server.query('create table if not exists t (n int)');
      for (let round = 0; round < 60; round += 1) {
        if (round === 20) await writeWal(server, 30);
        await server.query('insert into t values ($1)', [round]);
        const { rows } = await server.query<{ ms: string; lsn: string }>(
          'select ceil(extract(epoch from clock_timestamp()) * 1000)::text as ms, pg_current_wal_flush_lsn()::text as lsn',
        );
        commits.push(...rows);
      }
      const last = commits.at(-1);
      await until(() => claims.some(({ timeMs }) => timeMs > Number(last?.ms)), 'the last commit is behind', 10_000);
      const idleFrom = claims.length;
      await until(() => claims.length > idleFrom + 5, 'time goes on without a byte');
      await follower.stop();
      const early = claims.filter(({ timeMs, lsn }) =>
        commits.some((commit) => Number(commit.ms) <= timeMs && lsnOf(commit.lsn) > lsnOf(lsn)),
      );
      expect(early).toEqual([]);
      expect(claims.map(({ timeMs }) => timeMs)).toEqual(claims.map(({ timeMs }) => timeMs).toSorted((a, b) => a - b));
    });

    it('ends at the position it was told, with all before it', async () => {
      const identity = await wal.identify(server.target);
      await writeWal(server, 20);
      const end = await flushedLsn(server);
      const journal = createMemoryJournal(identity);
      const from = { timeline: 1, lsn: formatLsn(segmentStart(lsnOf(identity.lsn), identity.walSegmentBytes)) };
      expect(await receive(server, identity, { slot: null, from, until: end }, journal.take).ended).toBeUndefined();
      expect(journal.epoch.durable.at).toBe(end);
      const base = { timeline: 1, endLsn: from.lsn, endAt: new Date(0).toISOString() };
      const replay = await replayFiles(journal, { identity, base, target: { lsn: end } });
      expect(await differences(server, replay)).toEqual([]);
      const again = receive(server, identity, { slot: null, from: { timeline: 1, lsn: end }, until: end });
      expect(await again.ended).toBeUndefined();
      expect(again.events).toEqual([]);
    });
  });

  it.each([1, 128])('takes segments of %i MiB', async (mib) => {
    const server = await startKeeping(18, { min_wal_size: '512MB' });
    try {
      await stopFast(server);
      await runServerTool(server, 'pg_resetwal', [`--wal-segsize=${mib}`, '-D', server.dataDir]);
      await server.restart();
      const identity = await wal.identify(server.target);
      expect(identity.walSegmentBytes).toBe(mib * 1_048_576);
      const journal = createMemoryJournal(identity);
      const from = formatLsn(segmentStart(lsnOf(identity.lsn), identity.walSegmentBytes));
      const follower = receive(server, identity, { slot: null, from: { timeline: 1, lsn: from } }, journal.take);
      await writeWal(server, 40);
      if (mib === 128) await server.query('select pg_switch_wal()');
      await writeWal(server, 2);
      const end = await flushedLsn(server);
      await until(() => lsnOf(journal.epoch.durable.at) >= lsnOf(end), 'all was received');
      await follower.stop();
      const replay = await replayFiles(journal, {
        identity,
        base: { timeline: 1, endLsn: from, endAt: new Date(0).toISOString() },
        target: { lsn: end },
      });
      expect(await differences(server, replay)).toEqual([]);
      // Big ones are never held whole.
      expect(journal.epoch.entries.some(({ kind }) => kind === 'segment')).toBe(mib === 1);
      expect(Math.max(...journal.epoch.entries.map(({ plainBytes }) => plainBytes))).toBeLessThanOrEqual(
        16 * 1_048_576,
      );
    } finally {
      await server.stop();
    }
  });
});
