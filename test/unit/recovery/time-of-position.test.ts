import type { ComponentName } from '../../../src/domain/backup.ts';
import type { JournalEpoch } from '../../../src/domain/journal.ts';
import { timeOfPosition } from '../../../src/recovery/replay/time-of-position.ts';

type Entry = readonly [kind: 'piece' | 'segment' | 'history', timeline: number, from: string, to: string, toMs: number];

const epoch = (history: string, entries: readonly Entry[]): JournalEpoch =>
  ({
    begin: { history },
    entries: entries.map(([kind, timeline, from, to, toMs]) => ({ kind, timeline, from, to, toMs })),
  }) as unknown as JournalEpoch;

const OLD = epoch('A', [
  ['piece', 1, '0/1000000', '0/1000100', 1_000],
  ['piece', 1, '0/1000100', '0/1000200', 2_000],
  ['segment', 1, '0/1000000', '0/2000000', 9_000],
]);
const PROMOTED = epoch('A', [
  ['history', 2, '', '', 9_500],
  ['piece', 2, '0/1000180', '0/1000300', 10_000],
]);

const timeOf = (
  postgres: readonly JournalEpoch[],
  lsn: string,
  components: readonly ComponentName[] = ['postgres', 'redis'],
): number => timeOfPosition({ postgres, components }, lsn);

describe('the moment of a WAL position', () => {
  test.each([
    ['is when the piece that brought it was received, not the whole segment', [OLD], '0/1000150', 2_000],
    ['between two pieces is that of the first', [OLD], '0/1000100', 1_000],
    ['behind the pieces is that of the segment', [OLD], '0/1800000', 9_000],
    ['that two timelines wrote is that of the newest', [OLD, PROMOTED], '0/1000190', 10_000],
    ['before the promotion is that of the old timeline', [OLD, PROMOTED], '0/1000050', 1_000],
    [
      'that two clusters wrote is that of the newest',
      [OLD, epoch('B', [['piece', 1, '0/1000000', '0/1000900', 20_000]])],
      '0/1000150',
      20_000,
    ],
  ] as const)('%s', (_, epochs, lsn, expected) => {
    expect(timeOf(epochs, lsn)).toBe(expected);
  });

  test('that no journal holds is the present for PostgreSQL, and refused for Redis alone', () => {
    expect(Math.abs(timeOf([OLD], 'FF/0') - Date.now())).toBeLessThan(60_000);
    expect(() => timeOfPosition({ postgres: [OLD], components: ['redis'] }, 'FF/0')).toThrow(
      expect.objectContaining({ code: 'JOURNAL_TARGET_OUTSIDE', message: expect.stringContaining('FF/0') }),
    );
  });
});
