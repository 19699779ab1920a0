/**
 * Goal: equal data has equal digests whatever the encoding and the version of the server, and no change goes unseen.
 * Method: the same keys are built on Redis 6.2 and 7 in every encoding the servers have, dumped, restored and digested;
 * then each kind of change is made alone.
 */
import { importByRestore } from '../../src/redis/dump/import-by-restore.ts';
import { readDump } from '../../src/redis/dump/stream/read-dump.ts';
import { RdbWalker } from '../../src/redis/rdb/walk.ts';
import { createDigest } from '../../src/redis/values/digest.ts';
import { describeDifference } from '../../src/redis/values/difference.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, digestOf, dumpOf, QUIET, readEverything, run, type StoredDump } from '../support/redis-dumps.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';

const FAR_MS = 4_102_444_800_123;
const numbers = (count: number, map: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => map(n));

/** Fixed ids and times: two servers get the very same streams. */
const STREAM: readonly Command[] = [
  ...numbers(130, (n) => String(n + 1)).map((n) => ['XADD', 'stream', `${n}000-${n}`, 'user', n, 'action', 'login']),
  ['XADD', 'stream', '131000-0', 'other', 'fields', 'in', 'this', 'entry', 'only'],
  ['XADD', 'stream', '131000-7', 'user', '', 'action', Buffer.from([0, 255, 10, 13])],
  ['XADD', 'stream', '131001-1', 'user', '-9223372036854775808', 'action', '9223372036854775807'],
  ['XDEL', 'stream', '7000-7', '129000-129'],
  ['XGROUP', 'CREATE', 'stream', 'from-begin', '0'],
  ['XGROUP', 'CREATE', 'stream', 'in-between', '50000-50'],
  ['XGROUP', 'CREATE', 'stream', 'at-end', '$'],
  ['XCLAIM', 'stream', 'from-begin', 'ann', 0, '1000-1', 'TIME', 1_700_000_000_000, 'RETRYCOUNT', 3, 'FORCE', 'JUSTID'],
  ['XCLAIM', 'stream', 'from-begin', 'bob', 0, '2000-2', 'TIME', 1_700_000_000_001, 'RETRYCOUNT', 1, 'FORCE', 'JUSTID'],
  [
    'XCLAIM',
    'stream',
    'from-begin',
    'bob',
    0,
    '3000-3',
    'TIME',
    1_700_000_000_002,
    'RETRYCOUNT',
    200,
    'FORCE',
    'JUSTID',
  ],
  ['XGROUP', 'CREATECONSUMER', 'stream', 'at-end', 'idle'],
];

const DATA: readonly Command[] = [
  ['SET', 'text', 'the quick brown fox'],
  ['SET', 'empty', ''],
  ['SET', 'compressible', 'session '.repeat(5000)],
  ['SET', 'random', Buffer.from(numbers(3000, (n) => String.fromCharCode((n * 7919) % 251)).join(''), 'latin1')],
  ...['0', '-1', '127', '-129', '32768', '-2147483648', '4294967296', '007', '1.50', '9223372036854775807'].map(
    (text): Command => ['SET', `number:${text}`, text],
  ),
  ['SET', 'expiring', 'soon', 'PX', FAR_MS - 2_000_000_000_000],
  ['PEXPIREAT', 'expiring', FAR_MS],
  ['SET', Buffer.from([0, 1, 255, 13, 10, 36, 42]), Buffer.from([0, 128, 255])],
  ['RPUSH', 'list:small', 'a', '1', '-5000', '', 'b', 'a'],
  ['RPUSH', 'list:big', ...numbers(700, (n) => `element ${n}`), 'x'.repeat(5000), ...numbers(300, String)],
  ['SADD', 'set:numbers', '5', '-3', '70000', '-70000', '9000000000', '-9223372036854775808'],
  ['SADD', 'set:text', 'a', 'b', '12', 'z'.repeat(100)],
  ['SADD', 'set:big', ...numbers(800, (n) => `member ${n}`)],
  [
    'ZADD',
    'zset:small',
    '1',
    'one',
    '1.5',
    'x',
    '-inf',
    'low',
    'inf',
    'high',
    '0.1',
    'tenth',
    '1e-9',
    'tiny',
    '3e22',
    '42',
  ],
  ['ZADD', 'zset:big', ...numbers(300, (n) => `${n / 3} member:${n}`).flatMap((pair) => pair.split(' '))],
  ['ZADD', 'zset:zero', '-0', 'a', '0', 'b'],
  ['HSET', 'hash:small', 'name', 'ann', 'age', '41', 'balance', '-100000', '', 'empty field', 'empty value', ''],
  ['HSET', 'hash:big', ...numbers(600, (n) => `field:${n} value:${n}`).flatMap((pair) => pair.split(' '))],
  ...STREAM,
];

