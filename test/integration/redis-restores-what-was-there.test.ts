/**
 * Goal: what is restored is what was there, key by key, by each way in and each way out, on and across versions.
 * Method: a data set with every type is exported from a real server, loaded into another, and both are read with typed
 * commands by code that shares nothing with ours.
 */
import { fillServer, readServer, withClient } from '../support/redis-dataset.ts';
import { passes, put, redis, take, UNHURRIED } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { type RedisVersion, whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const FAST = ['--repl-diskless-sync-delay', '0', '--enable-debug-command', 'yes'];
const argsOf = (version: RedisVersion, ...more: string[]): string[] => [
  ...FAST.slice(0, version === '7' ? 4 : 2),
  ...more,
];

describeBoth('a restored Redis', () => {
  const started: TestRedis[] = [];
  const start = async (version: RedisVersion, ...more: string[]): Promise<TestRedis> => {
    const server = await startRedis({ version, args: argsOf(version, ...more) });
    started.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map(async (server) => await server.stop()));
  });

  test.each([
    ['7', '7', 'replication', 'replicaof'],
    ['7', '7', 'replication', 'restore'],
    ['7', '7', 'dump', 'restore'],
    ['6.2', '6.2', 'replication', 'replicaof'],
    ['6.2', '6.2', 'replication', 'restore'],
    ['6.2', '6.2', 'dump', 'restore'],
  ] as const)('of %s holds what a %s held: out by %s, in by %s', async (from, to, out, method) => {
    const source = await start(from);
    const target = await start(to);
    await fillServer(source);
    const before = await readServer(source);
    const snapshot = await take(source.target, out);
    const { checks, method: used, keys } = await put(snapshot, target.target, { method });
    expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(used).toBe(method);
    expect(keys).toBe(snapshot.facts.keys);
    expect(await readServer(target)).toEqual(before);
    expect(await readServer(source)).toEqual(before);
  });

  test.each(['replicaof', 'restore'] as const)('of version 7 holds what a 6.2 held: in by %s', async (method) => {
    const source = await start('6.2');
    const target = await start('7');
    await fillServer(source);
    const { checks } = await put(await take(source.target), target.target, { method });
    expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(await withoutVersion7(await readServer(target))).toEqual(await withoutVersion7(await readServer(source)));
  });

  test.each([
    ['7', 'diskless', 'yes'],
    ['7', 'by a file on disk', 'no'],
    ['6.2', 'diskless', 'yes'],
    ['6.2', 'by a file on disk', 'no'],
  ] as const)('is the same when %s sends its snapshot %s', async (version, _how, diskless) => {
    const source = await start(version, '--repl-diskless-sync', diskless);
    await fillServer(source);
    const { facts, bytes } = await take(source.target);
    expect(bytes.subarray(0, 5).toString()).toBe('REDIS');
    const target = await start(version);
    await put(await take(source.target), target.target);
    expect(await readServer(target)).toEqual(await readServer(source));
    expect(facts).toMatchObject({ method: 'replication', consistent: true, functions: version === '7' ? 1 : 0 });
    expect(facts.replid).toMatch(/^[0-9a-f]{40}$/);
    expect(facts.server).toMatch(version === '7' ? /^7\./ : /^6\.2\./);
  });

  test('keys that expire while the backup waits do not come back', async () => {
    const source = await start('7');
    const target = await start('7');
    const soon = Date.now() + 2500;
    await withClient(source, async (client) => {
      for (let n = 0; n < 200; n += 1) await client.call('SET', `short ${n}`, 'v', 'PXAT', soon);
      await client.call('SET', 'long', 'v', 'PXAT', Date.now() + 3_600_000);
    });
    const snapshot = await take(source.target);
    expect(snapshot.facts.keys).toBe(201);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, soon - Date.now() + 50)));
    for (const method of ['replicaof', 'restore'] as const) {
      const { checks, keys } = await put(snapshot, target.target, { method, dropExisting: true });
      expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
      expect(keys).toBe(1);
      expect(await withClient(target, async (client) => await client.get('long'))).toBe('v');
      expect(await withClient(target, async (client) => await client.get('short 0'))).toBeNull();
    }
  });

  test('an empty Redis is backed up and restored, also over a full one', async () => {
    const source = await start('7');
    const target = await start('7');
    await fillServer(target);
    const snapshot = await take(source.target);
    expect(snapshot.facts).toMatchObject({ keys: 0, databases: {}, functions: 0 });
    for (const method of ['replicaof', 'restore'] as const) {
      const { checks } = await put(snapshot, target.target, { method, dropExisting: true });
      expect(passes(checks)).toBe(true);
      expect(await readServer(target)).toEqual({ functions: [] });
      await fillServer(target);
    }
  });

  test('a stored snapshot is proved without a server; any flipped bit is noticed', async () => {
    const source = await start('7');
    await fillServer(source);
    const snapshot = await take(source.target);
    const check = await redis.checkSnapshot('redis-rdb', snapshot.open(), UNHURRIED);
    expect(check).toMatchObject({ keys: snapshot.facts.keys, databases: snapshot.facts.databases });
    const dump = await take(source.target, 'dump');
    expect((await redis.checkSnapshot('redis-dump', dump.open(), UNHURRIED)).digest).toBe(check.digest);
    for (let at = 11; at < snapshot.bytes.length; at += 9973) {
      const broken = Buffer.from(snapshot.bytes);
      broken[at]! ^= 0x10;
      await expect(redis.checkSnapshot('redis-rdb', only(broken), UNHURRIED)).rejects.toThrow(/rdb|redis/);
    }
    await expect(
      redis.checkSnapshot('redis-rdb', only(snapshot.bytes.subarray(0, -9)), UNHURRIED),
    ).rejects.toMatchObject({
      code: 'RDB_TRUNCATED',
    });
  });

  test('a broken snapshot never reaches the target', async () => {
    const source = await start('7');
    const target = await start('7');
    await fillServer(source);
    await withClient(target, async (client) => await client.set('precious', 'data'));
    const snapshot = await take(source.target);
    const broken = Buffer.from(snapshot.bytes);
    broken[broken.length - 3]! ^= 1;
    const bad = { ...snapshot, open: () => only(broken) };
    await expect(put(bad, target.target, { dropExisting: true })).rejects.toMatchObject({
      code: 'RDB_CHECKSUM_MISMATCH',
    });
    expect(await withClient(target, async (client) => await client.get('precious'))).toBe('data');
    expect(await target.cli('role')).toMatch(/^master/);
  });
});

async function* only(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** What Redis 7 tells about streams and 6.2 does not, and the expiry to the millisecond. */
async function withoutVersion7(all: Record<string, unknown>): Promise<unknown> {
  const { functions: _functions, ...keys } = all;
  const text = JSON.stringify(keys, (name, value: unknown) => (name === 'expireAt' ? Number(value) < 0 : value));
  const added = ['max-deleted-entry-id', 'entries-added', 'recorded-first-entry-id', 'entries-read'];
  return JSON.parse(text, (_name, value: unknown) =>
    Array.isArray(value) ? value.filter((item) => !(Array.isArray(item) && added.includes(String(item[0])))) : value,
  ) as unknown;
}
