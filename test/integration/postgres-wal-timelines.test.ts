/**
 * Goal: a promotion, in the middle of a segment or on its border, is followed without a hole, and every file is the server's.
 * Method: a standby is received from while it is promoted; histories, both timelines and a later start are compared with its pg_wal.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatLsn, lsnOf, segmentStart } from '../../src/domain/lsn.ts';
import { observePostgres } from '../../src/failover/postgres/observe.ts';
import type { TestPostgres } from '../support/servers.ts';
import { caught } from '../support/caught.ts';
import { whenAvailable } from '../support/tools.ts';
import { createMemoryJournal, differences, replayFiles } from './postgres-wal-support/memory-journal.ts';
import {
  flushedLsn,
  receive,
  startKeeping,
  startStandby,
  until,
  wal,
  writeWal,
  type TestCopy,
} from './postgres-wal-support/wal-server.ts';

const suite = await whenAvailable('postgres 15', 'postgres 18');
suite('a receiver of wal at a promotion', () => {
  describe.each([15, 18] as const)('of postgresql %i', (major) => {
    let primary: TestPostgres;
    let standby: TestCopy;
    beforeEach(async () => {
      primary = await startKeeping(major);
      await writeWal(primary, 3);
      standby = await startStandby(primary);
    });
    afterEach(async () => {
      await standby.stop();
      await primary.stop();
    });

    it.each(['in the middle of a segment', 'on the border of a segment'])(
      'goes on with the next timeline, %s',
      async (place) => {
        const before = await observePostgres({ name: 'b', target: standby.target }, new AbortController().signal);
        expect(before).toMatchObject({ inRecovery: true, timeline: 1, history: null, replayPaused: false });
        expect(before).toMatchObject({ receiver: { status: 'streaming', silentSeconds: expect.any(Number) } });
        const identity = await wal.identify(standby.target);
        expect(identity).toMatchObject({ inRecovery: true, timeline: 1 });
        const start = formatLsn(segmentStart(lsnOf(identity.lsn), identity.walSegmentBytes));
        const slot = await wal.createSlot(standby.target, 'promoted');
        expect(slot).toMatchObject({ exists: true, active: false });
        const journal = createMemoryJournal(identity);
        const follower = receive(
          standby,
          identity,
          { slot: 'promoted', from: { timeline: 1, lsn: start } },
          journal.take,
        );
        await writeWal(primary, 20);
        // The standby stops exactly where the primary has: on a border after a switch.
        if (place.startsWith('on')) await primary.query('select pg_switch_wal()');
        const last = await flushedLsn(primary);
        await primary.stop();
        const replayed = async (): Promise<boolean> => {
          const { rows } = await standby.query<{ lsn: string }>('select pg_last_wal_replay_lsn()::text as lsn');
          return lsnOf(rows[0]?.lsn ?? '0/0') >= lsnOf(last);
        };
        await until(replayed, 'all is replayed');
        await standby.promote();
        await writeWal(standby, 20);
        const end = await flushedLsn(standby);
        await until(() => {
          const { durable } = journal.epoch;
          return durable.timeline === 2 && lsnOf(durable.at) >= lsnOf(end);
        }, 'all of the new timeline was received');
        await follower.stop();

        // Any version that is supported describes itself to a failover.
        const view = await observePostgres({ name: 'b', target: standby.target }, new AbortController().signal);
        expect(view).toMatchObject({ inRecovery: false, timeline: 2, systemIdentifier: identity.systemIdentifier });
        expect(view).toMatchObject({ receiver: null, senders: [], slots: [{ name: 'promoted', invalid: null }] });

        const change = follower.events.find(({ event }) => event === 'timeline');
        expect(change).toMatchObject({ from: 1, to: 2 });
        const history = await readFile(join(standby.dataDir, 'pg_wal', '00000002.history'));
        expect(follower.events.filter(({ event }) => event === 'history')).toEqual([
          { event: 'history', timeline: 2, content: history, timeMs: expect.any(Number) },
        ]);
        // Positions never go back on their timeline, and the first of the new one is behind the switch.
        const firsts = follower.events.flatMap((event) =>
          event.event === 'piece' && event.timeline === 2 ? event.to : [],
        );
        const switched = lsnOf(change?.event === 'timeline' ? change.lsn : '');
        expect(firsts.every((to) => lsnOf(to) > switched)).toBe(true);
        const base = { timeline: 1, endLsn: start, endAt: new Date(0).toISOString() };
        const replay = await replayFiles(journal, { identity, base, target: { lsn: end } });
        expect(replay.plan.timelines).toEqual([1, 2]);
        expect(replay.files.get('00000002.history')).toEqual(history);
        replay.files.delete('00000002.history');
        expect(await differences(standby, replay)).toEqual([]);

        // Old bytes, too: a receiver that begins on timeline 1 now gets the same.
        const again = createMemoryJournal(identity);
        const late = receive(
          standby,
          identity,
          { slot: null, from: { timeline: 1, lsn: start }, until: end },
          again.take,
        );
        expect(await late.ended).toBeUndefined();
        const second = await replayFiles(again, { identity, base, target: { lsn: end } });
        expect([...second.files.keys()].filter((name) => !name.includes('history'))).toEqual([...replay.files.keys()]);
        for (const [name, bytes] of replay.files) expect(second.files.get(name)?.equals(bytes)).toBe(true);

        // A journal that is beyond the switch on timeline 1 is of another history.
        const beyond = { timeline: 1, lsn: formatLsn(switched + 8n) };
        const refused = await caught(async () => {
          throw await receive(standby, identity, { slot: null, from: beyond }).ended;
        });
        expect(refused.code).toBe('JOURNAL_HISTORY_MISMATCH');
      },
    );
  });
});
