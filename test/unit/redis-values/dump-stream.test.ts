import * as fc from 'fast-check';
import { hash } from 'node:crypto';
import { CommandBuffer } from '../../../src/redis/dump/command-buffer.ts';
import { checkDump } from '../../../src/redis/dump/check-dump.ts';
import { createFlightWindow } from '../../../src/redis/dump/scan/flight-window.ts';
import { createRecentKeys } from '../../../src/redis/dump/scan/recent-keys.ts';
import { DumpWriter } from '../../../src/redis/dump/stream/dump-writer.ts';
import type { DumpItem } from '../../../src/redis/dump/stream/format.ts';
import { readDump } from '../../../src/redis/dump/stream/read-dump.ts';
import { dumpPayload } from '../../../src/redis/rdb/payload.ts';
import { encodeCommands } from '../../../src/redis/resp.ts';
import { string } from './encoders.ts';
import { runs, stride } from '../../support/property-runs.ts';

const HEADER = { server: '7.0.15', startedAt: '2026-01-02T03:04:05.678Z' };

interface Key {
  readonly db: number;
  readonly key: Uint8Array;
  readonly payload: Uint8Array;
  readonly expireAtMs: number | null;
}

const key: fc.Arbitrary<Key> = fc.record({
  db: fc.nat(20),
  key: fc.uint8Array({ maxLength: 50 }),
  payload: fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 70_000 }).map((size) => Buffer.alloc(size, size & 255)) },
    { weight: 1, arbitrary: fc.integer({ min: 250_000, max: 270_000 }).map((size) => Buffer.alloc(size, size & 255)) },
  ),
  expireAtMs: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
});

/** Chunks are copied when they are handed out, as they would be by a socket: nothing may change them afterwards. */
function write(keys: readonly Key[], functions?: Buffer): Buffer {
  const writer = new DumpWriter(HEADER);
  const chunks: Buffer[] = [];
  const handed: Buffer[] = [];
  const take = (some: readonly Buffer[]): void => {
    for (const chunk of some) {
      handed.push(chunk);
      chunks.push(Buffer.from(chunk));
    }
  };
  if (functions !== undefined) writer.functions(functions);
  for (const { db, key, payload, expireAtMs } of keys) {
    writer.key(db, Buffer.from(key), Buffer.from(payload), expireAtMs);
    take(writer.take());
  }
  take(writer.finish());
  expect(Buffer.concat(handed).equals(Buffer.concat(chunks))).toBe(true);
  return Buffer.concat(chunks);
}

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size = 1000): Promise<DumpItem[]> {
  const items: DumpItem[] = [];
  for await (const item of readDump(cut(bytes, size))) items.push(item);
  return items;
}

/** Comparing long buffers through jest is slow. */
const inShort = (item: DumpItem | ({ readonly kind: 'key' } & Key)): unknown => ({
  ...item,
  ...(item.kind === 'key' ? { key: hash('sha256', item.key), payload: hash('sha256', item.payload) } : {}),
});

const code = (name: unknown): unknown => expect.objectContaining({ code: name });
const small: readonly Key[] = [
  { db: 0, key: Buffer.from('a'), payload: Buffer.from('payload a'), expireAtMs: null },
  { db: 3, key: Buffer.from('b'), payload: Buffer.from('payload b'), expireAtMs: 4_102_444_800_123 },
];

async function* breaking(): AsyncGenerator<Uint8Array> {
  yield write(small).subarray(0, 40);
  throw new Error('store is gone');
}

const numbered = (index: number): Buffer => Buffer.from([index >> 8, index & 255, 0xff]);