const COMPACT: readonly Command[] = [];
const SPREAD_62: readonly Command[] = [
  ['CONFIG', 'SET', 'hash-max-ziplist-entries', 0],
  ['CONFIG', 'SET', 'zset-max-ziplist-entries', 0],
  ['CONFIG', 'SET', 'set-max-intset-entries', 0],
  ['CONFIG', 'SET', 'list-max-ziplist-size', 1],
  ['CONFIG', 'SET', 'stream-node-max-entries', 3],
  ['CONFIG', 'SET', 'rdbcompression', 'no'],
];
const SPREAD_7: readonly Command[] = [...SPREAD_62, ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '1000b']];
const PACKED_62: readonly Command[] = [
  ['CONFIG', 'SET', 'hash-max-ziplist-entries', 10_000],
  ['CONFIG', 'SET', 'hash-max-ziplist-value', 10_000],
  ['CONFIG', 'SET', 'zset-max-ziplist-entries', 10_000],
  ['CONFIG', 'SET', 'set-max-intset-entries', 10_000],
  ['CONFIG', 'SET', 'list-max-ziplist-size', 10_000],
];

interface Built {
  readonly name: string;
  readonly dump: StoredDump;
  readonly digest: string;
  readonly types: readonly number[];
}

async function build(name: string, server: TestRedis, config: readonly Command[]): Promise<Built> {
  await run(server.target, [['FLUSHALL'], ...config, ...DATA]);
  const dump = await dumpOf(server.target);
  const types = new Set<number>();
  for await (const item of dump.items()) if (item.kind === 'entry') types.add(item.entry.type);
  return { name, dump, digest: await digestOf(server.target), types: [...types].toSorted((a, b) => a - b) };
}

const library = (answer: number): string =>
  `#!lua name=sessions\nredis.register_function('answer', function() return ${answer} end)`;

function isCommand(commands: Command | readonly Command[]): commands is Command {
  return !Array.isArray(commands[0]);
}

