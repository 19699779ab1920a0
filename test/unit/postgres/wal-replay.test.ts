import fc from 'fast-check';
import type { JournalDurable, JournalEntry, JournalEpoch } from '../../../src/domain/journal.ts';
import { formatLsn, lsnOf } from '../../../src/domain/lsn.ts';
import type { TimelineHistory } from '../../../src/domain/timeline.ts';
import { planWalReplay, type ReplayTarget, type WalReplay } from '../../../src/domain/wal-replay.ts';
import { runs } from '../../support/property-runs.ts';

const MIB = 1_048_576;
const SYSTEM = '77';
const base = {
  systemIdentifier: SYSTEM,
  timeline: 1,
  endLsn: formatLsn(BigInt(2 * MIB) + 500n),
  endAt: new Date(1_000).toISOString(),
  walSegmentBytes: MIB,
};

const at = (mib: number, bytes = 0): string => formatLsn(BigInt(mib * MIB + bytes));
let keys = 0;

function entry(kind: JournalEntry['kind'], facts: Partial<JournalEntry>): JournalEntry {
  keys += 1;
  const stored = { key: `entry-${keys}`, storedBytes: 0, sha256: '', plainBytes: 0, compression: 'none' as const };
  return { ...stored, kind, timeline: 1, from: '', to: '', fromMs: 0, toMs: 0, ...facts };
}

const segment = (mib: number, toMs: number, timeline = 1): JournalEntry =>
  entry('segment', { from: at(mib), to: at(mib + 1), toMs, timeline });
const piece = (from: string, to: string, toMs: number, timeline = 1): JournalEntry =>
  entry('piece', { from, to, toMs, timeline });

function epoch(
  number: number,
  entries: readonly JournalEntry[],
  more: Partial<JournalEpoch['begin']> & { durable?: JournalDurable } = {},
): JournalEpoch {
  const { durable = { timeline: 1, at: '0/0', timeMs: 0 }, ...begin } = more;
  const facts = { history: SYSTEM, epoch: number, continues: null, gap: null, ...begin };
  return { begin: facts, entries, durable, stream: null, closed: null } as unknown as JournalEpoch;
}

function plan(
  epochs: readonly JournalEpoch[],
  target: ReplayTarget,
  histories: Record<string, TimelineHistory> = {},
  from = base,
) {
  return planWalReplay(epochs, { base: from, target, histories: new Map(Object.entries(histories)) });
}

const shape = (found: ReturnType<typeof plan>): unknown =>
  found.found
    ? found.segments.map(
        ({ timeline, from, parts }) => `${timeline}:${from}:${parts.map(({ entry: { kind } }) => kind).join()}`,
      )
    : found.code;

