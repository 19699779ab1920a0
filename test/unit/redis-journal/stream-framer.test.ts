import fc from 'fast-check';
import { StreamFramer, type StreamCommand } from '../../../src/redis/journal/stream/stream-framer.ts';
import { encodeCommands } from '../../../src/redis/resp.ts';
import { caught } from '../../support/caught.ts';
import { runs } from '../../support/property-runs.ts';

const SEED = 20_260_115;
const COMMANDS: readonly (readonly (string | Buffer)[])[] = [
  ['select', '3'],
  ['SET', Buffer.from([13, 10, 42, 51]), Buffer.from('\r\n*3\r\n$3\r\nSET\r\n')],
  ['MULTI'],
  ['SELECT', '12'],
  ['RPUSH', 'q', '', 'x'.repeat(300)],
  ['EXEC'],
  ['PING'],
  ['REPLCONF', 'GETACK', '*'],
  ['SET', 'SELECT', '5'],
  ['PUBLISH', 'MULTI', 'EXEC'],
];
const STREAM = Buffer.concat(encodeCommands(COMMANDS));
const START = { offset: 1000, database: 0, insideMulti: false } as const;

/** The stream in pieces that end at these places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

function read(framer: StreamFramer, parts: readonly Buffer[]): StreamCommand[] {
  const commands: StreamCommand[] = [];
  for (const part of parts) framer.push(part, (command) => commands.push(command));
  return commands;
}

const anyCuts = fc.array(fc.nat(STREAM.length), { maxLength: 12 });

describe('the framer of a replication stream', () => {
  test('finds the same ends however the stream is cut', () => {
    const whole = read(new StreamFramer(START), [STREAM]);
    expect(whole.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['SELECT', 'MULTI', 'EXEC', 'PING', 'REPLCONF']),
    );
    expect(whole).toHaveLength(COMMANDS.length);
    let offset = START.offset;
    for (const [index, command] of COMMANDS.entries()) {
      const size = Buffer.concat(encodeCommands([command])).length;
      expect(whole[index]).toMatchObject({ from: offset, to: offset + size });
      offset += size;
    }
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        const framer = new StreamFramer(START);
        expect(read(framer, pieces(STREAM, cuts))).toEqual(whole);
        expect(framer).toMatchObject({ offset, commandEnd: offset, transactionEnd: offset, database: 12 });
      }),
      { seed: SEED, numRuns: runs(100) },
    );
  });

  test('knows at every byte whether a transaction is open, and where the last one ended', () => {
    const framer = new StreamFramer(START);
    let lastEnd: number = START.offset;
    const ends: number[] = [];
    for (const command of COMMANDS) {
      for (const byte of Buffer.concat(encodeCommands([command]))) {
        framer.push(Buffer.from([byte]));
        expect(framer.transactionEnd).toBeLessThanOrEqual(framer.commandEnd);
      }
      expect(framer.commandEnd).toBe(framer.offset);
      if (!framer.insideMulti) lastEnd = framer.offset;
      expect(framer.transactionEnd).toBe(lastEnd);
      ends.push(framer.transactionEnd);
    }
    expect(ends[2]).toBe(ends[1]);
    expect(ends[4]).toBe(ends[1]);
    expect(ends[5]).toBeGreaterThan(ends[1]!);
  });

  test('goes on inside a transaction and in the database of before', () => {
    const framer = new StreamFramer({ offset: 5, database: 7, insideMulti: true });
    framer.push(Buffer.concat(encodeCommands([['SET', 'a', 'b']])));
    expect(framer).toMatchObject({ insideMulti: true, database: 7, transactionEnd: -1 });
    framer.push(Buffer.concat(encodeCommands([['EXEC']])));
    expect(framer).toMatchObject({ insideMulti: false, transactionEnd: framer.offset });
  });

  test('does not count line feeds between commands, and only there', () => {
    const alive = COMMANDS.flatMap((command) => [Buffer.from('\n\n'), ...encodeCommands([command]), Buffer.from('\n')]);
    const bytes = Buffer.concat(alive);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const framer = new StreamFramer({ ...START, keepAlives: true });
        const counted = pieces(bytes, cuts).flatMap((piece) => [...framer.push(piece)]);
        expect(Buffer.concat(counted)).toEqual(STREAM);
        expect(framer.offset).toBe(START.offset + STREAM.length);
      }),
      { seed: SEED, numRuns: runs(100) },
    );
  });

  test.each([
    ['a line feed where none is awaited', '\n'],
    ['an inline command', 'PING\r\n'],
    ['an error', '-ERR no\r\n'],
    ['an empty array', '*0\r\n'],
    ['no array count', '*x\r\n'],
    ['a nil argument', '*1\r\n$-1\r\n'],
    ['an argument that is no bulk string', '*1\r\n:1\r\n'],
    ['a length beyond any server', '*1\r\n$99999999999\r\n'],
    ['a name without its line end', '*1\r\n$4\r\nPINGxx'],
    ['a select of nothing', '*2\r\n$6\r\nSELECT\r\n$1\r\nx\r\n'],
  ])('refuses %s', async (_what, text) => {
    const error = await caught(() => new StreamFramer(START).push(Buffer.from(text, 'latin1')));
    expect(error.code).toBe('REDIS_PROTOCOL_ERROR');
  });

  test('steps over a value that it could not hold', () => {
    const framer = new StreamFramer(START);
    const piece = Buffer.alloc(1024 ** 2, 'v');
    framer.push(Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${512 * piece.length}\r\n`));
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 512; n += 1) framer.push(piece);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 ** 2);
    expect(framer.commandEnd).toBe(START.offset);
    framer.push(Buffer.from('\r\n'));
    expect(framer.commandEnd).toBe(framer.offset);
  });
});
