/**
 * Goal: whatever takes WAL or a server away from a receiver has a name, nothing is confirmed that was not, and nobody is held up.
 * Method: real servers; slots are dropped, WAL is removed, servers restart, consumers stand still.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { formatLsn, lsnOf } from '../../src/domain/lsn.ts';
import { caught } from '../support/caught.ts';
import { startPostgres, type TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { createMemoryJournal, differences, replayFiles } from './postgres-wal-support/memory-journal.ts';
import {
  flushedLsn,
  receive,
  startKeeping,
  stopFast,
  until,
  wal,
  writeWal,
  type Reception,
} from './postgres-wal-support/wal-server.ts';

const KEEP_NOTHING = { max_wal_size: '32MB', min_wal_size: '32MB', wal_keep_size: '0' };

const suite = await whenAvailable('postgres 15', 'postgres 18');
suite('when something is in the way of a receiver of wal', () => {
  const errorOf = async ({ ended }: Reception) => {
    const error = await ended;
    return caught(() => {
      throw error;
    });
  };

  describe('on a server that keeps its wal', () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await startKeeping(18);
    });
    afterAll(async () => server.stop());

    it('a second one on the same slot is refused, and the first goes on', async () => {
      const identity = await wal.identify(server.target);
      const { restartLsn } = await wal.createSlot(server.target, 'both');
      const from = { timeline: 1, lsn: restartLsn ?? '' };
      const first = receive(server, identity, { slot: 'both', from });
      await until(async () => (await wal.slot(server.target, 'both')).active, 'the first holds the slot');
      const error = await errorOf(receive(server, identity, { slot: 'both', from }));
      expect(error).toMatchObject({ code: 'JOURNAL_SLOT_BUSY', rule: { retry: 'transient' } });
      expect((await caught(async () => wal.dropSlot(server.target, 'both'))).code).toBe('JOURNAL_SLOT_BUSY');
      const before = first.events.length;
      await until(() => first.events.length > before, 'the first goes on');
      await first.stop();
    });

    it('a slot that was dropped is lost, and a logical one is not ours', async () => {
      const identity = await wal.identify(server.target);
      const { restartLsn } = await wal.createSlot(server.target, 'dropped');
      const from = { timeline: 1, lsn: restartLsn ?? '' };
      const follower = receive(server, identity, { slot: 'dropped', from });
      await until(async () => (await wal.slot(server.target, 'dropped')).active, 'the slot is held');
      await server.query(
        `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = 'dropped'`,
      );
      expect((await errorOf(follower)).rule.retry).toBe('transient');
      await wal.dropSlot(server.target, 'dropped');
      await wal.dropSlot(server.target, 'dropped');
      expect((await errorOf(receive(server, identity, { slot: 'dropped', from }))).code).toBe('JOURNAL_SLOT_LOST');
      expect(await wal.slot(server.target, 'dropped')).toMatchObject({ exists: false, retainedBytes: 0 });
    });

    it('another system, and a position that the server never reached, are another history', async () => {
      const identity = await wal.identify(server.target);
      const from = { timeline: 1, lsn: identity.lsn };
      const stranger = receive(server, { ...identity, systemIdentifier: '42' }, { slot: null, from });
      expect((await errorOf(stranger)).code).toBe('JOURNAL_HISTORY_MISMATCH');
      const ahead = { timeline: 1, lsn: formatLsn(lsnOf(identity.lsn) + 64_000_000n) };
      expect((await errorOf(receive(server, identity, { slot: null, from: ahead }))).code).toBe(
        'JOURNAL_HISTORY_MISMATCH',
      );
      const later = receive(server, identity, { slot: null, from: { ...from, timeline: 2 } });
      expect((await errorOf(later)).code).toBe('JOURNAL_HISTORY_MISMATCH');
    });

    it('a consumer may stand still far longer than wal_sender_timeout, and confirms nothing meanwhile', async () => {
      await server.query(`alter system set wal_sender_timeout = '2s'`);
      await server.query('select pg_reload_conf()');
      const identity = await wal.identify(server.target);
      const { restartLsn } = await wal.createSlot(server.target, 'slow');
      const journal = createMemoryJournal(identity);
      const from = { timeline: 1, lsn: restartLsn ?? '' };
      let still = true;
      const follower = receive(server, identity, { slot: 'slow', from }, async (event) => {
        journal.take(event);
        while (still) await delay(50);
      });
      await writeWal(server, 60);
      const memory = process.memoryUsage.rss();
      const pid = async () => (await wal.slot(server.target, 'slow')).activePid;
      const holder = await pid();
      await delay(12_000);
      expect(await pid()).toBe(holder);
      expect(holder).not.toBeNull();
      expect((await wal.slot(server.target, 'slow')).restartLsn).toBe(restartLsn);
      expect(process.memoryUsage.rss() - memory).toBeLessThan(64 * 1_048_576);
      still = false;
      const end = await flushedLsn(server);
      await until(() => lsnOf(journal.epoch.durable.at) >= lsnOf(end), 'all was received');
      await until(
        async () => lsnOf((await wal.slot(server.target, 'slow')).restartLsn ?? '') >= lsnOf(end),
        'it is confirmed',
      );
      await follower.stop();
      expect(journal.epoch.entries.filter(({ kind }) => kind === 'segment').length).toBeGreaterThan(2);
    });
  });

  it('wal that is gone has a name, with a slot and without', async () => {
    const server = await startPostgres({ major: 18, settings: { ...KEEP_NOTHING, max_slot_wal_keep_size: '48MB' } });
    try {
      const identity = await wal.identify(server.target);
      const from = { timeline: 1, lsn: (await wal.createSlot(server.target, 'kept')).restartLsn ?? '' };
      for (let round = 0; round < 4; round += 1) {
        await writeWal(server, 40);
        await server.query('checkpoint');
      }
      expect((await wal.slot(server.target, 'kept')).walStatus).toBe('lost');
      expect((await errorOf(receive(server, identity, { slot: 'kept', from }))).code).toBe('JOURNAL_SLOT_LOST');
      expect((await errorOf(receive(server, identity, { slot: null, from }))).code).toBe('JOURNAL_WAL_REMOVED');
      // Safe to make again.
      await wal.dropSlot(server.target, 'kept');
      expect(await wal.createSlot(server.target, 'kept')).toMatchObject({ exists: true, walStatus: 'reserved' });
    } finally {
      await server.stop();
    }
  });

  it.each([15, 18] as const)(
    'a server that restarts or is killed ends the stream, and the next one goes on (%i)',
    async (major) => {
      const server = await startKeeping(major);
      try {
        const identity = await wal.identify(server.target);
        const { restartLsn } = await wal.createSlot(server.target, 'restart');
        const start = formatLsn(lsnOf(restartLsn ?? '') - (lsnOf(restartLsn ?? '') % BigInt(identity.walSegmentBytes)));
        const journal = createMemoryJournal(identity);
        let from = { timeline: 1, lsn: start };
        for (const way of ['restart', 'kill'] as const) {
          const follower = receive(server, identity, { slot: 'restart', from }, journal.take);
          await writeWal(server, 20);
          if (way === 'kill') await server.kill();
          await server.restart();
          const error = await errorOf(follower);
          expect(error).toMatchObject({ code: 'POSTGRES_CONNECTION_LOST', rule: { retry: 'transient' } });
          from = { timeline: 1, lsn: journal.epoch.durable.at };
        }
        const end = await flushedLsn(server);
        const last = receive(server, identity, { slot: 'restart', from, until: end }, journal.take);
        expect(await last.ended).toBeUndefined();
        const base = { timeline: 1, endLsn: start, endAt: new Date(0).toISOString() };
        const replay = await replayFiles(journal, { identity, base, target: { lsn: end } });
        expect(await differences(server, replay)).toEqual([]);
      } finally {
        await server.stop();
      }
    },
  );

  it('a server that shuts down is let go: at once when all is confirmed, after a while when nothing can be', async () => {
    const server = await startKeeping(18);
    try {
      const identity = await wal.identify(server.target);
      const from = { timeline: 1, lsn: (await wal.createSlot(server.target, 'stop')).restartLsn ?? '' };
      const prompt = receive(server, identity, { slot: 'stop', from, flushMs: 5_000 });
      await streaming(server, 'stop');
      await writeWal(server, 2);
      const seconds = await secondsToStop(server);
      expect(seconds).toBeLessThan(10);
      expect((await errorOf(prompt)).code).toBe('POSTGRES_CONNECTION_LOST');
      const given = prompt.events.flatMap((event) => (event.event === 'piece' ? event.to : [])).at(-1);
      await server.restart();
      // What the server wrote last, its shutdown checkpoint, was received and confirmed before it ended.
      const { rows } = await server.query<{ lsn: string }>(
        'select checkpoint_lsn::text as lsn from pg_control_checkpoint()',
      );
      expect(lsnOf(given ?? '')).toBeGreaterThan(lsnOf(rows[0]?.lsn ?? ''));

      const over = Promise.withResolvers<void>();
      const stuck = receive(server, identity, { slot: 'stop', from: { timeline: 1, lsn: given ?? '' } }, async () => {
        await over.promise;
      });
      await streaming(server, 'stop');
      await writeWal(server, 60);
      const long = await secondsToStop(server);
      expect(long).toBeGreaterThan(10);
      expect(long).toBeLessThan(45);
      await server.restart();
      expect(lsnOf((await wal.slot(server.target, 'stop')).restartLsn ?? '')).toBeLessThanOrEqual(lsnOf(given ?? ''));
      over.resolve();
      await stuck.stop();
    } finally {
      await server.stop();
    }
  });
});

/** A server that stops before a receiver has reached it is unreachable for it, which is another error. */
function streaming(server: TestPostgres, slot: string): Promise<void> {
  return until(async () => {
    const found = await server.query(`select from pg_replication_slots where slot_name = '${slot}' and active`);
    return found.rows.length === 1;
  }, `slot ${slot} in use`);
}

async function secondsToStop(server: TestPostgres): Promise<number> {
  const from = performance.now();
  await stopFast(server);
  return (performance.now() - from) / 1_000;
}
