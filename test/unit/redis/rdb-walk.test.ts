import { LifeboatError } from '../../../src/domain/errors.ts';
import { createCrc64, isSealedByCrc64 } from '../../../src/redis/rdb/crc64.ts';
import { decompressLzf, LzfError } from '../../../src/redis/rdb/lzf.ts';
import { dumpPayload } from '../../../src/redis/rdb/payload.ts';
import { countRdb, readRdb, type RdbItem, RdbWalker } from '../../../src/redis/rdb/walk.ts';
import { expiry, length, PACKED_A40, rdbFile, record, string } from './rdb-file.ts';

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const fill = (size: number): Buffer => Buffer.alloc(size, 0xfe);

/** One body per shape, each with the bytes that would confuse a walker that loses its place (0xfe is SELECTDB). */
const BODIES: readonly (readonly [name: string, type: number, body: Buffer])[] = [
  ['a string', 0, string(fill(70))],
  ['an 8-bit integer', 0, bytes(0xc0, 0xff)],
  ['a 16-bit integer', 0, bytes(0xc1, 0xff, 0xff)],
  ['a 32-bit integer', 0, bytes(0xc2, 0xff, 0xff, 0xff, 0xff)],
  ['a packed string', 0, PACKED_A40],
  ['a string of 64-bit length', 0, Buffer.concat([bytes(0x81, 0, 0, 0, 0, 0, 0, 0, 3), fill(3)])],
  ['a list', 1, Buffer.concat([length(2), string('a'), PACKED_A40])],
  ['an empty list', 1, length(0)],
  ['a set', 2, Buffer.concat([length(3), string('a'), bytes(0xc0, 1), string(fill(9))])],
  [
    'a sorted set with scores as text',
    3,
    Buffer.concat([length(3), string('a'), bytes(3), fill(3), string('b'), bytes(253), string('c'), bytes(255)]),
  ],
  ['a hash', 4, Buffer.concat([length(1), string('f'), string(fill(300))])],
  ['a sorted set', 5, Buffer.concat([length(2), string('a'), fill(8), string('b'), fill(8)])],
  [
    'a module value',
    7,
    Buffer.concat([
      bytes(0x81),
      fill(8),
      bytes(1, 5, 2, 0x40, 200, 3),
      fill(4),
      bytes(4),
      fill(8),
      bytes(5),
      string(fill(5)),
      bytes(0),
    ]),
  ],
  ['an intset', 11, string(fill(20))],
  ['a quicklist of ziplists', 14, Buffer.concat([length(2), string(fill(5)), string(fill(6))])],
  ['a hash listpack', 16, string(fill(33))],
  ['a quicklist of listpacks', 18, Buffer.concat([length(2), bytes(2), string(fill(5)), bytes(1), string(fill(6))])],
  ['a set listpack', 20, string(fill(3))],
  ['a hash with field expiries', 24, Buffer.concat([fill(8), length(1), bytes(7), string('f'), string('v')])],
  ['a hash listpack with field expiries', 25, Buffer.concat([fill(8), string(fill(20))])],
  ['a stream of Redis 5', 15, stream(0, 0)],
  ['a stream of Redis 7.0', 19, stream(1, 0)],
  ['a stream of Redis 7.2', 21, stream(1, 8)],
];

function stream(counters: 0 | 1, activeBytes: number): Buffer {
  const entries = [length(1), string(fill(16)), string(fill(30)), length(1), length(5), length(0)];
  const added = counters === 1 ? [length(1), length(0), length(0), length(0), length(9)] : [];
  const pending = [length(1), fill(16), fill(8), length(3)];
  const consumer = [length(1), string('ann'), fill(8), fill(activeBytes), length(1), fill(16)];
  const group = [string('g'), length(5), length(0), ...(counters === 1 ? [length(1)] : []), ...pending, ...consumer];
  return Buffer.concat([...entries, ...added, length(1), ...group]);
}

const AT = 4_102_444_800_123;
const FILE = rdbFile([
  bytes(0xfa),
  string('redis-ver'),
  string('7.2.4'),
  bytes(0xfa),
  string('redis-bits'),
  bytes(0xc0, 64),
  bytes(0xf5),
  string('#!lua name=lib\nfff'),
  bytes(0xf7, 5, 2, 1),
  bytes(2, 9, 0),
  bytes(0xfe, 0),
  bytes(0xfb, 10, 2),
  ...BODIES.map(([name, type, body]) => record(type, string(name), body)),
  bytes(0xfe, 0x40, 200),
  expiry(AT),
  bytes(0xf8, 9),
  record(0, PACKED_A40, string('v')),
  bytes(0xfd, 1, 0, 0, 0),
  bytes(0xf9, 255),
  record(0, string(Buffer.from([0, 255, 10, 13])), string('')),
  bytes(0xf4, 1, 2, 3),
  record(0, string('last'), string('1')),
]);

async function* pieces(file: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
}

