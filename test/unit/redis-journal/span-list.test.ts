import fc from 'fast-check';
import { SpanList } from '../../../src/redis/journal/follow/span-list.ts';
import { StreamFramer } from '../../../src/redis/journal/stream/stream-framer.ts';
import { encodeCommands } from '../../../src/redis/resp.ts';
import { runs } from '../../support/property-runs.ts';

const SEED = 20_260_116;
const LIMITS = { bytes: 1000, spanMs: 30_000 };
const command = (size: number): Buffer => Buffer.concat(encodeCommands([['SET', 'k', 'v'.repeat(size)]]));

describe('the list of what arrived when', () => {
  test('gives every byte once, in order, ending behind whole commands, with times that never go back', () => {
    const arrivals = fc.array(
      fc.record({
        size: fc.nat(3000),
        cut: fc.nat(100),
        afterMs: fc.integer({ min: -20, max: 400 }),
        give: fc.boolean(),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(arrivals, (steps) => {
        const framer = new StreamFramer({ offset: 50, database: 0, insideMulti: false });
        const list = new SpanList(50);
        let nowMs = 1_000_000;
        let latestMs = 0;
        const give = (): void => {
          for (let cut = list.next(LIMITS); cut !== undefined; cut = list.next(LIMITS)) {
            expect(cut.from).toBe(list.given);
            expect(cut.to).toBeGreaterThan(cut.from);
            expect(cut.fromMs).toBeGreaterThanOrEqual(latestMs);
            expect(cut.marks.length).toBeLessThanOrEqual(256);
            expect(cut.marks.reduce((sum, [bytes]) => sum + bytes, 0)).toBe(cut.to - cut.from);
            expect(cut.marks.reduce((sum, [, ms]) => sum + ms, cut.fromMs)).toBe(cut.toMs);
            expect(cut.marks.every(([bytes, ms]) => bytes > 0 && ms >= 0)).toBe(true);
            if (cut.state.unfinishedBytes > 0) expect(cut.to - cut.from).toBeGreaterThanOrEqual(LIMITS.bytes);
            latestMs = cut.toMs;
            list.give(cut);
          }
        };
        for (const { size, cut, afterMs, give: now } of steps) {
          const bytes = command(size);
          const place = Math.floor((bytes.length * cut) / 100);
          for (const part of [bytes.subarray(0, place), bytes.subarray(place)]) {
            nowMs += afterMs;
            framer.push(part);
            if (part.length > 0) list.add(framer, nowMs);
            if (now) give();
          }
        }
        give();
        expect(list.given).toBe(framer.offset);
        expect(list.waitingSinceMs).toBeUndefined();
      }),
      { seed: SEED, numRuns: runs(100) },
    );
  });

  test('the beginning of a command waits for its end, unless it is larger than a chunk', () => {
    const framer = new StreamFramer({ offset: 0, database: 0, insideMulti: false });
    const list = new SpanList(0);
    const bytes = command(5000);
    framer.push(bytes.subarray(0, 900));
    list.add(framer, 1);
    expect(list.next(LIMITS)).toBeUndefined();
    framer.push(bytes.subarray(900, 2000));
    list.add(framer, 500);
    expect(list.next(LIMITS)).toMatchObject({ from: 0, to: 2000, state: { unfinishedBytes: 2000 } });
  });

  test('a long stall is told with 256 marks, none of them too early', () => {
    const framer = new StreamFramer({ offset: 0, database: 0, insideMulti: false });
    const list = new SpanList(0);
    const received: (readonly [offset: number, timeMs: number])[] = [];
    for (let n = 0; n < 2000; n += 1) {
      framer.push(command(1));
      list.add(framer, n * 12);
      received.push([framer.offset, n * 12]);
    }
    const cut = list.next({ bytes: 1e9, spanMs: 30_000 })!;
    expect(cut.marks.length).toBeGreaterThan(200);
    expect(cut.marks.length).toBeLessThanOrEqual(256);
    let [offset, timeMs, at] = [0, cut.fromMs, 0];
    for (const [bytes, ms] of cut.marks) {
      offset += bytes;
      timeMs += ms;
      for (; at < received.length && received[at]![0] <= offset; at += 1) {
        expect(received[at]![1]).toBeLessThanOrEqual(timeMs);
        expect(timeMs - received[at]![1]).toBeLessThan(200);
      }
    }
    expect(at).toBe(received.length);
  });
});