describe('the digest of Redis data', () => {
  let redis62: TestRedis;
  let redis7: TestRedis;
  let target7: TestRedis;
  const servers: TestRedis[] = [];

  beforeAll(async () => {
    redis62 = await startRedis({ version: '6.2' });
    redis7 = await startRedis({ version: '7', args: ['--enable-debug-command', 'yes'] });
    target7 = await startRedis({ version: '7', args: ['--enable-debug-command', 'yes'] });
    servers.push(redis62, redis7, target7);
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
  });

  test('does not depend on encoding, version or order, and survives DUMP and RESTORE', async () => {
    const built = [
      await build('6.2 default', redis62, COMPACT),
      await build('6.2 packed', redis62, PACKED_62),
      await build('6.2 spread', redis62, SPREAD_62),
      await build('7 default', redis7, COMPACT),
      await build('7 packed', redis7, PACKED_62),
      await build('7 spread', redis7, SPREAD_7),
    ];
    expect(Object.fromEntries(built.map(({ name, types }) => [name, types]))).toEqual({
      '6.2 default': [0, 2, 5, 11, 12, 13, 4, 14, 15].toSorted((a, b) => a - b),
      '6.2 packed': [0, 2, 11, 12, 13, 14, 15],
      '6.2 spread': [0, 2, 4, 5, 14, 15],
      '7 default': [0, 2, 4, 5, 11, 16, 17, 18, 19],
      '7 packed': [0, 2, 11, 16, 17, 18, 19],
      '7 spread': [0, 2, 4, 5, 18, 19],
    });

    const restored: Record<string, string> = {};
    for (const { name, dump } of built) {
      for (const config of [PACKED_62, SPREAD_7]) {
        await run(target7.target, [['FLUSHALL'], ...config]);
        await importByRestore(target7.target, readDump(dump.open()), { operation: QUIET, replace: false });
        restored[`${name}, ${config === PACKED_62 ? 'packed' : 'spread'}`] = await digestOf(target7.target);
      }
    }
    // Redis 6.2 keeps no counters of deletions, so its stream differs from one that was born on 7 – and from no other.
    const digests = new Set(built.map(({ digest }) => digest));
    expect(digests.size).toBe(2);
    for (const { name, digest } of built) {
      expect([name, restored[`${name}, packed`], restored[`${name}, spread`]]).toEqual([name, digest, digest]);
    }
    expect(new Set(built.slice(0, 3).map(({ digest }) => digest)).size).toBe(1);

    const before = built.at(-1)!;
    const after = await dumpOf(target7.target);
    expect(await describeDifference(before.dump.items, after.items)).toEqual({ differences: [], more: false });
    const across = await describeDifference(built[0]!.dump.items, after.items);
    expect(across.differences.map(({ name, what }) => `${what} ${name}`)).toEqual([expect.stringMatching(/^value …#/)]);
    expect(across.differences[0]!.key.toString()).toBe('stream');
  });

  test('is the same from an RDB file as from DUMP', async () => {
    for (const server of [redis62, redis7]) {
      await build('any', server, COMPACT);
      await run(server.target, [['SAVE']]);
      const digest = createDigest();
      const walker = new RdbWalker({
        onEntry: (entry) => digest.add(entry),
        onFunction: (code) => digest.addFunction(code),
      });
      walker.push(await readFile(join(server.folder, 'dump.rdb')));
      walker.end();
      expect(digest.digest()).toBe(await digestOf(server.target));
    }
  });

  const CHANGES: readonly (readonly [string, Command | readonly Command[], string, string])[] = [
    ['a byte of a string', ['SETRANGE', 'text', 4, 'Q'], 'text', 'value'],
    ['a byte at the end of a long string', ['SETRANGE', 'compressible', 39_999, 'X'], 'compressible', 'value'],
    ['a number', ['INCR', 'number:127'], 'number:127', 'value'],
    ['leading zeros', ['SET', 'number:007', '7'], 'number:007', 'value'],
    ['expiry by one millisecond', ['PEXPIREAT', 'expiring', FAR_MS + 1], 'expiring', 'expiry'],
    ['expiry removed', ['PERSIST', 'expiring'], 'expiring', 'expiry'],
    ['expiry added', ['PEXPIREAT', 'text', FAR_MS], 'text', 'expiry'],
    ['a key removed', ['DEL', 'empty'], 'empty', 'missing'],
    ['a key added', ['SET', 'new', ''], 'new', 'unexpected'],
    ['a key renamed', ['RENAME', 'set:text', 'set:Text'], 'set:Text', 'unexpected'],
    ['a key moved to another database', ['MOVE', 'text', 1], 'text', 'missing'],
    [
      'the type',
      [
        ['DEL', 'set:numbers'],
        ['RPUSH', 'set:numbers', '5'],
      ],
      'set:numbers',
      'type',
    ],
    [
      'order of a list',
      [
        ['LPOP', 'list:small'],
        ['RPUSH', 'list:small', 'a'],
      ],
      'list:small',
      'value',
    ],
    ['an element of a long list', ['LSET', 'list:big', 500, 'changed'], 'list:big', 'value'],
    ['a boundary between elements', ['LSET', 'list:small', 3, 'b'], 'list:small', 'value'],
    [
      'a number in an intset',
      [
        ['SREM', 'set:numbers', '5'],
        ['SADD', 'set:numbers', '6'],
      ],
      'set:numbers',
      'value',
    ],
    ['a member of a set', ['SREM', 'set:big', 'member 799'], 'set:big', 'value'],
    ['a score', ['ZINCRBY', 'zset:small', '1e-15', 'x'], 'zset:small', 'value'],
    ['an infinite score', ['ZADD', 'zset:small', 'inf', 'low'], 'zset:small', 'value'],
    ['a score of a long sorted set', ['ZADD', 'zset:big', '77.5', 'member:231'], 'zset:big', 'value'],
    [
      'a member for another with its score',
      [
        ['ZREM', 'zset:small', 'x'],
        ['ZADD', 'zset:small', '1.5', 'y'],
      ],
      'zset:small',
      'value',
    ],
    ['a field', ['HSET', 'hash:small', 'age', '42'], 'hash:small', 'value'],
    ['values of two fields swapped', ['HSET', 'hash:small', 'name', '41', 'age', 'ann'], 'hash:small', 'value'],
    ['a field of a long hash', ['HDEL', 'hash:big', 'field:599'], 'hash:big', 'value'],
    ['an entry of a stream', ['XDEL', 'stream', '100000-100'], 'stream', 'value'],
    ['an entry added', ['XADD', 'stream', '200000-1', 'user', '1', 'action', 'logout'], 'stream', 'value'],
    ['last id', ['XSETID', 'stream', '999999-0'], 'stream', 'value'],
    ['a group added', ['XGROUP', 'CREATE', 'stream', 'fourth', '0'], 'stream', 'value'],
    ['a group removed', ['XGROUP', 'DESTROY', 'stream', 'in-between'], 'stream', 'value'],
    ['position of a group', ['XGROUP', 'SETID', 'stream', 'in-between', '50001-0'], 'stream', 'value'],
    ['acknowledgement', ['XACK', 'stream', 'from-begin', '3000-3'], 'stream', 'value'],
    [
      'owner of a pending entry',
      ['XCLAIM', 'stream', 'from-begin', 'ann', 0, '2000-2', 'TIME', 1_700_000_000_001, 'RETRYCOUNT', 1, 'JUSTID'],
      'stream',
      'value',
    ],
    [
      'delivery count',
      ['XCLAIM', 'stream', 'from-begin', 'bob', 0, '2000-2', 'TIME', 1_700_000_000_001, 'RETRYCOUNT', 2, 'JUSTID'],
      'stream',
      'value',
    ],
    [
      'delivery time',
      ['XCLAIM', 'stream', 'from-begin', 'bob', 0, '2000-2', 'TIME', 1_700_000_000_005, 'RETRYCOUNT', 1, 'JUSTID'],
      'stream',
      'value',
    ],
    ['a consumer added', ['XGROUP', 'CREATECONSUMER', 'stream', 'at-end', 'second'], 'stream', 'value'],
    ['a consumer removed', ['XGROUP', 'DELCONSUMER', 'stream', 'at-end', 'idle'], 'stream', 'value'],
  ];

  const versions: readonly (readonly [string, () => TestRedis])[] = [
    ['6.2', () => redis62],
    ['7', () => redis7],
  ];

  test.each(versions)('on Redis %s changes with every single change, whose key is named', async (_, serverOf) => {
    const server = serverOf();
    const unseen: unknown[] = [];
    for (const config of [PACKED_62, SPREAD_62]) {
      const base = await build('base', server, config);
      for (const [change, commands, key, what] of CHANGES) {
        await run(server.target, [['FLUSHALL'], ...DATA]);
        await run(server.target, isCommand(commands) ? [commands] : commands);
        const changed = await dumpOf(server.target);
        const { differences } = await describeDifference(base.dump.items, changed.items);
        const named = differences.find((difference) => difference.key.toString() === key);
        if ((await digestOf(server.target)) === base.digest || named?.what !== what) unseen.push([change, differences]);
      }
      await run(server.target, [['FLUSHALL'], ...DATA]);
      expect(await digestOf(server.target)).toBe(base.digest);
    }
    expect(unseen).toEqual([]);
  });

  test('changes with the code of a function library, which is named', async () => {
    await run(redis7.target, [['FLUSHALL'], ['FUNCTION', 'FLUSH'], ['SET', 'a', '1']]);
    const without = await dumpOf(redis7.target);
    await run(redis7.target, [['FUNCTION', 'LOAD', library(1)]]);
    const first = await dumpOf(redis7.target);
    const firstDigest = await digestOf(redis7.target);
    await run(redis7.target, [['FUNCTION', 'LOAD', 'REPLACE', library(2)]]);
    const second = await dumpOf(redis7.target);
    expect(await digestOf(redis7.target)).not.toBe(firstDigest);
    expect(first.facts.functions).toBe(1);
    const changed = await describeDifference(first.items, second.items);
    expect(changed.differences).toEqual([
      expect.objectContaining({ subject: 'function', name: 'sessions', what: 'value' }),
    ]);
    const missing = await describeDifference(first.items, without.items);
    expect(missing.differences).toEqual([
      expect.objectContaining({ subject: 'function', name: 'sessions', what: 'missing' }),
    ]);
    await run(redis7.target, [['FUNCTION', 'FLUSH']]);
  });

  test('agrees with what a client reads', async () => {
    const from = await build('6.2', redis62, COMPACT);
    await run(target7.target, [['FLUSHALL']]);
    await importByRestore(target7.target, readDump(from.dump.open()), { operation: QUIET, replace: false });
    expect(await readEverything(target7.target)).toEqual(await readEverything(redis62.target));
  });
});
