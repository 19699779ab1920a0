/**
 * Goal: of a Redis that does not let us replicate, an incremental copy holds what changed and no more, and a chain of them
 * comes back as what the server held at its last.
 * Method: real servers of both versions and a user without PSYNC; everything is read back by the commands of its type.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRedis } from '../../src/redis/create-redis.ts';
import { DELETIONS, readRecordList } from '../../src/redis/digests/record-list.ts';
import { databaseOf, keyOf } from '../../src/redis/digests/record.ts';
import type { RedisTarget } from '../../src/redis/redis.ts';
import { caught } from '../support/caught.ts';
import { collect } from '../support/collect.ts';
import { type ChainLink, composeChain, fullLink, nextLink } from '../support/redis-chain.ts';
import { type Command, inPieces, QUIET, readEverything, run } from '../support/redis-dumps.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { type RedisVersion, whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const redis = createRedis();
const DATABASES = [0, 3, 15];
const KEYS = 1000;
const FAR_MS = 4_102_444_800_123;
const BINARY = Buffer.from([0, 255, 13, 10, 36, 45]);
const library = (answer: number): string =>
  `#!lua name=sessions\nredis.register_function("answer", function() return ${answer} end)`;

const FIRST: readonly Command[] = DATABASES.flatMap((db): Command[] => [
  ['SELECT', db],
  ...range(KEYS).map((n): Command => ['SET', `key:${n}`, `value ${n} of ${db}`]),
  ['HSET', 'hash', 'a', 1, 'b', 'text'],
  ['ZADD', 'scores', 1.5, 'a', 2, 'b'],
  ['RPUSH', 'list', 'a', 'b', 'c'],
  ['SADD', 'set', 'a', 'b', BINARY],
  ['SET', BINARY, Buffer.from(range(256))],
  ['XADD', 'stream', '1-1', 'f', 'v'],
  ['XGROUP', 'CREATE', 'stream', 'group', '0'],
  ['SET', 'expires', 'later', 'PXAT', FAR_MS],
  ['SET', 'turns', 'a string'],
]);

/** Every kind of change: values, types, expiries, groups, keys that come and go, a database that empties. */
const SECOND: readonly Command[] = [
  ['SELECT', 0],
  ['SET', 'key:7', 'changed'],
  ['HSET', 'hash', 'c', 3],
  ['ZADD', 'scores', 7, 'a'],
  ['RPUSH', 'list', 'd'],
  ['XREADGROUP', 'GROUP', 'group', 'consumer', 'STREAMS', 'stream', '>'],
  ['PEXPIREAT', 'expires', FAR_MS + 1],
  ['DEL', 'turns', 'key:8', BINARY],
  ['SADD', 'turns', 'a set'],
  ['SET', 'new', 'in the second'],
  ['SET', 'short', 'gone before the third', 'PX', 3000],
  ['SELECT', 15],
  ['FLUSHDB'],
  ['SELECT', 5],
  ['SET', 'of another database', '5'],
];
const THIRD: readonly Command[] = [
  ['SELECT', 0],
  ['SET', 'key:7', 'changed again'],
  ['SET', 'key:8', 'value 8 of 0'],
  ['SET', BINARY, 'came back'],
  ['DEL', 'new'],
  ['SELECT', 3],
  ['PERSIST', 'expires'],
  ['SELECT', 15],
  ['SET', 'key:1', 'value 1 of 15'],
];
const READ = [...DATABASES, 5];

/** As docs/guides/redis-without-replication.md has them; 6.2 knows neither functions nor PEXPIRETIME. */
const OF_7 = ['+pexpiretime', '+function|dump'];
const TO_READ = ['~*', '-@all', '+scan', '+dump', '+pttl', '+time', '+select', '+info', '+ping'];
const TO_LOAD = [...TO_READ, '+restore', '+flushall', '+exists'];
const LOADS_7 = ['+function|restore', '+function|flush', '+function|list'];

/** Sets, deletes and retypes keys as fast as it can; gives how many rounds. */
async function writeUntil(target: RedisTarget, signal: AbortSignal): Promise<number> {
  let rounds = 0;
  for (; !signal.aborted; rounds += 1) {
    await run(
      target,
      range(50).flatMap((n): Command[] => {
        const key = `key:${(rounds * 50 + n) % KEYS}`;
        return [
          ['DEL', key],
          n % 2 === 0 ? ['SET', key, `round ${rounds}`] : ['RPUSH', key, rounds],
          ['DEL', `key:${n}`],
        ];
      }),
    );
  }
  return rounds;
}