describe('a plan of wal for a replay', () => {
  const whole = [
    segment(2, 2_000),
    segment(3, 3_000),
    piece(at(4), at(4, 100), 4_000),
    piece(at(4, 100), at(4, 200), 5_000),
  ];

  it('begins with the segment of the base and ends where the target is certainly behind', () => {
    expect(shape(plan([epoch(1, whole)], { timeMs: 2_000 }))).toEqual(['1:0/200000:segment']);
    expect(shape(plan([epoch(1, whole)], { timeMs: 2_001 }))).toEqual(['1:0/200000:segment', '1:0/300000:segment']);
    const all = ['1:0/200000:segment', '1:0/300000:segment', '1:0/400000:piece,piece'];
    expect(shape(plan([epoch(1, whole)], { timeMs: 5_000 }))).toEqual(all);
    expect(shape(plan([epoch(1, whole)], { lsn: at(4, 200) }))).toEqual(all);
    expect(shape(plan([epoch(1, whole)], 'end'))).toEqual(all);
    const idle = epoch(1, whole, { durable: { timeline: 1, at: at(4, 200), timeMs: 9_000 } });
    expect(shape(plan([idle], { timeMs: 9_000 }))).toEqual(all);
  });

  it('prefers a whole segment to its pieces, and joins pieces that overlap', () => {
    const entries = [piece(at(2), at(2, 900), 0), piece(at(2, 400), at(2, 700), 0), piece(at(2, 600), at(2, 1_200), 0)];
    const found = plan([epoch(1, entries)], { lsn: at(2, 1_200) }) as WalReplay;
    expect(found.segments[0]?.parts.map(({ entry: { from }, skipBytes }) => [from, skipBytes])).toEqual([
      [at(2), 0],
      [at(2, 600), 300],
    ]);
    expect(shape(plan([epoch(1, [...entries, segment(2, 0)])], { lsn: at(2, 1_200) }))).toEqual(['1:0/200000:segment']);
  });

  it('a target outside is refused with the nearest moment, before and behind', () => {
    for (const target of [{ timeMs: 999 }, { lsn: at(2, 499) }]) {
      expect(plan([epoch(1, whole)], target)).toMatchObject({ code: 'JOURNAL_TARGET_OUTSIDE', reach: null });
    }
    for (const target of [{ timeMs: 5_001 }, { lsn: at(4, 201) }]) {
      const reach = { timeline: 1, at: at(4, 200), timeMs: 5_000 };
      expect(plan([epoch(1, whole)], target)).toMatchObject({ code: 'JOURNAL_TARGET_OUTSIDE', reach });
    }
  });

  it('a hole is named, whatever is behind it, and never crossed', () => {
    const hole = [segment(2, 2_000), segment(4, 4_000)];
    for (const target of ['end', { timeMs: 4_000 }, { lsn: at(5) }] as const) {
      const refused = plan([epoch(1, hole)], target);
      expect(refused).toMatchObject({ code: 'JOURNAL_GAP', reach: { at: at(3), timeMs: 2_000 } });
      expect(refused.found ? '' : refused.message).toContain('between 0/300000 and 0/400000');
    }
    expect(shape(plan([epoch(1, hole)], { timeMs: 2_000 }))).toEqual(['1:0/200000:segment']);
    expect(shape(plan([epoch(1, [piece(at(2, 100), at(3), 0), segment(3, 0)])], 'end'))).toBe('JOURNAL_GAP');
    expect(shape(plan([], 'end'))).toBe('JOURNAL_GAP');
    expect(shape(plan([epoch(1, whole, { history: 'another' })], 'end'))).toBe('JOURNAL_GAP');
  });

  it('goes over the borders of epochs that continue each other, and of no others', () => {
    const first = epoch(1, whole.slice(0, 1));
    const follows = { continues: { history: SYSTEM, epoch: 1 } };
    expect(shape(plan([first, epoch(2, whole.slice(1), follows)], { timeMs: 5_000 }))).toHaveLength(3);
    expect(shape(plan([first, epoch(2, whole.slice(1))], { timeMs: 5_000 }))).toBe('JOURNAL_TARGET_OUTSIDE');
    expect(shape(plan([first, epoch(2, whole)], { timeMs: 5_000 }))).toHaveLength(3);
  });

  it('a journal of a server that was put back does not take the place of what was so before', () => {
    const from = { timeline: 1, at: at(2), timeMs: 9_000 };
    const lost = { kind: 'postgres', from: null, to: { ...from, history: SYSTEM }, message: '' } as const;
    const anew = [segment(2, 9_100), segment(3, 9_200)];
    const putBack = epoch(2, anew, { from, gap: { ...lost, code: 'JOURNAL_HISTORY_MISMATCH' } });
    const journals = [epoch(1, whole), putBack];
    expect(shape(plan(journals, { timeMs: 3_000 }))).toEqual(shape(plan([epoch(1, whole)], { timeMs: 3_000 })));
    expect(shape(plan(journals, { timeMs: 9_050 }))).toBe('JOURNAL_TARGET_OUTSIDE');
    const later = { ...base, endAt: new Date(9_010).toISOString() };
    expect(shape(plan(journals, { timeMs: 9_150 }, {}, later))).toHaveLength(2);
  });

  describe('over a promotion', () => {
    const switched = BigInt(4 * MIB) + 150n;
    const histories = (file: JournalEntry, end = switched): Record<string, TimelineHistory> => ({
      [file.key]: { timeline: 2, ancestors: [{ timeline: 1, end }] },
    });
    const file = entry('history', { timeline: 2 });
    const promoted = [...whole.slice(0, 3), file, segment(4, 6_000, 2), piece(at(5), at(5, 10), 7_000, 2)];

    it('the segment of the switch comes from the newer timeline, with its history', () => {
      const found = plan([epoch(1, promoted)], { timeMs: 7_000 }, histories(file)) as WalReplay;
      expect(shape(found)).toEqual([
        '1:0/200000:segment',
        '1:0/300000:segment',
        '2:0/400000:segment',
        '2:0/500000:piece',
      ]);
      expect(found.timelines).toEqual([1, 2]);
      expect(found.histories.map(({ entry: { key } }) => key)).toEqual([file.key]);
      expect(plan([epoch(1, promoted)], { timeMs: 3_000 }, histories(file))).toMatchObject({
        timelines: [1],
        histories: [],
      });
    });

    it('a base that was taken behind the switch on the old timeline cannot go there', () => {
      const late = { ...base, endLsn: at(4, 160) };
      expect(shape(plan([epoch(1, promoted)], 'end', histories(file), late))).toBe('JOURNAL_GAP');
      const own = { ...base, timeline: 2, endLsn: at(4, 160) };
      expect(shape(plan([epoch(1, promoted)], 'end', histories(file), own))).toEqual([
        '2:0/400000:segment',
        '2:0/500000:piece',
      ]);
    });

    it('a timeline without its history is not guessed at, and a hole before the switch is one', () => {
      expect(shape(plan([epoch(1, promoted)], { timeMs: 7_000 }))).toBe('JOURNAL_TARGET_OUTSIDE');
      const hole = promoted.filter(({ from }) => from !== at(3));
      expect(plan([epoch(1, hole)], 'end', histories(file))).toMatchObject({
        code: 'JOURNAL_GAP',
        reach: { at: at(3) },
      });
    });
  });

  it('covers every byte up to the target exactly once, however the wal was cut, or names the first hole', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 4 * MIB - 1 }), { maxLength: 30 });
    fc.assert(
      fc.property(
        cuts,
        fc.integer({ min: 0, max: 31 }),
        fc.integer({ min: 600, max: 4 * MIB }),
        (inner, lost, wanted) => {
          const borders = [...new Set([0, MIB, 2 * MIB, 3 * MIB, 4 * MIB, ...inner])].toSorted((a, b) => a - b);
          const pieces = borders.slice(1).map((to, index) => piece(at(2, borders[index] ?? 0), at(2, to), 0));
          const kept = pieces.filter((_, index) => index !== lost);
          const found = plan([epoch(1, kept)], { lsn: at(2, wanted) });
          const hole = pieces[lost] && lsnOf(pieces[lost].from) - BigInt(2 * MIB);
          const reachable = hole === undefined || Number(hole) >= wanted;
          expect(found.found).toBe(reachable);
          if (!found.found) return;
          let position = lsnOf(at(2));
          for (const { parts } of found.segments) {
            for (const part of parts) {
              expect(lsnOf(part.entry.from) + BigInt(part.skipBytes)).toBe(position);
              position = lsnOf(part.entry.to);
            }
          }
          expect(position).toBeGreaterThanOrEqual(lsnOf(at(2, wanted)));
          expect(position).toBe(lsnOf(found.reach.at));
        },
      ),
      { seed: 4711, numRuns: runs(100) },
    );
  });
});
