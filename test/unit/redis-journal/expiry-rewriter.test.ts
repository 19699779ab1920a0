import { ExpiryRewriter } from '../../../src/redis/journal/stream/expiry-rewriter.ts';
import { encodeCommands } from '../../../src/redis/resp.ts';

const NOW = 1_800_000_000_000;
const encode = (commands: readonly (readonly (string | number)[])[]): Buffer =>
  Buffer.concat(encodeCommands(commands.map((command) => [...command])));

function rewritten(commands: readonly (readonly (string | number)[])[], pieceBytes = Number.POSITIVE_INFINITY): string {
  const rewriter = new ExpiryRewriter();
  const source = encode(commands);
  const parts: Buffer[] = [];
  for (let at = 0; at < source.length; at += pieceBytes) {
    // The memory of a piece is its giver's again afterwards.
    const piece = Buffer.from(source.subarray(at, at + pieceBytes));
    parts.push(rewriter.push(piece, NOW));
    piece.fill(0);
  }
  return Buffer.concat(parts).toString('latin1');
}

test.each([
  [
    ['SET', 'k', 'v', 'PX', 1500],
    ['SET', 'k', 'v', 'PXAT', NOW + 1500],
  ],
  [
    ['set', 'k', 'v', 'ex', 2],
    ['set', 'k', 'v', 'PXAT', NOW + 2000],
  ],
  [
    ['SET', 'k', 'v', 'NX', 'EX', 2, 'GET'],
    ['SET', 'k', 'v', 'NX', 'PXAT', NOW + 2000, 'GET'],
  ],
  [
    ['SETEX', 'k', 3, 'value'],
    ['SET', 'k', 'value', 'PXAT', NOW + 3000],
  ],
  [
    ['PSETEX', 'k', 3, ''],
    ['SET', 'k', '', 'PXAT', NOW + 3],
  ],
  [
    ['EXPIRE', 'k', 4],
    ['PEXPIREAT', 'k', NOW + 4000],
  ],
  [
    ['PEXPIRE', 'k', -4],
    ['PEXPIREAT', 'k', NOW - 4],
  ],
  [
    ['GETEX', 'k', 'PX', 5],
    ['GETEX', 'k', 'PXAT', NOW + 5],
  ],
])('%j becomes %j', (before, after) => {
  expect(rewritten([before])).toBe(encode([after]).toString('latin1'));
});

const UNTOUCHED = [
  ['SELECT', 3],
  ['SET', 'EX', 'PX'],
  ['SET', 'k', 'v', 'PXAT', 1_900_000_000_000],
  ['SET', 'k', 'v', 'KEEPTTL'],
  ['PEXPIREAT', 'k', 5],
  ['RESTORE', 'k', 1_900_000_000_000, 'payload', 'ABSTTL'],
  ['RPUSH', 'k', 'EX', '10', 'PX', '20'],
  ['a command with a name that is far too long to matter', 'x'],
  ['PING'],
  ['SET', 'k', 'x'.repeat(1_000)],
] as const;

test('everything else comes out as it went in', () => {
  expect(rewritten(UNTOUCHED)).toBe(encode(UNTOUCHED).toString('latin1'));
});

test.each([1, 2, 3, 7, 64])('pieces of %i bytes give the same as the whole', (pieceBytes) => {
  const commands = [
    ['MULTI'],
    ...UNTOUCHED,
    ['SETEX', 'k', 3, 'y'.repeat(100)],
    ['SET', 'k', 'EX', 'EX', 2],
    ['EXPIRE', 'k', 1],
    ['EXEC'],
  ];
  expect(rewritten(commands, pieceBytes)).toBe(rewritten(commands));
});

test('what is no stream of commands is an error', () => {
  expect(() => new ExpiryRewriter().push(Buffer.from('+OK\r\n'), NOW)).toThrow('no command');
  expect(() => new ExpiryRewriter().push(encode([['EXPIRE', 'k', 'soon']]), NOW)).toThrow('no number');
});