const MIB = 1024 * 1024;
const LARGE_MIB = 24;
/** A string of so many MiB that LZF hardly packs. */
const FILL = `for mib = 1, tonumber(ARGV[1]) do
  local part = {}
  for n = 1, 26214 do part[n] = redis.sha1hex(mib * 100000 + n) end
  redis.call('APPEND', 'large', string.sub(table.concat(part) .. string.rep('=', 16), 1, 1048576))
end`;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describeBoth('a value of many megabytes', () => {
  test('passes through a chain in pieces, and its change is found', async () => {
    const scratchDirectory = await mkdtemp(join(tmpdir(), 'lifeboat-digests-'));
    const server = await startRedis();
    try {
      await server.cli('eval', FILL, '0', String(LARGE_MIB));
      const chain = [await fullLink(server.target, scratchDirectory)];
      await server.cli('set', 'small', 'one');
      chain.push(await nextLink(server.target, chain, { scratchDirectory }));
      expect(chain[1]!.facts.digests).toMatchObject({ changed: 1, deleted: 0 });
      const open = await composeChain(chain);
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      let [bytes, peak, chunks] = [0, 0, 0];
      for await (const chunk of open()) {
        bytes += chunk.length;
        if ((chunks += 1) % 8 === 0) collectGarbage();
        if (chunks % 8 === 0) peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      }
      expect(bytes).toBeGreaterThan((LARGE_MIB / 3) * MIB);
      expect(chunks).toBeGreaterThan(50);
      // A few chunks of a quarter of a MiB, and far from the value, of which LZF leaves some 19 MiB.
      expect(peak).toBeLessThan(6 * MIB);
      const found = await redis.checkSnapshot('redis-dump', open(), QUIET);
      expect(found.digest).toBe(chain[1]!.facts.digest);
      // One byte in the middle: the same length, another value.
      await server.cli('setrange', 'large', String((LARGE_MIB / 2) * MIB), '!');
      const last = await nextLink(server.target, chain, { scratchDirectory });
      expect(last.facts.digests).toMatchObject({ changed: 1, deleted: 0 });
      expect(last.artifacts.get('changes')!.length).toBeGreaterThan((LARGE_MIB / 3) * MIB);
    } finally {
      await server.stop();
      await rm(scratchDirectory, { recursive: true, force: true });
    }
  }, 60_000);
});

const VERSIONS: readonly RedisVersion[] = ['7', '6.2'];
for (const version of VERSIONS)
  describeBoth(`incremental copies by digests of Redis ${version}`, () => copies(version));

