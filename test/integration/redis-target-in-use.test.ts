/**
 * Goal: clients that write while a snapshot is loaded or taken back do not spoil the proof, and nothing of theirs is lost
 * that was not to be replaced. Method: real servers of both versions, with a client that writes all the time.
 */
import { Redis } from 'ioredis';
import type { RedisImport } from '../../src/redis/redis.ts';
import { fillServer, readServer, withClient } from '../support/redis-dataset.ts';
import { passes, put, redis, type Snapshot, take, UNHURRIED } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const VERSIONS = ['7', '6.2'] as const;
const started: TestRedis[] = [];

async function start(version: '7' | '6.2', ...args: string[]): Promise<TestRedis> {
  const server = await startRedis({ version, args: ['--repl-diskless-sync-delay', '0', ...args] });
  started.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(async (server) => await server.stop()));
});

interface Writer {
  /** Writes that the server has taken and refused. */
  readonly taken: number;
  readonly refused: number;
  stop(): Promise<void>;
}

/** Writes to the keys that `key` gives, one after the other without a pause, whatever the server answers. */
function startWriter(server: TestRedis, key: (n: number) => string): Writer {
  const client = new Redis({ port: server.port, host: '127.0.0.1', enableReadyCheck: false });
  client.on('error', () => undefined);
  const counts = { taken: 0, refused: 0 };
  let writing = true;
  const running = (async () => {
    for (let n = 0; writing; n += 1) {
      await client.set(key(n), `client ${n}`).then(
        () => (counts.taken += 1),
        () => (counts.refused += 1),
      );
    }
  })();
  return {
    get taken() {
      return counts.taken;
    },
    get refused() {
      return counts.refused;
    },
    async stop() {
      writing = false;
      await running;
      client.disconnect();
    },
  };
}

async function putInto(
  snapshot: Snapshot,
  target: TestRedis,
  options: Partial<RedisImport>,
  key: (n: number) => string,
): Promise<Awaited<ReturnType<typeof put>> & { readonly writer: Writer }> {
  const writer = startWriter(target, key);
  try {
    return { ...(await put(snapshot, target.target, { dropExisting: true, ...options })), writer };
  } finally {
    await writer.stop();
  }
}

const remove = async (snapshot: Snapshot, target: TestRedis): ReturnType<typeof redis.removeSnapshot> => {
  const { format, facts, open } = snapshot;
  return await redis.removeSnapshot({ target: target.target, format, facts }, { open, operation: UNHURRIED });
};

