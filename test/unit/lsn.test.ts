import fc from 'fast-check';
import {
  compareLsn,
  formatLsn,
  isSegmentSize,
  parseLsn,
  parseSegmentName,
  segmentCeiling,
  segmentName,
  segmentStart,
} from '../../src/domain/lsn.ts';

const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const segmentBytes = fc.integer({ min: 20, max: 30 }).map((power) => 2 ** power);
const timeline = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const seeded = { seed: 4711 };

describe('an lsn', () => {
  it('reads as PostgreSQL writes it, and nothing else does', () => {
    expect(parseLsn('16/B374D848')).toBe(0x16_b374_d848n);
    expect(formatLsn(0x16_b374_d848n)).toBe('16/B374D848');
    expect(formatLsn(0n)).toBe('0/0');
    for (const wrong of ['', '0', '/', '0/', '0/1FFFFFFFF', '-1/0', '0/0 ', 'G/0'])
      expect(parseLsn(wrong)).toBeUndefined();
  });

  it('survives being written, and is ordered as its number is', () => {
    fc.assert(
      fc.property(lsn, lsn, (a, b) => {
        expect(parseLsn(formatLsn(a))).toBe(a);
        expect(Math.sign(compareLsn(formatLsn(a), formatLsn(b)))).toBe(a < b ? -1 : Number(a > b));
      }),
      seeded,
    );
  });

  it('is in exactly one segment, whose name tells timeline and start', () => {
    fc.assert(
      fc.property(lsn, segmentBytes, timeline, (position, size, line) => {
        const start = segmentStart(position, size);
        expect(start <= position && position < start + BigInt(size)).toBe(true);
        expect(start % BigInt(size)).toBe(0n);
        const ceiling = segmentCeiling(position, size);
        expect(ceiling === position ? start : ceiling - BigInt(size)).toBe(start);
        const name = segmentName(line, position, size);
        expect(name).toMatch(/^[0-9A-F]{24}$/);
        expect(parseSegmentName(name, size)).toEqual({ timeline: line, lsn: start });
      }),
      seeded,
    );
  });

  it('names segments as pg_walfile_name does', () => {
    expect(segmentName(1, 0x1_0000_0000n, 16_777_216)).toBe('000000010000000100000000');
    expect(segmentName(10, 0xff_ffff_ffffn, 16_777_216)).toBe('0000000A000000FF000000FF');
    expect(segmentName(1, 0x1_4000_0000n, 1_073_741_824)).toBe('000000010000000100000001');
    expect(parseSegmentName('000000010000000100000100', 16_777_216)).toBeUndefined();
    expect(parseSegmentName('000000000000000100000000', 16_777_216)).toBeUndefined();
    expect([1_048_576, 2 ** 30].every(isSegmentSize)).toBe(true);
    expect([0, 524_288, 3_000_000, 2 ** 31].some(isSegmentSize)).toBe(false);
  });
});
