import { checkDump } from '../../../src/redis/dump/check-dump.ts';
import { DumpWriter } from '../../../src/redis/dump/stream/dump-writer.ts';
import { readDumpInPieces } from '../../../src/redis/dump/stream/read-dump.ts';
import type { RestoreItem } from '../../../src/redis/dump/stream/format.ts';
import { rdbItems } from '../../../src/redis/import/rdb-items.ts';
import { IN_PIECES_BYTES } from '../../../src/redis/rdb/capture.ts';
import { LzfStream } from '../../../src/redis/rdb/lzf-stream.ts';
import { decompressLzf } from '../../../src/redis/rdb/lzf.ts';
import { dumpPayload } from '../../../src/redis/rdb/payload.ts';
import { RdbWalker, type RdbEntry } from '../../../src/redis/rdb/walk.ts';
import { createDigest } from '../../../src/redis/values/digest.ts';
import { EntryHasher } from '../../../src/redis/values/entry-hasher.ts';
import { expiry, length, rdbFile, record, string } from './rdb-file.ts';

const AT = 4_102_444_800_123;
const QUIET = { signal: new AbortController().signal, onProgress: () => undefined };

/** Mulberry32: the same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** LZF data of literals and references of every length and distance; `sizeBytes` is what it unpacks to. */
function lzf(seed: number, wantedBytes: number): { readonly packed: Buffer; readonly sizeBytes: number } {
  const random = numbers(seed);
  const out: number[] = [];
  let sizeBytes = 0;
  while (sizeBytes < wantedBytes) {
    if (sizeBytes === 0 || random(3) === 0) {
      const count = 1 + random(32);
      out.push(count - 1, ...Array.from({ length: count }, () => random(256)));
      sizeBytes += count;
    } else {
      const distance = random(Math.min(8192, sizeBytes));
      const long = random(2) === 0;
      const extra = random(256);
      const code = long ? 7 : 1 + random(6);
      out.push((code << 5) | (distance >> 8), ...(long ? [extra] : []), distance & 255);
      sizeBytes += (long ? 7 + extra : code) + 2;
    }
  }
  return { packed: Buffer.from(out), sizeBytes };
}

function unpack(packed: Buffer, sizeBytes: number, pieceBytes: number): Buffer {
  const pieces: Buffer[] = [];
  const stream = new LzfStream(sizeBytes, (piece) => void pieces.push(Buffer.from(piece)));
  for (let at = 0; at < packed.length; at += pieceBytes) stream.push(packed.subarray(at, at + pieceBytes));
  stream.end();
  return Buffer.concat(pieces);
}

const PACKED = lzf(7, IN_PIECES_BYTES * 3);
const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(9, 0x81);
  bytes.writeBigUInt64BE(BigInt(value), 1);
  return bytes;
};
const PLAIN_BODY = string(Buffer.alloc(IN_PIECES_BYTES + 17, 'ab\r\n'));
const PACKED_BODY = Buffer.concat([
  Buffer.from([0xc3]),
  long(PACKED.packed.length),
  length(PACKED.sizeBytes),
  PACKED.packed,
]);
/** A hash of one large field: not one string of the file, so it is put together. */
const HASH_BODY = Buffer.concat([length(1), string('f'), string(Buffer.alloc(IN_PIECES_BYTES, 'v'))]);

const ENTRIES: readonly Omit<RdbEntry, 'db'>[] = [
  { key: Buffer.from('before'), type: 0, expireAtMs: null, value: string('small') },
  { key: Buffer.from('plain'), type: 0, expireAtMs: AT, value: PLAIN_BODY },
  { key: Buffer.from('between'), type: 0, expireAtMs: null, value: string('small') },
  { key: Buffer.from('packed'), type: 0, expireAtMs: null, value: PACKED_BODY },
  { key: Buffer.from('hash'), type: 4, expireAtMs: null, value: HASH_BODY },
  { key: Buffer.from('gone'), type: 0, expireAtMs: 1, value: PLAIN_BODY },
];
const FILE = rdbFile([
  Buffer.from([0xfe, 0]),
  ...ENTRIES.flatMap(({ key, type, expireAtMs, value }) => [
    ...(expireAtMs === null ? [] : [expiry(expireAtMs)]),
    record(type, string(key), value),
  ]),
]);

async function* cut(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Keys with their payloads, put together again. */
async function payloads(items: AsyncIterable<RestoreItem>): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer[]>();
  let last: Buffer[] = [];
  for await (const item of items) {
    if (item.kind === 'key') found.set(item.key.toString(), [item.payload]);
    if (item.kind === 'large key') found.set(item.key.toString(), (last = []));
    if (item.kind === 'piece') last.push(Buffer.from(item.bytes));
  }
  return new Map([...found].map(([key, pieces]) => [key, Buffer.concat(pieces)]));
}