function copies(version: RedisVersion): void {
  let server: TestRedis;
  let other: TestRedis;
  let user: RedisTarget;
  let scratchDirectory: string;
  const chain: ChainLink[] = [];
  const held: unknown[] = [];

  const add = async (): Promise<ChainLink> => {
    const link =
      chain.length === 0 ? await fullLink(user, scratchDirectory) : await nextLink(user, chain, { scratchDirectory });
    chain.push(link);
    held.push(await readEverything(server.target, READ));
    return link;
  };
  const load = async (links: readonly ChainLink[]): Promise<readonly { readonly status: string }[]> => {
    const facts = links.at(-1)!.facts;
    const open = await composeChain(links);
    expect((await redis.checkSnapshot('redis-dump', open(), QUIET)).digest).toBe(facts.digest);
    const target = { ...other.target, username: 'managed', password: 'pw' };
    const request = { target, format: 'redis-dump', facts, method: 'auto', dropExisting: true } as const;
    return (await redis.importSnapshot(request, { open, operation: QUIET })).checks;
  };

  beforeAll(async () => {
    scratchDirectory = await mkdtemp(join(tmpdir(), 'lifeboat-digests-'));
    [server, other] = [await startRedis({ version }), await startRedis({ version })];
    const reads = [...TO_READ, ...(version === '7' ? OF_7 : [])];
    const loads = [...TO_LOAD, ...(version === '7' ? [...OF_7, ...LOADS_7] : [])];
    await run(server.target, [['ACL', 'SETUSER', 'managed', 'on', '>pw', ...reads], ...FIRST]);
    await run(other.target, [['ACL', 'SETUSER', 'managed', 'on', '>pw', ...loads]]);
    if (version === '7') await run(server.target, [['FUNCTION', 'LOAD', library(1)]]);
    user = { ...server.target, username: 'managed', password: 'pw' };
    expect(await redis.inspect(user)).toMatchObject({ method: 'dump' });
    await add();
    await run(server.target, SECOND);
    if (version === '7') await run(server.target, [['FUNCTION', 'LOAD', 'REPLACE', library(2)]]);
    await add();
    while (((await run(server.target, [['EXISTS', 'short']]))[0] as number) > 0) await setTimeout(100);
    await run(server.target, THIRD);
    await add();
    await add();
  });
  afterAll(async () => {
    await Promise.all([server?.stop(), other?.stop()]);
    await rm(scratchDirectory, { recursive: true, force: true });
  });

  test('hold what changed and no more', async () => {
    const digests = chain.map(({ facts }) => facts.digests);
    // 3 databases of so many keys and 8 others.
    expect(digests[0]).toEqual({ layers: [], changed: 3 * (KEYS + 8), deleted: 0 });
    // 6 values and expiries, one of another type, 2 new ones, 1 in another database; key:8, the binary key, database 15.
    expect(digests[1]).toEqual({ layers: ['full'], changed: 10, deleted: 2 + KEYS + 8 });
    // 3 values that are back or new, 1 expiry, 1 key of database 15; `new` and `short` are gone.
    expect(digests[2]).toEqual({ layers: ['full', 'incremental-1'], changed: 5, deleted: 2 });
    expect(digests[3]).toEqual({ layers: ['full', 'incremental-1', 'incremental-2'], changed: 0, deleted: 0 });
    for (const { facts } of chain.slice(1))
      expect(facts).toMatchObject({ method: 'dump-incremental', consistent: false });
  });

  test('name each key that is gone', async () => {
    const gone = await collect(readRecordList(DELETIONS, inPieces(chain[2]!.artifacts.get('deletions')!, 5)));
    expect(gone.flat().map(({ id }) => `${databaseOf(id)} ${keyOf(id).toString()}`)).toEqual(['0 new', '0 short']);
  });

  test('come back as what the server held at each of them', async () => {
    for (const length of [4, 2, 3, 1]) {
      const checks = await load(chain.slice(0, length));
      expect(checks.map(({ status }) => status)).not.toContain('fail');
      const back = (await readEverything(other.target, READ)) as Record<string, unknown>;
      const expected = { ...(held[length - 1] as Record<string, unknown>) };
      // It has expired by now, there and here.
      delete expected['0 short'];
      expect(back).toEqual(expected);
    }
    if (version === '7') expect(await run(other.target, [['FCALL', 'answer', 0]])).toEqual([1]);
  });

  test('of a chain that lacks a backup, or has another one in its place, are refused', async () => {
    const [full, second, third, last] = chain as [ChainLink, ChainLink, ChainLink, ChainLink];
    const wrong = [
      [full, { ...third, facts: { ...third.facts, digests: second.facts.digests! } }, third, last],
      [full, third, last],
      [full, second, last],
    ];
    for (const links of wrong) {
      const read = async (): Promise<unknown> => {
        const open = await composeChain(links);
        return await redis.checkSnapshot('redis-dump', open(), QUIET);
      };
      expect(await caught(read)).toMatchObject({ code: 'REDIS_CHAIN_BROKEN' });
    }
  });

  test('hold one state of each key while clients write, and the next one has what they left', async () => {
    const before = chain.length;
    const end = new AbortController();
    const writing = writeUntil(server.target, end.signal);
    try {
      await add();
    } finally {
      end.abort();
    }
    const writes = await writing;
    expect(writes).toBeGreaterThan(0);
    const open = await composeChain(chain.slice(0, before + 1));
    const found = await redis.checkSnapshot('redis-dump', open(), QUIET);
    expect(found).toMatchObject({ keys: chain[before]!.facts.keys, digest: chain[before]!.facts.digest });
    await add();
    expect((await load(chain)).map(({ status }) => status)).not.toContain('fail');
    expect(await readEverything(other.target, READ)).toEqual(await readEverything(server.target, READ));
  });

  test('leave no file behind', async () => {
    expect(await readdir(scratchDirectory)).toEqual([]);
  });
}