describeBoth('a restore into a Redis in use', () => {
  test.each(VERSIONS.flatMap((version) => (['yes', 'no'] as const).map((readOnly) => [version, readOnly] as const)))(
    'is proved although a client overwrites keys all the time: %s by replication, replica-read-only %s',
    async (version, readOnly) => {
      const [source, target] = [await start(version), await start(version, '--replica-read-only', readOnly)];
      await fillServer(source);
      const snapshot = await take(source.target);
      // A key of the snapshot: a proof that reads the target after its clients would fail.
      const { checks, method, writer } = await putInto(snapshot, target, { method: 'replicaof' }, () => 'text');
      expect(method).toBe('replicaof');
      expect(passes(checks)).toBe(true);
      expect(writer.refused).toBeGreaterThan(0);
      expect(await target.cli('config', 'get', 'replica-read-only')).toMatch(new RegExp(`${readOnly}$`));
      expect(await target.cli('role')).toMatch(/^master/);
      // The writer goes on after the promotion; all but its key is what was there.
      await withClient(target, async (client) => await client.set('text', 'the quick brown fox'));
      expect(await readServer(target)).toEqual(await readServer(source));
    },
    60_000,
  );

  test.each(VERSIONS)(
    'tells keys that only a client can have written apart from its own: %s key by key',
    async (version) => {
      const [source, target] = [await start(version), await start(version)];
      await fillServer(source);
      const snapshot = await take(source.target);
      const { checks, writer } = await putInto(snapshot, target, { method: 'restore' }, (n) => `fresh:${n}`);
      expect(passes(checks)).toBe(true);
      expect(writer.taken).toBeGreaterThan(0);
      const digest = checks.find(({ name }) => name === 'redis digest');
      expect(digest?.message).toMatch(/without \d+ that clients wrote: key fresh:…#[0-9a-f]{12} in db0/);
      expect(digest?.expected).toBe((await redis.checkSnapshot('redis-rdb', snapshot.open(), UNHURRIED)).digest);
    },
    60_000,
  );

  test.each(VERSIONS)(
    'names a key of its own that somebody changed: %s key by key',
    async (version) => {
      const [source, target] = [await start(version), await start(version)];
      await fillServer(source);
      const snapshot = await take(source.target);
      const { checks } = await putInto(snapshot, target, { method: 'restore' }, () => 'text');
      const failed = checks.filter(({ status }) => status === 'fail');
      expect(failed.map(({ name }) => name)).toEqual(['redis digest']);
      expect(failed[0]!.message).toMatch(/value key …#[0-9a-f]{12} in db0; clients could write meanwhile/);
    },
    60_000,
  );
});

describeBoth('the way back to an empty Redis', () => {
  test.each(
    VERSIONS.flatMap((version) => (['replicaof', 'restore'] as const).map((method) => [version, method] as const)),
  )('removes what was loaded, functions included: %s by %s', async (version, method) => {
    const [source, target] = [await start(version), await start(version)];
    await fillServer(source);
    const snapshot = await take(source.target);
    await put(snapshot, target.target, { method });
    expect(await remove(snapshot, target)).toMatchObject({ keys: snapshot.facts.keys, checks: [{ status: 'pass' }] });
    expect(await redis.surveyTarget(target.target)).toMatchObject({ keys: 0, functions: 0 });
    // Once more, as a retry after a lost answer does.
    expect(await remove(snapshot, target)).toMatchObject({ keys: 0 });
  });

  test.each(VERSIONS)('removes a part, and the mark of a load that died: %s', async (version) => {
    const [source, target] = [await start(version), await start(version)];
    await fillServer(source);
    // Keys leave in batches of a thousand.
    await source.cli('eval', "for n = 1, 5000 do redis.call('SET', 'k' .. n, n) end", '0');
    const snapshot = await take(source.target);
    const half = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield snapshot.bytes.subarray(0, snapshot.bytes.length / 2);
      throw new Error('the store is gone');
    };
    await expect(put({ ...snapshot, open: half }, target.target, { method: 'restore' })).rejects.toThrow(
      'store is gone',
    );
    expect(Number(await target.cli('dbsize'))).toBeGreaterThan(1);
    await remove(snapshot, target);
    expect(await redis.surveyTarget(target.target)).toMatchObject({ keys: 0, functions: 0 });
  });

  test.each([
    ['7', ['SET', 'new:key', 'of a client'], /holds 1 that were not loaded so: key new:…#[0-9a-f]{12} in db0/],
    ['6.2', ['SET', 'new:key', 'of a client'], /key new:…/],
    ['7', ['SET', 'otp:1', 'of a client', 'EX', '30'], /key otp:…/],
    ['7', ['APPEND', 'text', '!'], /key …#[0-9a-f]{12} in db0/],
    ['6.2', ['PEXPIRE', 'text', '900000000'], /key …#/],
    [
      '7',
      ['FUNCTION', 'LOAD', "#!lua name=mine\nredis.register_function('f', function() return 1 end)"],
      /library mine/,
    ],
  ] as const)('leaves everything where anything is not ours: %s %j', async (version, command, message) => {
    const [source, target] = [await start(version), await start(version)];
    await fillServer(source);
    const snapshot = await take(source.target);
    await put(snapshot, target.target);
    await target.cli(...command);
    const before = await readServer(target);
    const error: unknown = await remove(snapshot, target).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'REDIS_TARGET_CHANGED', message: expect.stringMatching(message) });
    expect(await readServer(target)).toEqual(before);
  });

  test.each(VERSIONS)('loses no write that comes between the look and the removal: %s', async (version) => {
    const [source, target] = [await start(version), await start(version)];
    await fillServer(source);
    const snapshot = await take(source.target);
    await put(snapshot, target.target);
    // Each look finds what was loaded; then, before anything is removed, a client writes and takes it back.
    let looks = 0;
    const open = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      looks += 1;
      yield* snapshot.open();
      await target.cli('set', 'passing', 'by');
      await target.cli('del', 'passing');
    };
    await expect(remove({ ...snapshot, open }, target)).rejects.toMatchObject({ code: 'REDIS_TARGET_CHANGED' });
    expect(looks).toBe(3);
    expect(await readServer(target)).toEqual(await readServer(source));
  });

  test('is not taken by a user who may not look', async () => {
    const [source, target] = [await start('7'), await start('7')];
    await fillServer(source);
    const snapshot = await take(source.target);
    await put(snapshot, target.target);
    await target.cli('acl', 'setuser', 'blind', 'on', '>pw', '~*', '+@all', '-eval', '-info', '-psync');
    const user = { ...target.target, username: 'blind', password: 'pw' };
    const { format, facts, open } = snapshot;
    await expect(
      redis.removeSnapshot({ target: user, format, facts }, { open, operation: UNHURRIED }),
    ).rejects.toMatchObject({ code: 'REDIS_PERMISSION_DENIED' });
    await target.cli('acl', 'setuser', 'blind', '+info');
    await redis.removeSnapshot({ target: user, format, facts }, { open, operation: UNHURRIED });
    expect(await target.cli('dbsize')).toBe('0');
  });
});
