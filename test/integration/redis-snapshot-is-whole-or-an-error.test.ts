/**
 * Goal: a snapshot is one instant and whole, or the backup fails; never short, never torn, never fat in memory.
 * Method: real servers under writes, behind a proxy that cuts at chosen bytes, killed and aborted in mid-stream; giant keys.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RdbWalker } from '../../src/redis/rdb/walk.ts';
import { readRdb } from '../../src/redis/rdb/walk.ts';
import { runAll, withClient } from '../support/redis-dataset.ts';
import { passes, put, redis, take, UNHURRIED } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { startCut } from '../support/tcp-cut.ts';
import { whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const started: TestRedis[] = [];
const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function start(version: '7' | '6.2' = '7', ...args: string[]): Promise<TestRedis> {
  const server = await startRedis({ version, args: ['--repl-diskless-sync-delay', '0', ...args] });
  started.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(async (server) => await server.stop()));
});

async function fill(server: TestRedis, keys: number): Promise<void> {
  await withClient(server, async (client) => {
    await runAll(
      client,
      Array.from({ length: keys }, (_, n) => ['SET', `key:${n}`, `${n}`.repeat(20)]),
    );
  });
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : String(error)),
  );
}

describeBoth('a snapshot by replication', () => {
  test.each([
    ['7', 'yes'],
    ['7', 'no'],
    ['6.2', 'yes'],
    ['6.2', 'no'],
  ] as const)('of %s (diskless %s) that is cut at any byte is a lost connection', async (version, diskless) => {
    const source = await start(version, '--repl-diskless-sync', diskless);
    await fill(source, 2000);
    const whole = (await take(source.target)).bytes.length;
    for (const after of [0, 5, 40, 90, 100, 140, 150, 5000, whole, whole + 60]) {
      const cut = await startCut(source.port, { after });
      expect([after, await codeOf(take({ ...source.target, port: cut.port }))]).toEqual([
        after,
        'REDIS_CONNECTION_LOST',
      ]);
      await cut.close();
    }
    expect((await take(source.target)).facts.keys).toBe(2000);
  });

  test.each(['7', '6.2'] as const)('of a server that is killed in mid-stream is an error (%s)', async (version) => {
    const source = await start(version);
    await fill(source, 200_000);
    let bytes = 0;
    const copy = redis.exportSnapshot(source.target, 'replication', {
      operation: UNHURRIED,
      sink: async (_artifact, chunks) => {
        for await (const chunk of chunks) {
          if (bytes === 0) await source.kill();
          bytes += chunk.length;
        }
      },
    });
    expect(await codeOf(copy)).toBe('REDIS_CONNECTION_LOST');
    expect(bytes).toBeGreaterThan(0);
  });

  test('is given up at once when it is cancelled, while waiting and while copying', async () => {
    const source = await start('7', '--repl-diskless-sync-delay', '60');
    await fill(source, 50_000);
    const early = new AbortController();
    setTimeout(() => early.abort(), 300);
    const before = Date.now();
    expect(await codeOf(take(source.target, 'replication', { ...UNHURRIED, signal: early.signal }))).toBe(
      'OPERATION_CANCELLED',
    );
    expect(Date.now() - before).toBeLessThan(30_000);
    await source.cli('config', 'set', 'repl-diskless-sync-delay', '0');
    const late = new AbortController();
    const operation = {
      signal: late.signal,
      onProgress: ({ bytes }: { bytes: number }) => void (bytes > MIB && late.abort()),
    };
    expect(await codeOf(take(source.target, 'replication', operation))).toBe('OPERATION_CANCELLED');
    const gone = new AbortController();
    gone.abort();
    expect(await codeOf(take(source.target, 'replication', { ...UNHURRIED, signal: gone.signal }))).toBe(
      'OPERATION_CANCELLED',
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await source.cli('info', 'clients')).toMatch(/connected_clients:1\b/);
  });

  test('waits as long as the server needs to begin, kept alive by line feeds', async () => {
    const source = await start('7', '--repl-diskless-sync-delay', '3', '--repl-ping-replica-period', '1');
    await fill(source, 100);
    const before = Date.now();
    expect((await take(source.target)).facts.keys).toBe(100);
    expect(Date.now() - before).toBeGreaterThan(2000);
  });

  test.each(['7', '6.2'] as const)('tears no transaction, however busy the server is (%s)', async (version) => {
    const source = await start(version);
    await fill(source, 20_000);
    const pairs = 500;
    const stop = new AbortController();
    let written = 0;
    const writer = withClient(source, async (client) => {
      for (let round = 0; !stop.signal.aborted; round += 1) {
        const batch = Array.from({ length: 50 }, (_, n) => (round * 50 + n) % pairs);
        const pipeline = client.pipeline();
        for (const n of batch) {
          pipeline.call('MULTI');
          pipeline.call('SET', `left:${n}`, round);
          pipeline.call('SELECT', 3);
          pipeline.call('SET', `right:${n}`, round);
          pipeline.call('SELECT', 0);
          pipeline.call('EXEC');
        }
        // Without this a server that is gone would be written to for ever, with no turn for anything else.
        for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
        written += batch.length;
      }
    });
    writer.catch(() => stop.abort());
    while (written === 0 && !stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 10));
    for (let run = 0; run < 3; run += 1) {
      const { facts, open } = await take(source.target);
      expect(facts.consistent).toBe(true);
      const left = new Map<string, string>();
      const right = new Map<string, string>();
      for await (const item of readRdb(open())) {
        if (item.kind !== 'entry') continue;
        const name = item.entry.key.toString();
        const value = item.entry.value.toString('hex');
        if (name.startsWith('left:')) left.set(name.slice(5), value);
        if (name.startsWith('right:')) right.set(name.slice(6), value);
      }
      expect(left.size).toBeGreaterThan(0);
      expect(Object.fromEntries(left)).toEqual(Object.fromEntries(right));
    }
    stop.abort();
    await writer;
    expect(written).toBeGreaterThan(500);
  });

  test('of a replica says so, and carries the history of its master', async () => {
    const [master, replica] = [await start(), await start()];
    await fill(master, 100);
    await replica.cli('replicaof', '127.0.0.1', String(master.port));
    for (
      let tries = 0;
      tries < 100 && !(await replica.cli('info', 'replication')).includes('link_status:up');
      tries += 1
    ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await redis.inspect(replica.target)).toMatchObject({ role: 'replica', keys: 100, warnings: [] });
    const { facts } = await take(replica.target);
    expect(facts.keys).toBe(100);
    expect(facts.replid).toBe((await redis.inspect(master.target)).replid);
    await master.kill();
    for (let tries = 0; tries < 100 && (await redis.inspect(replica.target)).warnings.length === 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await redis.inspect(replica.target)).warnings).toEqual([
      'the replica has lost its master: its data may be old',
    ]);
  });

  test('keeps memory flat past a giant string and a giant hash, and brings both back', async () => {
    const source = await start('7', '--proto-max-bulk-len', '512mb');
    const target = await start('7');
    await withClient(source, async (client) => {
      await client.call('SETRANGE', 'giant:string', 120 * MIB, 'end');
      for (let from = 0; from < 1_000_000; from += 10_000) {
        await client.hset(
          'giant:hash',
          Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`field:${from + n}`, `value:${from + n}`])),
        );
      }
    });
    await source.cli('config', 'set', 'rdbcompression', 'no');
    let peak = Number.NEGATIVE_INFINITY;
    collectGarbage();
    const base = process.memoryUsage();
    // What is still held counts; garbage that waits for a collection says how busy the machine is, and nothing else.
    const measure = (): void => {
      collectGarbage();
      const now = process.memoryUsage();
      peak = Math.max(peak, now.arrayBuffers - base.arrayBuffers + now.heapUsed - base.heapUsed);
    };
    let bytes = 0;
    const walker = new RdbWalker();
    const facts = await redis.exportSnapshot(source.target, 'replication', {
      operation: UNHURRIED,
      sink: async (_artifact, chunks) => {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          walker.push(chunk);
          // A store that is slower than the server: what waits must wait in the server.
          if (Math.floor(bytes / MIB) === Math.floor((bytes - chunk.length) / MIB)) continue;
          await new Promise((resolve) => setTimeout(resolve, 2));
          if (Math.floor(bytes / MIB) % 8 === 0) measure();
        }
      },
    });
    expect(Number.isFinite(peak)).toBe(true);
    expect(bytes).toBeGreaterThan(140 * MIB);
    expect(walker.end()).toMatchObject({ keys: 2, checksum: 'valid' });
    expect(facts.keys).toBe(2);
    expect(peak).toBeLessThan(64 * MIB);

    const snapshot = await take(source.target);
    for (const method of ['replicaof', 'restore'] as const) {
      const { checks } = await put(snapshot, target.target, { method, dropExisting: true });
      expect(passes(checks)).toBe(true);
      await withClient(target, async (client) => {
        expect(await client.hlen('giant:hash')).toBe(1_000_000);
        expect(await client.hget('giant:hash', 'field:777777')).toBe('value:777777');
        expect(await client.strlen('giant:string')).toBe(120 * MIB + 3);
        expect(await client.getrange('giant:string', -4, -1)).toBe('\0end');
      });
    }
  });
});
