import { releaseLarge, writeBatch } from '../../../src/redis/dump/large-payload.ts';
import { readDump } from '../../../src/redis/dump/stream/read-dump.ts';
import { DumpWriter } from '../../../src/redis/dump/stream/dump-writer.ts';
import { RespParser } from '../../../src/redis/resp.ts';
import { LargeString } from '../../../src/redis/values/large-string.ts';

const MIB = 1024 * 1024;
/** Repeats after a prime number of bytes, so that a piece at a wrong place is seen. */
const BYTES = Buffer.from(Array.from({ length: 251 }, (_, at) => at));
const pattern = (size: number): Buffer => Buffer.alloc(size, BYTES);
/** In a buffer of its own, as what comes from a socket is. */
const alone = (bytes: Buffer): Buffer => {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
};

describe('a large payload', () => {
  test('is hashed without a copy of it', () => {
    const body = Buffer.concat([Buffer.from([0x80, 0, 0x10, 0, 0]), pattern(MIB)]);
    const pieces: Buffer[] = [];
    const string = new LargeString(
      () => undefined,
      (piece) => pieces.push(piece),
    );
    string.push(body);
    string.end();
    expect(pieces.map(({ buffer }) => buffer === body.buffer)).toEqual([true]);
    expect(Buffer.concat(pieces).equals(pattern(MIB))).toBe(true);
  });

  test('whose header comes byte by byte is read as well', () => {
    const body = Buffer.concat([Buffer.from([0x80, 0, 0, 0, 40]), pattern(40)]);
    const pieces: Buffer[] = [];
    const string = new LargeString(
      (size) => expect(size).toBe(40),
      (piece) => pieces.push(Buffer.from(piece)),
    );
    const one = Buffer.alloc(1);
    // The same memory for each: a piece is good until the next only.
    for (const byte of body) {
      one[0] = byte;
      string.push(one);
    }
    string.end();
    expect(Buffer.concat(pieces).equals(pattern(40))).toBe(true);
  });

  test('leaves as pieces that stay, and is given back; a small one stays whole', async () => {
    const [large, small] = [alone(pattern(3 * MIB + 7)), alone(Buffer.from('small'))];
    const writer = new DumpWriter({ server: '7.0.15', startedAt: '2026-01-01T00:00:00.000Z' });
    const batch = [
      { key: Buffer.from('a'), payload: large, expireAtMs: null },
      { key: Buffer.from('b'), payload: small, expireAtMs: 5 },
    ];
    const chunks = [...writeBatch(writer, 0, batch), ...writer.finish()];
    expect([large.length, small.length]).toEqual([0, 5]);
    expect(chunks.every(({ length }) => length <= MIB)).toBe(true);
    const source = (async function* () {
      yield* chunks;
    })();
    const read: string[] = [];
    for await (const item of readDump(source)) {
      if (item.kind !== 'key') continue;
      read.push(`${item.key.toString()} ${item.payload.length}`);
      expect(item.payload.equals(item.payload.length === 5 ? small : pattern(3 * MIB + 7))).toBe(true);
    }
    expect(read).toEqual([`a ${3 * MIB + 7}`, 'b 5']);
  });

  test('that shares its memory with others is not given back', () => {
    const shared = Buffer.allocUnsafeSlow(4 * MIB);
    releaseLarge([{ key: Buffer.from('a'), payload: shared.subarray(0, 2 * MIB), expireAtMs: null }]);
    expect(shared.length).toBe(4 * MIB);
  });

  test.each([true, false])(
    'comes out of the parser whole; chunks are emptied only where that is asked for: %s',
    (releases) => {
      const reply = Buffer.concat([Buffer.from(`+OK\r\n$${2 * MIB}\r\n`), pattern(2 * MIB), Buffer.from('\r\n:7\r\n')]);
      const chunks = Array.from({ length: Math.ceil(reply.length / 65_536) }, (_, at) =>
        alone(reply.subarray(at * 65_536, (at + 1) * 65_536)),
      );
      const parser = new RespParser({ releases });
      const values: unknown[] = [];
      for (const chunk of chunks) {
        parser.push(chunk);
        for (let value = parser.next(); value !== undefined; value = parser.next()) values.push(value);
      }
      expect([values[0], values[2], values.length]).toEqual(['OK', 7, 3]);
      expect((values[1] as Buffer).equals(pattern(2 * MIB))).toBe(true);
      // The first and the last hold other replies.
      expect(chunks.filter(({ length }) => length > 0)).toHaveLength(releases ? 2 : chunks.length);
    },
  );
});
