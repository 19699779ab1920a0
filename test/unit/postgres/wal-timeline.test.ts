import fc from 'fast-check';
import { formatLsn } from '../../../src/domain/lsn.ts';
import {
  describeHistory,
  historyFileName,
  isReachable,
  parseTimelineHistory,
  switchPoint,
  timelineAt,
  type TimelineHistory,
} from '../../../src/domain/timeline.ts';

const FILE = '1\t0/3000148\tno recovery target specified\n\n2\t0/5000000\tbefore 2026-11-23 10:31:00+00\n# end\n';

/** Increasing timelines that each begin where the one before was left. */
const history = fc
  .array(fc.record({ step: fc.integer({ min: 1, max: 5 }), bytes: fc.bigInt({ min: 0n, max: 2n ** 40n }) }), {
    maxLength: 8,
  })
  .map((steps): TimelineHistory => {
    let [timeline, end] = [0, 0n];
    const ancestors = steps.map(({ step, bytes }) => {
      timeline += step;
      end += bytes;
      return { timeline, end };
    });
    return { timeline: timeline + 1, ancestors };
  });

function parsed(timeline: number, content: string): TimelineHistory {
  const read = parseTimelineHistory(timeline, content);
  if (typeof read === 'string') throw new Error(read);
  return read;
}

describe('a timeline history', () => {
  it('says whose wal is where', () => {
    const read = parsed(3, FILE);
    expect(describeHistory(read)).toBe('1 → 2 at 0/3000148 → 3 at 0/5000000');
    expect([0n, 0x3000147n, 0x3000148n, 0x4ffffffn, 0x5000000n].map((lsn) => timelineAt(read, lsn))).toEqual([
      1, 1, 2, 2, 3,
    ]);
    expect(switchPoint(read, 2)).toBe(0x5000000n);
    expect(switchPoint(read, 3)).toBeNull();
    expect(switchPoint(read, 4)).toBeUndefined();
    expect(isReachable(read, { timeline: 1, lsn: 0x3000148n })).toBe(true);
    expect(isReachable(read, { timeline: 1, lsn: 0x3000149n })).toBe(false);
    expect(isReachable(read, { timeline: 9, lsn: 0n })).toBe(false);
    expect(historyFileName(26)).toBe('0000001A.history');
  });

  it('that is not one is named, not guessed at', () => {
    for (const wrong of [
      '1\n',
      '1 x\n',
      '3\t0/1\t\n',
      '0\t0/1\n',
      '1\t0/5\n1\t0/6\n',
      '2\t0/5\n1\t0/6\n',
      '1\t0/6\n2\t0/5\n',
    ]) {
      expect(parseTimelineHistory(3, wrong)).toMatch(/line \d/);
    }
  });

  it('survives being written, and gives every byte to exactly one timeline of the way', () => {
    fc.assert(
      fc.property(history, fc.bigInt({ min: 0n, max: 2n ** 44n }), (given, lsn) => {
        const file = given.ancestors.map(({ timeline, end }) => `${timeline}\t${formatLsn(end)}\treason\n`).join('');
        const read = parsed(given.timeline, file);
        expect(read).toEqual(given);
        const owner = timelineAt(read, lsn);
        const end = switchPoint(read, owner);
        expect(end === null || (end !== undefined && lsn < end)).toBe(true);
        expect(isReachable(read, { timeline: owner, lsn })).toBe(true);
        const before = read.ancestors.findLast(({ timeline }) => timeline < owner);
        expect(before === undefined || before.end <= lsn).toBe(true);
      }),
      { seed: 4711 },
    );
  });
});