async function readAll(file: Buffer, size: number): Promise<RdbItem[]> {
  const items: RdbItem[] = [];
  for await (const item of readRdb(pieces(file, size))) items.push(item);
  return items;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'none',
    (error: unknown) => (error instanceof LifeboatError ? error.code : String(error)),
  );
}

test('every shape of value is given verbatim, with key, database and expiry, in pieces of any size', async () => {
  const expected = BODIES.map(([name, type, value]) => ({
    db: 0,
    key: Buffer.from(name),
    type,
    expireAtMs: null,
    value,
  }));
  for (const size of [1, 2, 3, 5, 7, 13, 64, 100_000]) {
    const items = await readAll(FILE, size);
    const entries = items.flatMap((item) => (item.kind === 'entry' ? [item.entry] : []));
    expect(entries.slice(0, BODIES.length)).toEqual(expected);
    expect(entries.slice(BODIES.length)).toEqual([
      { db: 200, key: Buffer.alloc(40, 'a'), type: 0, expireAtMs: AT, value: string('v') },
      { db: 200, key: Buffer.from([0, 255, 10, 13]), type: 0, expireAtMs: 1000, value: string('') },
      { db: 200, key: Buffer.from('last'), type: 0, expireAtMs: null, value: string('1') },
    ]);
    expect(items.filter(({ kind }) => kind === 'function')).toEqual([
      { kind: 'function', code: Buffer.from('#!lua name=lib\nfff') },
    ]);
  }
});

test('counting gives the same numbers as reading, without looking at a value', async () => {
  for (const size of [1, 4, 100_000]) {
    const summary = await countRdb(pieces(FILE, size));
    expect(summary).toMatchObject({
      version: 12,
      product: 'redis',
      aux: { 'redis-ver': '7.2.4', 'redis-bits': '64' },
      keys: BODIES.length + 3,
      databases: { 0: BODIES.length, 200: 3 },
      functions: 1,
      checksum: 'valid',
      bytes: FILE.length,
    });
    expect(summary.types).toMatchObject({ 0: 9, 7: 1, 21: 1 });
    const last = (await readAll(FILE, size)).at(-1);
    expect(last).toEqual({ kind: 'end', summary });
  }
});

test('a file cut anywhere is truncated, never short', async () => {
  const clean: string[] = [];
  for (let end = 0; end < FILE.length; end += 1) {
    const code = await codeOf(countRdb(pieces(FILE.subarray(0, end), 1000)));
    if (code !== 'RDB_TRUNCATED') clean.push(`${end}: ${code}`);
  }
  expect(clean).toEqual([]);
});

test('a flipped bit anywhere is noticed', async () => {
  const unnoticed: string[] = [];
  for (let at = 0; at < FILE.length; at += 1) {
    const broken = Buffer.from(FILE);
    broken[at]! ^= 1;
    // A flip in the number of the magic makes another version; its checksum then tells.
    const expected = at < FILE.length - 8 ? /^RDB_/ : /^RDB_CHECKSUM_MISMATCH$/;
    const code = await codeOf(countRdb(pieces(broken, 1000)));
    if (!expected.test(code)) unnoticed.push(`${at}: ${code}`);
  }
  expect(unnoticed).toEqual([]);
});

test('bytes behind the end are refused', async () => {
  expect(await codeOf(countRdb(pieces(Buffer.concat([FILE, bytes(0)]), 7)))).toBe('RDB_MALFORMED');
});

test('a file without checksum is read, and says so', async () => {
  const summary = await countRdb(pieces(rdbFile([record(0, string('a'), string('b'))], { checksum: false }), 4));
  expect(summary).toMatchObject({ keys: 1, checksum: 'absent' });
});

test('the magic of Valkey is known, any other is refused', async () => {
  expect(await countRdb(pieces(rdbFile([], { magic: 'VALKEY080' }), 4))).toMatchObject({
    product: 'valkey',
    version: 80,
  });
  for (const magic of ['REDISOO12', 'RESP     ', 'redis0009']) {
    expect(await codeOf(countRdb(pieces(rdbFile([], { magic }), 4)))).toBe('RDB_MALFORMED');
  }
});

test.each([6, 8, 22, 23, 26, 28, 30, 242, 243, 246])('type %i is refused by name', async (type) => {
  const file = rdbFile([record(type, string('a'), string('b'))]);
  const error = await countRdb(pieces(file, 100)).catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'RDB_TYPE_UNKNOWN', details: { type, rdbVersion: 12, product: 'redis' } });
});

test.each([
  ['an unknown string encoding', record(0, string('a'), bytes(0xc4))],
  ['an unknown length byte', record(0, string('a'), bytes(0x82))],
  ['an unknown module opcode', record(7, string('a'), bytes(1, 9))],
  ['a string encoding as count', record(1, string('a'), bytes(0xc0, 1))],
  ['a length beyond any memory', record(0, string('a'), bytes(0x81, 0, 0, 1, 0, 0, 0, 0, 0))],
  ['a key that does not unpack', record(0, bytes(0xc3, 5, 41, 0, 0x61, 0xe0, 30, 0), string('v'))],
])('%s is malformed', async (_name, broken) => {
  const walk = async (): Promise<unknown> => await readAll(rdbFile([broken]), 100);
  expect(await codeOf(walk())).toBe('RDB_MALFORMED');
});

