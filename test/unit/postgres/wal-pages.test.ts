import type { TimelineHistory } from '../../../src/domain/timeline.ts';
import { parseServerMessage, statusUpdate } from '../../../src/postgres/wal/receive/frames.ts';
import { Blocks } from '../../../src/postgres/wal/receive/blocks.ts';
import { createKnownTime } from '../../../src/postgres/wal/receive/known-time.ts';
import { createPageCheck } from '../../../src/postgres/wal/receive/page-check.ts';
import { readLongHeader } from '../../../src/postgres/wal/files/page-header.ts';
import { caught } from '../../support/caught.ts';

const SEGMENT = 1_048_576;
const PAGE = 8_192;
const SYSTEM = '7711593198067615301';
const START = 5n * BigInt(SEGMENT);
const ONE: TimelineHistory = { timeline: 1, ancestors: [] };

/** A segment of pages with the headers that PostgreSQL writes, and something in them. */
function segment(start: bigint, timelineOf: (lsn: bigint) => number = () => 1, littleEndian = true): Buffer {
  const bytes = Buffer.alloc(SEGMENT, 0x5a);
  for (let offset = 0; offset < SEGMENT; offset += PAGE) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, PAGE);
    const lsn = start + BigInt(offset);
    view.setUint16(0, 0xd118, littleEndian);
    view.setUint16(2, offset === 0 ? 2 : 0, littleEndian);
    view.setUint32(4, timelineOf(lsn), littleEndian);
    view.setBigUint64(8, lsn, littleEndian);
    if (offset > 0) continue;
    view.setBigUint64(24, BigInt(SYSTEM), littleEndian);
    view.setUint32(32, SEGMENT, littleEndian);
    view.setUint32(36, PAGE, littleEndian);
  }
  return bytes;
}

const check = (history = ONE) => createPageCheck({ systemIdentifier: SYSTEM, segmentBytes: SEGMENT, history });
const codeOf = async (bytes: Buffer, start = START, history = ONE) =>
  (await caught(() => check(history).check({ bytes, start }))).code;

describe('pages of wal', () => {
  it('pass when they are what belongs there, on machines of both byte orders', () => {
    check().check({ bytes: segment(START), start: START });
    const big = segment(START, () => 1, false);
    check().check({ bytes: big, start: START });
    expect(readLongHeader(big)).toMatchObject({ systemIdentifier: SYSTEM, segmentBytes: SEGMENT, littleEndian: false });
  });

  it('of another place, timeline, version or system are found, on whatever page', async () => {
    const change = async (offset: number, work: (view: DataView) => void): Promise<string> => {
      const bytes = segment(START);
      work(new DataView(bytes.buffer, bytes.byteOffset + offset, PAGE));
      return codeOf(bytes);
    };
    for (const page of [0, PAGE, SEGMENT - PAGE]) {
      expect(await change(page, (view) => view.setBigUint64(8, 8_192n, true))).toBe('JOURNAL_STREAM_DAMAGED');
      expect(await change(page, (view) => view.setUint32(4, 2, true))).toBe('JOURNAL_STREAM_DAMAGED');
    }
    expect(await change(PAGE, (view) => view.setUint16(0, 0xd117, true))).toBe('JOURNAL_STREAM_DAMAGED');
    expect(await change(0, (view) => view.setUint32(32, 2 * SEGMENT, true))).toBe('JOURNAL_STREAM_DAMAGED');
    expect(await change(0, (view) => view.setBigUint64(24, 42n, true))).toBe('JOURNAL_HISTORY_MISMATCH');
    // What a buffer that is used again leads to: a piece of the right size from somewhere else.
    const mixed = segment(START);
    mixed.copyWithin(10 * PAGE, 20 * PAGE, 28 * PAGE);
    expect(await codeOf(mixed)).toBe('JOURNAL_STREAM_DAMAGED');
  });

  it('behind a switch are zeros to the end of the segment, and nowhere else', async () => {
    const switched = segment(START).fill(0, 3 * PAGE);
    const pages = check();
    pages.check({ bytes: switched, start: START });
    pages.check({ bytes: segment(START + BigInt(SEGMENT)), start: START + BigInt(SEGMENT) });
    expect(await codeOf(segment(START).fill(0, 3 * PAGE, 5 * PAGE))).toBe('JOURNAL_STREAM_DAMAGED');
    expect(await codeOf(segment(START).fill(0, 3 * PAGE, 3 * PAGE + 100))).toBe('JOURNAL_STREAM_DAMAGED');
    expect(await codeOf(Buffer.alloc(SEGMENT))).toBe('JOURNAL_STREAM_DAMAGED');
  });

  it('of the segment of a promotion are of the timeline that wrote them', async () => {
    const end = START + BigInt(10 * PAGE + 100);
    const history = { timeline: 2, ancestors: [{ timeline: 1, end }] };
    const written = segment(START, (lsn) => (lsn < end ? 1 : 2));
    check(history).check({ bytes: written, start: START });
    expect(
      await codeOf(
        segment(START, (lsn) => (lsn < end - 8_192n ? 1 : 2)),
        START,
        history,
      ),
    ).toBe('JOURNAL_STREAM_DAMAGED');
    expect(
      await codeOf(
        segment(START, () => 1),
        START,
        history,
      ),
    ).toBe('JOURNAL_STREAM_DAMAGED');
  });
});