function dumpOf(entries: readonly Omit<RdbEntry, 'db'>[]): Buffer {
  const writer = new DumpWriter({ server: '7.0.15', startedAt: '2026-01-01T00:00:00.000Z' });
  for (const entry of entries) writer.key(0, entry.key, dumpPayload(entry, 10), entry.expireAtMs);
  return Buffer.concat([...writer.take(), ...writer.finish()]);
}

const SIZES = [1021, 65_536, 2_000_003, FILE.length];
const WHOLE = createDigest({ liveAtMs: 2 });
for (const entry of ENTRIES) WHOLE.add({ db: 0, ...entry });
const SUMMARY = { keys: 5, expired: 1, digest: WHOLE.digest() };

test.each([1, 2, 3, 5, 8, 13, 21])('lzf in pieces unpacks to what it unpacks to as a whole (seed %i)', (seed) => {
  const { packed, sizeBytes } = lzf(seed, 600_000);
  const whole = decompressLzf(packed, sizeBytes);
  for (const pieceBytes of [1, 7, 4096, packed.length]) {
    expect(unpack(packed, sizeBytes, pieceBytes).equals(whole)).toBe(true);
  }
});

test('lzf in pieces refuses what does not unpack to its size', () => {
  const { packed, sizeBytes } = lzf(34, 300_000);
  for (const wrong of [sizeBytes - 1, sizeBytes + 1, 0]) expect(() => unpack(packed, wrong, 1000)).toThrow(/bytes/);
  expect(() => unpack(Buffer.from([5, 1, 2]), 6, 10)).toThrow(/within an instruction/);
  expect(() => unpack(Buffer.from([0, 1, 0x20, 1]), 4, 10)).toThrow(/before the beginning/);
});

test('a large string in pieces has the hash that it has as a whole, wherever they are cut', () => {
  const hasher = new EntryHasher();
  for (const { value, ...head } of ENTRIES.filter(({ value, type }) => type === 0 && value.length > IN_PIECES_BYTES)) {
    const whole = hasher.hash({ db: 3, ...head, value });
    for (const first of [1, 2, 9, 18, 19, 20, 100_000]) {
      const pieces = hasher.hashLarge({ db: 3, ...head })!;
      pieces.piece(value.subarray(0, first));
      pieces.piece(value.subarray(first));
      expect(pieces.end()).toBe(whole);
    }
  }
});

test.each(SIZES)('an rdb file with large values is restored and digested the same in pieces of %i', async (size) => {
  const expected = new Map(ENTRIES.map((entry) => [entry.key.toString(), dumpPayload(entry, 10)]));
  const found = await payloads(rdbItems(cut(FILE, size), 10));
  expect([...found.keys()]).toEqual([...expected.keys()]);
  for (const [key, payload] of expected) expect(found.get(key)?.equals(payload)).toBe(true);
  const digest = createDigest({ liveAtMs: 2 });
  const walker = new RdbWalker({ onEntry: (entry) => digest.add(entry), onLarge: (head) => digest.addLarge(head) });
  for await (const piece of cut(FILE, size)) walker.push(piece);
  expect(walker.end()).toMatchObject({ keys: 6, checksum: 'valid' });
  expect({ keys: digest.keys, expired: digest.expired, digest: digest.digest() }).toEqual(SUMMARY);
});

test.each(SIZES)(
  'a redis-dump stream with large values is restored and digested the same in pieces of %i',
  async (size) => {
    const dump = dumpOf(ENTRIES);
    const found = await payloads(readDumpInPieces(cut(dump, size), IN_PIECES_BYTES));
    for (const entry of ENTRIES) expect(found.get(entry.key.toString())?.equals(dumpPayload(entry, 10))).toBe(true);
    expect(await checkDump(cut(dump, size), QUIET, { liveAtMs: 2 })).toMatchObject(SUMMARY);
  },
);

test('a large payload with a wrong bit is refused, wherever it is', async () => {
  const [, plain] = ENTRIES;
  const sound = dumpPayload(plain!, 10);
  for (const at of [3, 100_000, sound.length - 11, sound.length - 9, sound.length - 1]) {
    const payload = Buffer.from(sound);
    payload[at]! ^= 1;
    const writer = new DumpWriter({ server: '', startedAt: '' });
    writer.key(0, plain!.key, payload, null);
    const dump = Buffer.concat([...writer.take(), ...writer.finish()]);
    await expect(checkDump(cut(dump, 70_001), QUIET)).rejects.toMatchObject({
      code: expect.stringMatching(/^REDIS_DUMP_CHECKSUM$|^RDB_MALFORMED$/),
    });
  }
});