test('a value that is not wanted is never held', () => {
  const walker = new RdbWalker();
  walker.push(Buffer.concat([Buffer.from('REDIS0010'), bytes(0, 1, 0x61), bytes(0x80, 0x04, 0, 0, 0)]));
  const piece = Buffer.alloc(1024 * 1024);
  const before = process.memoryUsage().arrayBuffers;
  for (let megabyte = 0; megabyte < 64; megabyte += 1) walker.push(piece);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  walker.push(bytes(0xff, 0, 0, 0, 0, 0, 0, 0, 0));
  expect(walker.end()).toMatchObject({ keys: 1, bytes: 9 + 3 + 5 + 64 * 1024 * 1024 + 9 });
});

function crcOf(...parts: Buffer[]): string {
  const crc = createCrc64();
  for (const part of parts) crc.update(part);
  return crc.hex();
}

test('giant values come out whole, alone and beside others, in pieces of any size', async () => {
  const giant = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, at) => at % 253));
  const body = Buffer.concat([length(3), string('a'), string(giant), string('z')]);
  const two = Buffer.concat([length(2), string(giant), string(giant)]);
  const file = rdbFile([
    record(0, string('one'), string(giant)),
    record(1, string('three'), body),
    record(2, string('two'), two),
    record(0, string('small'), string('v')),
    record(0, string(giant), string('v')),
  ]);
  for (const size of [1021, 65_536, 300_001, file.length]) {
    const items = await readAll(file, size);
    const entries = items.flatMap((item) => (item.kind === 'entry' ? [item.entry] : []));
    expect(entries.map(({ key }) => key.length)).toEqual([3, 5, 3, 5, giant.length]);
    expect(entries[0]!.value.equals(string(giant))).toBe(true);
    expect(entries[1]!.value.equals(body)).toBe(true);
    expect(entries[2]!.value.equals(two)).toBe(true);
    expect(entries[4]!.key.equals(giant)).toBe(true);
  }
});

test('crc64 has the check value of its definition, in one part or in two', () => {
  expect(crcOf(Buffer.from('123456789'))).toBe('e9c6d914c4b8d9ca');
  const text = Buffer.from('123456789'.repeat(7));
  for (let at = 0; at <= text.length; at += 1) {
    expect(crcOf(text.subarray(0, at), text.subarray(at))).toBe(crcOf(text));
  }
});

test('a payload is type, body, version and checksum, as DUMP of Redis 7.0 gives it for `SET a 1`', () => {
  const payload = dumpPayload({ type: 0, value: bytes(0xc0, 1) }, 10);
  expect(payload.toString('hex')).toMatch(/^00c0010a00[0-9a-f]{16}$/);
  expect(isSealedByCrc64(payload, payload.length - 8)).toBe(true);
  payload[1]! ^= 4;
  expect(isSealedByCrc64(payload, payload.length - 8)).toBe(false);
});

test('lzf unpacks literals and overlapping references, and refuses what does not fit', () => {
  expect(decompressLzf(PACKED_A40.subarray(3), 40).toString()).toBe('a'.repeat(40));
  expect(decompressLzf(bytes(2, 0x61, 0x62, 0x63, 0x20, 2), 6).toString()).toBe('abcabc');
  for (const [packed, size] of [
    [bytes(2, 0x61), 3],
    [bytes(0x20, 0), 3],
    [bytes(0, 0x61), 2],
    [bytes(0, 0x61, 0xe0), 40],
  ] as const) {
    expect(() => decompressLzf(packed, size)).toThrow(LzfError);
  }
});

test('a walk that looks at no value counts what one counts that does, in pieces of any size', () => {
  const keys = Array.from({ length: 500 }, (_, n) => [
    ...(n % 3 === 0 ? [expiry(AT + n)] : []),
    record(n % 7 === 0 ? 16 : 0, string(`key ${n}`), n % 5 === 0 ? bytes(0xc1, n & 255, 1) : string('v'.repeat(n))),
  ]);
  const file = rdbFile([bytes(0xfe, 0), ...keys.slice(0, 250).flat(), bytes(0xfe, 3), ...keys.slice(250).flat()]);
  const walk = (whole: Buffer, size: number, walker: RdbWalker): unknown => {
    for (let at = 0; at < whole.length; at += size) walker.push(whole.subarray(at, at + size));
    return walker.end();
  };
  for (const whole of [FILE, file]) {
    const expected = walk(whole, whole.length, new RdbWalker({ onEntry: () => undefined }));
    for (const size of [1, 2, 3, 7, 64, 1000, whole.length]) {
      expect(walk(whole, size, new RdbWalker())).toEqual(expected);
    }
  }
});