describe('the moment up to which all was received', () => {
  it('waits for the position that was read after the clock', () => {
    const known = createKnownTime(5);
    known.sample({ timeMs: 10, lsn: 100n });
    known.reached(99n);
    expect(known.ms).toBe(5);
    known.sample({ timeMs: 20, lsn: 200n });
    known.sample({ timeMs: 30, lsn: 300n });
    known.reached(250n);
    expect(known.ms).toBe(10);
    known.reached(300n);
    expect(known.ms).toBe(30);
    known.sample({ timeMs: 7, lsn: 300n });
    known.reached(400n);
    expect(known.ms).toBe(30);
  });
});

describe('wal between socket and consumer', () => {
  const blocksFrom = (giveFrom = START, giveBeyond = giveFrom) =>
    new Blocks({
      timeline: 1,
      start: START,
      giveFrom,
      giveBeyond,
      segmentBytes: SEGMENT,
      pages: check(),
      known: createKnownTime(1),
    });

  it('never takes more than two segments, and hands none out twice', () => {
    const blocks = blocksFrom();
    const [first, second, third] = [0, 1, 2].map((index) => segment(START + BigInt(index * SEGMENT))) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    expect(blocks.append(Buffer.concat([first, second, third]))).toBe(2 * SEGMENT);
    const held = blocks.takeFull(0);
    expect(held).toMatchObject({ segment: true, from: '0/500000', to: '0/600000', fromMs: 0, toMs: 1 });
    expect(blocks.append(third)).toBe(0);
    expect(first.equals(held?.bytes ?? Buffer.alloc(0))).toBe(true);
    blocks.release();
    expect(blocks.append(third)).toBe(SEGMENT);
    expect(Buffer.from(blocks.takeFull(0)?.bytes ?? []).equals(second)).toBe(true);
    blocks.release();
    expect(Buffer.from(blocks.takeFull(0)?.bytes ?? []).equals(third)).toBe(true);
    expect(blocks.takeFull(0)).toBeUndefined();
  });

  it('pieces join without a hole, begin where they are wanted, and the segment is whole all the same', () => {
    const bytes = segment(START);
    const blocks = blocksFrom(START + 50_000n, START + 70_000n);
    blocks.append(bytes.subarray(0, 60_000));
    expect(blocks.takePart(0)).toBeUndefined();
    blocks.append(bytes.subarray(60_000, 100_000));
    expect(blocks.takePart(0)).toMatchObject({ segment: false, from: '0/50C350', to: '0/5186A0' });
    expect(blocks.takePart(0)).toBeUndefined();
    blocks.append(bytes.subarray(100_000, 100_010));
    expect(blocks.takePart(0)?.bytes.length).toBe(10);
    blocks.append(bytes.subarray(100_010));
    expect(Buffer.from(blocks.takeFull(0)?.bytes ?? []).equals(bytes)).toBe(true);
  });
});

describe('messages of the replication protocol', () => {
  it('are read as the manual says', () => {
    const data = Buffer.alloc(28, 7);
    data[0] = 0x77;
    data.writeBigUInt64BE(0x1000n, 1);
    data.writeBigUInt64BE(0x2000n, 9);
    data.writeBigInt64BE(1_500_000n, 17);
    const sentMs = Date.UTC(2000, 0, 1) + 1_500;
    expect(parseServerMessage(data)).toMatchObject({ message: 'wal', start: 0x1000n, flushed: 0x2000n, sentMs });
    const alive = Buffer.alloc(18);
    alive[0] = 0x6b;
    alive[17] = 1;
    expect(parseServerMessage(alive)).toMatchObject({ message: 'keepalive', sent: 0n, replyRequested: true });
    expect(parseServerMessage(Buffer.from('k'))).toBeUndefined();
    expect(parseServerMessage(Buffer.alloc(40))).toBeUndefined();
    const status = statusUpdate({ confirmed: 0x1234n, nowMs: sentMs, requestReply: true });
    expect([1, 9, 17].map((offset) => status.readBigUInt64BE(offset))).toEqual([0x1234n, 0x1234n, 0x1234n]);
    expect([status.length, status[0], status.readBigInt64BE(25), status[33]]).toEqual([34, 0x72, 1_500_000n, 1]);
  });
});
