import * as fc from 'fast-check';
import { encodeCommands, RespError, RespParser, RespSyntaxError, type RespValue } from '../../../src/redis/resp.ts';

/** Writes a reply the way a server does; the opposite of the parser, kept apart from it. */
function wire(value: RespValue): Buffer {
  if (value === null) return Buffer.from('$-1\r\n');
  if (typeof value === 'number') return Buffer.from(`:${value}\r\n`);
  if (typeof value === 'string') return Buffer.from(`+${value}\r\n`);
  if (value instanceof RespError) return Buffer.from(`-${value.code} ${value.message}\r\n`);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from(`*${value.length}\r\n`), ...value.map(wire)]);
  return Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);
}

const word = fc.stringMatching(/^[A-Za-z0-9 ]{0,12}$/);
const { reply } = fc.letrec<{ reply: RespValue }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.integer(),
    word,
    fc.constant(null),
    word.map((message) => new RespError(`ERR ${message}`)),
    fc.array(tie('reply'), { maxLength: 4 }),
  ),
}));

/** Cuts at fixed pseudo-random places, so that every kind of seam occurs. */
function cut(bytes: Buffer, seed: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, state = seed; at < bytes.length;) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const size = 1 + (state % 7);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function parse(pieces: readonly Buffer[], parser = new RespParser()): RespValue[] {
  const values: RespValue[] = [];
  for (const piece of pieces) {
    parser.push(piece);
    for (let value = parser.next(); value !== undefined; value = parser.next()) values.push(value);
  }
  return values;
}

test('any replies come out as they went in, wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 8 }), fc.nat(), (replies, seed) => {
      const bytes = Buffer.concat(replies.map(wire));
      expect(parse(cut(bytes, seed))).toEqual(replies);
      expect(parse([bytes])).toEqual(replies);
    }),
  );
});

test('nothing is pending between replies, something is inside of one', () => {
  const parser = new RespParser();
  const bytes = wire([Buffer.from('ab'), 1]);
  for (let at = 0; at < bytes.length - 1; at += 1) {
    parser.push(bytes.subarray(at, at + 1));
    expect(parser.next()).toBeUndefined();
    expect(parser.pendingBytes).toBeGreaterThan(0);
  }
  parser.push(bytes.subarray(bytes.length - 1));
  expect(parser.next()).toEqual([Buffer.from('ab'), 1]);
  expect(parser.pendingBytes).toBe(0);
});

test('a large bulk in many pieces is copied once, not once per piece', () => {
  const size = 64 * 1024 * 1024;
  const parser = new RespParser();
  const piece = Buffer.alloc(16 * 1024, 7);
  parser.push(Buffer.from(`$${size}\r\n`));
  const before = process.memoryUsage().arrayBuffers;
  for (let at = 0; at < size; at += piece.length) {
    parser.push(piece);
    expect(parser.next()).toBeUndefined();
  }
  parser.push(Buffer.from('\r\n'));
  expect(parser.next()).toHaveProperty('length', size);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size * 1.5);
});

test.each([
  ['an unknown marker', '!3\r\nabc\r\n'],
  ['a length that is no number', '$x\r\n'],
  ['a length below -1', '$-2\r\n'],
  ['a length beyond any server', '$99999999999999\r\n'],
  ['a bulk without its line end', '$3\r\nabcde'],
  ['a carriage return alone', '+OK\rx'],
  ['a line without an end', `+${'x'.repeat(70_000)}`],
])('%s is refused', (_name, bytes) => {
  expect(() => parse([Buffer.from(bytes)])).toThrow(RespSyntaxError);
});

test('line feeds between commands are dropped where they keep a link alive, never inside of one', () => {
  const bytes = Buffer.from('\n\n*1\r\n$4\r\nPING\r\n\n*2\r\n$1\r\n\n\r\n$0\r\n\r\n\n');
  const expected = [[Buffer.from('PING')], [Buffer.from('\n'), Buffer.alloc(0)]];
  for (let seed = 0; seed < 50; seed += 1) {
    expect(parse(cut(bytes, seed), new RespParser({ keepAlives: true }))).toEqual(expected);
  }
  expect(() => parse([bytes])).toThrow(RespSyntaxError);
});

test('commands are arrays of bulk strings; text is utf-8, large arguments are not copied', () => {
  const large = Buffer.alloc(100_000, 1);
  const parts = encodeCommands([
    ['SET', 'ключ', 12],
    ['SET', 'k', large, 'NX'],
  ]);
  expect(parts.some((part) => part.buffer === large.buffer && part.length === large.length)).toBe(true);
  expect(parse(parts)).toEqual([
    [Buffer.from('SET'), Buffer.from('ключ'), Buffer.from('12')],
    [Buffer.from('SET'), Buffer.from('k'), large, Buffer.from('NX')],
  ]);
});
