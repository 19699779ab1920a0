/**
 * Goal: WAL of a cluster that split off from the journal's is never taken for the journal's own, although identifier, timeline and
 * position fit.
 * Method: two standbys of one primary are promoted at different positions, and a copy is opened on the same timeline; each has written
 * beyond what the journal holds when it is asked for the rest. Without what is known of the past all three would go on.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatLsn, lsnOf, segmentStart } from '../../src/domain/lsn.ts';
import type { KnownPast, WalIdentity } from '../../src/postgres/wal/wal.ts';
import { caught } from '../support/caught.ts';
import type { TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  copyCluster,
  flushedLsn,
  receive,
  startKeeping,
  startStandby,
  until,
  wal,
  writeWal,
  type TestCopy,
} from './postgres-wal-support/wal-server.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
type Server = Pick<TestCopy, 'target' | 'dataDir' | 'query'>;

/** A position in the middle of a segment, and what lies before it there, read from the server's own file. */
async function pastOf(
  server: Server,
  identity: WalIdentity,
): Promise<{ readonly from: { timeline: number; lsn: string }; readonly past: KnownPast }> {
  await server.query("select pg_logical_emit_message(true, 'test', repeat('x', 5000))");
  const lsn = await flushedLsn(server);
  const start = segmentStart(lsnOf(lsn), identity.walSegmentBytes);
  const { rows } = await server.query<{ name: string }>('select pg_walfile_name($1::pg_lsn) as name', [lsn]);
  const file = await readFile(join(server.dataDir, 'pg_wal', rows[0]!.name));
  const bytes = file.subarray(0, Number(lsnOf(lsn) - start));
  const past = { from: formatLsn(start), to: lsn, sha256: sha256(bytes) };
  return { from: { timeline: identity.timeline, lsn }, past };
}

/** Writes until the server is beyond the position. */
async function goBeyond(server: Server, lsn: string): Promise<void> {
  while (lsnOf(await flushedLsn(server)) <= lsnOf(lsn) + 100_000n) await writeWal(server, 1);
}

const suite = await whenAvailable('postgres 18');
suite('wal of a cluster that split off', () => {
  let primary: TestPostgres;
  let identity: WalIdentity;
  beforeAll(async () => {
    primary = await startKeeping(18);
    await writeWal(primary, 2);
    identity = await wal.identify(primary.target);
  });
  afterAll(async () => primary?.stop());

  /** Bytes that another one gave as the continuation; the error with which it refused, where it did. */
  const goOn = async (
    server: Server,
    expected: WalIdentity & { readonly past?: KnownPast; readonly historyFile?: string },
    from: { readonly timeline: number; readonly lsn: string },
  ): Promise<{ readonly given: number; readonly error: unknown }> => {
    const end = await flushedLsn(server);
    const follower = receive(server, expected, { slot: null, from, until: end, expect: expected });
    const error = await follower.ended;
    return { given: follower.events.filter(({ event }) => event === 'piece').length, error };
  };
  const refused = async (...request: Parameters<typeof goOn>): Promise<void> => {
    const { given, error } = await goOn(...request);
    expect(given).toBe(0);
    expect((await caught(() => Promise.reject(error as Error))).code).toBe('JOURNAL_HISTORY_MISMATCH');
  };

  it('by a promotion of its own, with a timeline of the same number, is refused', async () => {
    const [ours, other] = [await startStandby(primary), await startStandby(primary)];
    try {
      await ours.promote();
      await writeWal(primary, 1);
      const ahead = await flushedLsn(primary);
      await until(async () => {
        const { rows } = await other.query<{ lsn: string }>('select pg_last_wal_replay_lsn()::text as lsn');
        return lsnOf(rows[0]!.lsn) >= lsnOf(ahead);
      }, 'the other standby is ahead');
      await other.promote();
      const mine = await wal.identify(ours.target);
      expect([mine.timeline, (await wal.identify(other.target)).timeline]).toEqual([2, 2]);
      const { from, past } = await pastOf(ours, mine);
      const historyFile = sha256(await readFile(join(ours.dataDir, 'pg_wal', '00000002.history')));
      for (const server of [ours, other]) await goBeyond(server, from.lsn);

      expect(await goOn(ours, { ...mine, past, historyFile }, from)).toEqual({
        given: expect.any(Number),
        error: undefined,
      });
      await refused(other, { ...mine, past }, from);
      await refused(other, { ...mine, historyFile }, from);
      // What makes the two needed: by identifier, timeline and position the other one fits.
      const naive = await goOn(other, mine, from);
      expect({ ...naive, isTaken: naive.given > 0 }).toMatchObject({ isTaken: true, error: undefined });
    } finally {
      await Promise.all([ours.stop(), other.stop()]);
    }
  });

  it('by being opened from an older copy on the same timeline is refused', async () => {
    const copy = await copyCluster(primary);
    const { from, past } = await pastOf(primary, identity);
    const other = await copy.start('opened-without.signal', {});
    try {
      for (const server of [primary, other]) await goBeyond(server, from.lsn);
      expect((await wal.identify(other.target)).timeline).toBe(identity.timeline);
      expect(await goOn(primary, { ...identity, past }, from)).toEqual({ given: expect.any(Number), error: undefined });
      await refused(other, { ...identity, past }, from);
      expect(await goOn(other, identity, from)).toMatchObject({ error: undefined });
    } finally {
      await other.stop();
    }
  });
});