describe('the redis-dump stream', () => {
  test('comes back as it was written, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 30 }), fc.integer({ min: 1, max: 100_000 }), async (keys, size) => {
        const [header, functions, ...rest] = await read(write(keys, Buffer.from('libraries')), size);
        expect(header).toEqual({ kind: 'header', header: HEADER });
        expect(functions).toEqual({ kind: 'functions', payload: Buffer.from('libraries') });
        expect(rest.map(inShort)).toEqual(keys.map((one) => inShort({ kind: 'key', ...one })));
      }),
      { numRuns: runs(60) },
    );
  });

  test('cut short at any byte it is truncated, never a clean end', async () => {
    const bytes = write(small, Buffer.from('libraries'));
    for (let size = 0; size < bytes.length; size += 1) {
      await expect(read(bytes.subarray(0, size))).rejects.toEqual(code('REDIS_DUMP_TRUNCATED'));
    }
    await expect(read(Buffer.concat([bytes, Buffer.from([0])]))).rejects.toEqual(code('REDIS_DUMP_FORMAT'));
  });

  test('with any bit flipped it is refused', async () => {
    const bytes = write(small, Buffer.from('libraries'));
    for (let bit = 0; bit < bytes.length * 8; bit += stride(7)) {
      const altered = Buffer.from(bytes);
      altered[bit >> 3]! ^= 1 << (bit & 7);
      await expect(read(altered)).rejects.toEqual(
        code(expect.stringMatching(/^REDIS_DUMP_(FORMAT|TRUNCATED|CHECKSUM)$/)),
      );
    }
  });

  test('a payload whose CRC64 is wrong is refused by the check, also inside a sound frame', async () => {
    const operation = { signal: new AbortController().signal, onProgress() {} };
    const payload = dumpPayload({ type: 0, value: string('value') }, 10);
    const sound = write([{ ...small[0]!, payload }]);
    expect(await checkDump(cut(sound, 7), operation)).toMatchObject({ keys: 1, databases: { 0: 1 } });
    payload[2]! ^= 1;
    await expect(checkDump(cut(write([{ ...small[0]!, payload }]), 7), operation)).rejects.toEqual(
      code('REDIS_DUMP_CHECKSUM'),
    );
    await expect(checkDump(cut(write(small), 7), operation)).rejects.toEqual(code('REDIS_DUMP_CHECKSUM'));
  });

  test('a reader that leaves early closes the source', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* cut(write(small), 10);
      } finally {
        closed = true;
      }
    }
    for await (const item of readDump(source())) if (item.kind === 'key') break;
    expect(closed).toBe(true);
  });

  test('an error of the source comes through', async () => {
    await expect(
      (async () => {
        for await (const _ of readDump(breaking()));
      })(),
    ).rejects.toThrow('store is gone');
  });
});

describe('pipelines to Redis', () => {
  test('commands are encoded as everywhere else', () => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 32_000, max: 300_000 }).map((size) => Buffer.alloc(size, size & 255)),
    );
    fc.assert(
      fc.property(fc.array(fc.array(argument, { minLength: 1, maxLength: 5 }), { maxLength: 40 }), (commands) => {
        const buffer = new CommandBuffer();
        for (const command of commands) buffer.add(...command);
        const expected = Buffer.concat(encodeCommands(commands));
        expect(buffer.sizeBytes).toBe(expected.length);
        expect(Buffer.concat(buffer.take()).equals(expected)).toBe(true);
        expect(buffer.sizeBytes).toBe(0);
      }),
      { numRuns: runs(60) },
    );
  });

  test('many small commands across pieces are encoded as everywhere else', () => {
    const commands = Array.from({ length: 20_000 }, (_, index) => [
      'SET',
      `key:${index}`,
      Buffer.alloc(index % 50, 'v'),
    ]);
    const buffer = new CommandBuffer();
    for (const command of commands) buffer.add(...command);
    expect(Buffer.concat(buffer.take()).equals(Buffer.concat(encodeCommands(commands)))).toBe(true);
  });

  test('the window grows with small values and shrinks with big ones', () => {
    const window = createFlightWindow();
    expect(window.keys).toBe(16);
    for (let seen = 0; seen < 10_000; seen += 1) window.saw(100);
    expect(window.keys).toBe(2000);
    for (let seen = 0; seen < 50; seen += 1) window.saw(10 * 1024 ** 2);
    expect(window.keys).toBeLessThan(40);
    for (let seen = 0; seen < 5000; seen += 1) window.saw(100 * 1024 ** 2);
    expect(window.keys).toBe(1);
    for (let seen = 0; seen < 50_000; seen += 1) window.saw(100);
    expect(window.keys).toBe(2000);
  });

  test('a window of big values from the start never opens', () => {
    const window = createFlightWindow();
    for (let seen = 0; seen < 100; seen += 1) {
      window.saw(8 * 1024 ** 2);
      expect(window.keys).toBeLessThanOrEqual(2);
    }
  });

  test('the latest keys are known again, the memory is bounded', () => {
    const recent = createRecentKeys(100);
    for (let index = 0; index < 1000; index += 1) {
      expect(recent.add(numbered(index))).toBe(false);
      expect(recent.add(numbered(Math.max(0, index - 99)))).toBe(true);
    }
    expect(recent.add(numbered(0))).toBe(false);
  });
});
