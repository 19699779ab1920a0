/**
 * Goal: what pg_controldata and pg_waldump print is read as it is meant, and the end of a record is where the server puts the next one.
 * Method: lines of real programs; record lengths are laid out page by page by a second, slower way.
 */
import fc from 'fast-check';
import { recordEnd, switchEnd } from '../../../src/domain/failover/wal-record.ts';
import { lsnOf } from '../../../src/domain/lsn.ts';
import { parseHostState } from '../../../src/failover/host/inspect-host.ts';
import { parseWalLine, readWalLines } from '../../../src/failover/postgres/wal-lines.ts';
import { caught } from '../../support/caught.ts';
import { runs } from '../../support/property-runs.ts';

const SEGMENT = 16 * 1_048_576;

describe('a wal record', () => {
  it('ends behind the headers of the pages that it crosses, on a place of eight bytes', () => {
    const start = fc
      .bigInt({ min: 5n, max: 8_000_000n })
      .map((n) => n * 8n)
      .filter((at) => at % 8_192n >= 40n);
    fc.assert(
      fc.property(start, fc.integer({ min: 24, max: 60_000 }), (at, total) => {
        let position = at;
        for (let rest = total; rest > 0;) {
          if (position % 8_192n === 0n) position += position % BigInt(SEGMENT) === 0n ? 40n : 24n;
          position += 1n;
          rest -= 1;
        }
        while (position % 8n !== 0n) position += 1n;
        expect(recordEnd(at, total, SEGMENT)).toBe(position);
      }),
      { seed: 4711, numRuns: runs(300) },
    );
  });

  it('that switches ends with its segment', () => {
    expect(switchEnd(0x0300_0100n, 24, SEGMENT)).toBe(0x0400_0000n);
  });
});

describe('a line of pg_waldump', () => {
  const commit =
    'rmgr: Transaction len (rec/tot):     34/    34, tx:        747, lsn: 0/01E3A5C8, prev 0/01E3A590, desc: COMMIT 2026-11-23 10:31:00.123456 UTC; inval msgs: catcache 1';
  it.each([
    [commit, '0/1E3A5C8', '0/1E3A5F0', '2026-11-23T10:31:00.123Z'],
    [commit.replace('COMMIT ', 'COMMIT_PREPARED 749: '), '0/1E3A5C8', '0/1E3A5F0', '2026-11-23T10:31:00.123Z'],
    [commit.replace('COMMIT ', 'ABORT '), '0/1E3A5C8', '0/1E3A5F0', null],
    [
      'rmgr: Heap        len (rec/tot):     59/   211, tx:        747, lsn: 0/01E3A600, prev 0/01E3A5C8, desc: INSERT off: 1, flags: 0x00, blkref #0: rel 1663/5/16384 fork main blk 0 FPW',
      '0/1E3A600',
      '0/1E3A6D8',
      null,
    ],
    [
      'rmgr: XLOG        len (rec/tot):     24/    24, tx:          0, lsn: 0/01E3A6D8, prev 0/01E3A600, desc: SWITCH ',
      '0/1E3A6D8',
      '0/2000000',
      null,
    ],
  ])('is read: %s', (line, start, end, committedAt) => {
    expect(parseWalLine(line, SEGMENT)).toEqual({ start: lsnOf(start), end: lsnOf(end), committedAt });
  });

  it('is found however the output is cut, and nothing else is one', async () => {
    const text = Buffer.from(`first record is after 0/0\n${commit}\n${commit}\n${commit}`);
    for (let at = 1; at < text.length; at += 7) {
      const records = [];
      const pieces = (async function* () {
        yield text.subarray(0, at);
        yield text.subarray(at);
      })();
      for await (const record of readWalLines(pieces, SEGMENT)) records.push(record);
      // The last one has no end: it may be cut off.
      expect(records).toHaveLength(2);
    }
  });
});

describe('a data directory', () => {
  const text = [
    'pg_ctl: no server running',
    'pg_control version number:            1800',
    'Database system identifier:           7312345678901234567',
    'Database cluster state:               shut down',
    'Latest checkpoint location:           0/3000028',
    "Latest checkpoint's REDO location:    0/3000028",
    "Latest checkpoint's TimeLineID:       2",
    'Bytes per WAL segment:                16777216',
    'standby.signal: present',
    'free bytes: 1048576',
  ];

  it('is described by its control file', () => {
    expect(parseHostState('look', text.join('\n'))).toEqual({
      running: false,
      clusterState: 'shut down',
      systemIdentifier: '7312345678901234567',
      timeline: 2,
      checkpointLsn: '0/3000028',
      segmentBytes: SEGMENT,
      fenced: true,
      freeBytes: 1_048_576,
    });
    const running = [
      'pg_ctl: server is running (PID: 4711)',
      ...text.slice(1, -2),
      'standby.signal: absent',
      'free bytes: 0',
    ];
    expect(parseHostState('look', running.join('\n'))).toMatchObject({ running: true, fenced: false });
  });

  it.each([0, 2, 3, 4, 6, 7, 8, 9])('without line %i is not guessed', async (missing) => {
    const rest = text.filter((_, index) => index !== missing).join('\n');
    expect((await caught(() => parseHostState('look', rest))).code).toBe('FAILOVER_HOST_UNREADABLE');
  });
});
