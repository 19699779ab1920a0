/**
 * Goal: a Redis is restored to what it was at an instant between two backups, with the expiries it had then.
 * Method: real servers of 6.2 and 7 are followed while they are written to; their DEBUG DIGEST and their values at an
 * instant T are compared with those of servers brought to T by each way there is.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { replayIntoServer } from '../../src/redis/journal/replay/replay-into-server.ts';
import type { ReplayRequest, ReplayResult } from '../../src/redis/journal/replay/replay.ts';
import { cutStream } from '../../src/redis/journal/stream/cut-stream.ts';
import type { StreamCut } from '../../src/redis/journal/journal.ts';
import { RespParser } from '../../src/redis/resp.ts';
import { startScratchRedis } from '../../src/redis/scratch/scratch-redis.ts';
import { caught } from '../support/caught.ts';
import { collectBytes } from '../support/collect.ts';
import { fillServer, readServer as readInOrder, withClient } from '../support/redis-dataset.ts';
import { put, UNHURRIED } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { resolveTools, type RedisVersion, whenAvailable } from '../support/tools.ts';
import { journal, offsetOf, record, type Recording } from './redis-journal-support/recording.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const argsOf = (version: RedisVersion): string[] => (version === '7' ? ['--enable-debug-command', 'yes'] : []);

describeBoth('a Redis restored to an instant', () => {
  const started: TestRedis[] = [];
  const folders: string[] = [];
  const start = async (version: RedisVersion, ...more: string[]): Promise<TestRedis> => {
    const server = await startRedis({ version, args: [...argsOf(version), ...more] });
    started.push(server);
    return server;
  };
  const folder = async (): Promise<string> => {
    const made = await mkdtemp(join(tmpdir(), 'lifeboat-test-aof-'));
    folders.push(made);
    return made;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map(async (server) => await server.stop()));
    await Promise.all(folders.splice(0).map(async (made) => await rm(made, { recursive: true, force: true })));
  });

  test.each([
    ['7', '7'],
    ['6.2', '6.2'],
    ['6.2', '7'],
  ] as const)('of %s holds in a %s what it held then, in memory and as append-only files', async (from, to) => {
    const source = await start(from);
    await fillServer(source);
    const { recording, cut, digest, values } = await livedThrough(source);
    expect(cut.offset).toBeGreaterThan(recording.facts.offset);

    const target = await start(to);
    const { checks, offset } = await replay(recording, cut, { target: target.target });
    expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(offset).toBe(cut.offset);
    if (from === to) {
      expect(await readServer(target)).toEqual(values);
      expect(await target.cli('DEBUG', 'DIGEST')).toBe(digest);
    }

    const directory = await folder();
    await journal.writeAppendOnlyDirectory({ directory, cut }, contextOf(recording));
    const fromFiles = await start(to, '--appendonly', 'yes', '--dir', directory);
    if (from === to) {
      expect(await readServer(fromFiles)).toEqual(values);
      expect(await fromFiles.cli('DEBUG', 'DIGEST')).toBe(digest);
    } else {
      expect(await fromFiles.cli('DEBUG', 'DIGEST')).toBe(await target.cli('DEBUG', 'DIGEST'));
    }
  });

  test.each(['7', '6.2'] as const)(
    'a key of %s that was changed and then expired does not come back',
    async (version) => {
      const source = await start(version);
      await withClient(source, async (client) => {
        await client.call('SET', 'short', '10', 'PX', 1200);
        await client.call('SET', 'long', '10', 'PX', 600_000);
      });
      const recording = await record(source.target);
      await withClient(source, async (client) => {
        await client.incr('short');
        await client.incr('long');
      });
      const expiry = await expiryOf(source, 'long');
      await recording.reached(await offsetOf(source));
      const atMs = Date.now();
      await delay(1500);
      await withClient(source, async (client) => await client.set('long', 'overwritten'));
      await recording.reached(await offsetOf(source));
      await recording.stop();
      const cut = await journal.findCut(recording.stream, { atMs }, UNHURRIED);

      const naive = await start(version);
      await replayAsClient(recording, cut, naive);
      // What the same commands make of it in a client's hands: another key, and one for ever.
      expect(await naive.cli('GET', 'short')).toBe('1');
      expect(await naive.cli('TTL', 'short')).toBe('-1');

      const target = await start(version);
      await replay(recording, cut, { target: target.target });
      expect(await target.cli('EXISTS', 'short')).toBe('0');
      expect(await target.cli('GET', 'long')).toBe('11');
      await expectExpiry(target, 'long', expiry);

      const directory = await folder();
      await journal.writeAppendOnlyDirectory({ directory, cut }, contextOf(recording));
      const fromFiles = await start(version, '--appendonly', 'yes', '--dir', directory);
      expect(await fromFiles.cli('EXISTS', 'short')).toBe('0');
      expect(await fromFiles.cli('GET', 'long')).toBe('11');
      await expectExpiry(fromFiles, 'long', expiry);
    },
  );

  test('no instant falls into a transaction', async () => {
    const source = await start('7');
    const recording = await record(source.target);
    await source.cli('SET', 'left', '0');
    await recording.reached(await offsetOf(source));
    const instants: number[] = [];
    await withClient(source, async (client) => {
      for (let n = 1; n <= 40; n += 1) {
        await client.multi().set('left', n).set('filler', 'x'.repeat(20_000)).set('right', n).exec();
        instants.push(Date.now());
        await delay(8);
      }
    });
    await recording.reached(await offsetOf(source));
    await recording.stop();
    const bytes = recording.bytes();
    for (const atMs of [instants[3]!, instants[17]!, instants[30]!]) {
      const cut = await journal.findCut(recording.stream, { atMs }, UNHURRIED);
      expect(cut.timeMs).toBeLessThanOrEqual(atMs);
      expect(bytes.subarray(0, cut.offset - recording.facts.offset).toString('latin1')).toMatch(/EXEC\r\n$/i);
    }
    // Every offset, also in the middle of a transaction, leads to the end of the one before.
    for (let at = 60_000; at < 70_000; at += 997) {
      const cut = await journal.findCut(recording.stream, { offset: recording.facts.offset + at }, UNHURRIED);
      expect(bytes.subarray(0, cut.offset - recording.facts.offset).toString('latin1')).toMatch(/EXEC\r\n$/i);
      expect(cut.offset).toBeLessThanOrEqual(recording.facts.offset + at);
    }
    const target = await start('7');
    const cut = await journal.findCut(recording.stream, { atMs: instants[17]! }, UNHURRIED);
    await replay(recording, cut, { target: target.target });
    expect(await target.cli('GET', 'left')).toBe(await target.cli('GET', 'right'));
    expect(Math.abs(Number(await target.cli('GET', 'left')) - 18)).toBeLessThanOrEqual(3);
  });

  test('a target that may not replicate gets the keys of a scratch server, proved', async () => {
    const source = await start('7');
    await fillServer(source);
    const { recording, cut, values } = await livedThrough(source);
    const target = await start('7', '--rename-command', 'REPLICAOF', '');
    const { serverPath } = await resolveTools().redis('7');
    const { checks } = await replay(recording, cut, { target: target.target, serverPath });
    expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(checks.map(({ name }) => name)).toContain('redis digest');
    expect(await readServer(target)).toEqual(values);
    const missing = await caught(
      async () =>
        await replay(recording, cut, { target: target.target, dropExisting: true, serverPath: '/nowhere/redis' }),
    );
    expect(missing.code).toBe('REDIS_IMPORT_IMPOSSIBLE');
  });

  test('what is there is kept unless it is to be replaced, and an older server is refused', async () => {
    const source = await start('7');
    const { recording, cut, values } = await livedThrough(source);
    const target = await start('7');
    await target.cli('SET', 'mine', '1');
    expect((await caught(async () => await replay(recording, cut, { target: target.target }))).code).toBe(
      'REDIS_NOT_EMPTY',
    );
    expect(await target.cli('GET', 'mine')).toBe('1');
    await replay(recording, cut, { target: target.target, dropExisting: true });
    expect(await readServer(target)).toEqual(values);
    // An attempt that had done all but say so.
    const again = await replay(recording, cut, { target: target.target });
    expect(again.checks.every(({ status }) => status === 'pass')).toBe(true);
    const old = await start('6.2');
    expect((await caught(async () => await replay(recording, cut, { target: old.target }))).code).toBe(
      'REDIS_IMPORT_IMPOSSIBLE',
    );
  });

  test('a stream with a hole, or one that ends early, is never taken for a whole one', async () => {
    const source = await start('7');
    const { recording } = await livedThrough(source);
    const cut = { offset: recording.position().offset, timeMs: 0 };
    expect(recording.chunks.length).toBeGreaterThan(2);
    const target = await start('7');
    await target.cli('SET', 'mine', '1');
    const holed = {
      ...contextOf(recording),
      stream: async function* () {
        yield* recording.chunks.filter((_, index) => index !== 1);
      },
    };
    const error = await caught(async () => await journal.findCut(holed.stream, { offset: cut.offset }, UNHURRIED));
    expect(error.code).toBe('JOURNAL_GAP');
    const short = {
      ...contextOf(recording),
      stream: async function* () {
        yield* recording.chunks.slice(0, 1);
      },
    };
    const directory = await folder();
    const aof = await caught(async () => await journal.writeAppendOnlyDirectory({ directory, cut }, short));
    expect(aof.code).toBe('REDIS_STREAM_DAMAGED');
    expect(await readdir(join(directory, 'appendonlydir'))).not.toContain('appendonly.aof.manifest');
    expect(
      (await caught(async () => await journal.findCut(short.stream, { offset: cut.offset }, UNHURRIED))).code,
    ).toBe('JOURNAL_TARGET_OUTSIDE');
    const replayed = await caught(
      async () =>
        await replayIntoServer({ facts: recording.facts, cut, dropExisting: true, target: target.target }, holed),
    );
    expect(replayed.code).toBe('JOURNAL_GAP');
    // By then the target may have lost what it had, which the error says; but it is its own master again.
    expect(replayed.details).toMatchObject({ targetReleased: true, targetData: 'undefined' });
    expect(await target.cli('SET', 'writable', '1')).toBe('OK');
  });

  test("a scratch server is nobody else's, and gone afterwards", async () => {
    const { serverPath } = await resolveTools().redis('7');
    const scratch = await startScratchRedis({ serverPath }, UNHURRIED);
    const { password: _, ...stranger } = scratch.target;
    const refusal = await caught(async () => await put(await emptySnapshot(await start('7')), stranger));
    expect(refusal.code).toBe('REDIS_AUTH_FAILED');
    await scratch.end();
    const gone = await caught(async () => await put(await emptySnapshot(await start('7')), scratch.target));
    expect(gone.code).toBe('REDIS_UNREACHABLE');
    const broken = await folder();
    await journal.writeAppendOnlyDirectory(
      { directory: broken, cut: { offset: 0, timeMs: 0 } },
      { ...(await contextOfEmpty(await start('7'))), stream: async function* () {} },
    );
    const file = join(broken, 'appendonlydir', 'appendonly.aof.1.incr.aof');
    await (await import('node:fs/promises')).writeFile(file, 'no commands at all\r\n');
    const ended = await caught(async () => await startScratchRedis({ serverPath, directory: broken }, UNHURRIED));
    expect(ended.code).toBe('REDIS_SCRATCH_NOT_STARTED');
    expect(String(ended.details['log'])).toContain('Bad file format');
  });
});

/** Servers list function libraries in no order of their own. */
async function readServer(server: TestRedis): ReturnType<typeof readInOrder> {
  const read = await readInOrder(server);
  if (!Array.isArray(read['functions'])) return read;
  const functions = read['functions'].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return { ...read, functions };
}

interface Lived {
  readonly recording: Recording;
  readonly cut: StreamCut;
  /** Of the source at the cut. */
  readonly digest: string;
  readonly values: Awaited<ReturnType<typeof readServer>>;
}

/** Follows a server, changes much, looks at it, and changes more: the cut is where it was looked at. */
async function livedThrough(source: TestRedis): Promise<Lived> {
  const recording = await record(source.target);
  await change(source, 'before');
  await recording.reached(await offsetOf(source));
  await delay(30);
  const atMs = Date.now();
  const digest = await source.cli('DEBUG', 'DIGEST');
  const values = await readServer(source);
  await delay(30);
  await change(source, 'after');
  await recording.reached(await offsetOf(source));
  await recording.stop();
  return { recording, digest, values, cut: await journal.findCut(recording.stream, { atMs }, UNHURRIED) };
}

async function change(server: TestRedis, when: string): Promise<void> {
  const functions = (await server.cli('INFO', 'server')).includes('redis_version:7');
  for (const db of [0, 2, 9]) {
    await withClient(
      server,
      async (client) => {
        await client.set(`changed ${when}`, db);
        await client.set(Buffer.from([0, 255, 13, 10, 36, db]), Buffer.from([13, 10, 42, 0]));
        await client.multi().rpush('queue', when, 'b').incr('count').exec();
        await client.call('SET', 'with expiry', when, 'PX', 3_600_000);
        await client.eval(
          "redis.call('SET', KEYS[1], ARGV[1]); redis.call('SADD', 'set', ARGV[1])",
          1,
          'by script',
          when,
        );
        await client.xadd('events', '*', 'when', when);
        await client.incrbyfloat('float', 0.1);
        if (functions && db === 2) {
          await client.call(
            'FUNCTION',
            'LOAD',
            'REPLACE',
            `#!lua name=journal\nredis.register_function('f', function() return '${when}' end)`,
          );
        }
        await client.del('list:small');
        await delay(60);
      },
      db,
    );
  }
}

const contextOf = (recording: Recording) => ({
  snapshot: recording.snapshot,
  stream: recording.stream,
  operation: UNHURRIED,
});

async function replay(
  recording: Recording,
  cut: StreamCut,
  request: Partial<ReplayRequest> & Pick<ReplayRequest, 'target'>,
): Promise<ReplayResult> {
  return await replayIntoServer({ facts: recording.facts, cut, dropExisting: false, ...request }, contextOf(recording));
}

/** RESTORE of the snapshot's keys, then every command as any client would send it. */
async function replayAsClient(recording: Recording, cut: StreamCut, target: TestRedis): Promise<void> {
  const bytes = await collectBytes(recording.snapshot());
  const open = async function* () {
    yield bytes;
  };
  await put({ facts: recording.facts, format: 'redis-rdb', bytes, open }, target.target, { method: 'restore' });
  await delay(1500);
  const parser = new RespParser();
  for await (const piece of cutStream(recording.stream, { from: recording.facts.offset, cut, dataOnly: true })) {
    parser.push(Buffer.from(piece));
  }
  await withClient(target, async (client) => {
    for (let command = parser.next(); command !== undefined; command = parser.next()) {
      const [name, ...args] = command as Buffer[];
      await client.call(name!.toString(), ...args);
    }
  });
}

/** Version 7 tells the instant; before, the clock goes on a little between the two that are added. */
async function expectExpiry(server: TestRedis, key: string, expected: number): Promise<void> {
  const differenceMs = Math.abs((await expiryOf(server, key)) - expected);
  expect(differenceMs).toBeLessThanOrEqual((await isVersion7(server)) ? 0 : 20);
}

const isVersion7 = async (server: TestRedis): Promise<boolean> =>
  (await server.cli('INFO', 'server')).includes('redis_version:7');

/** Absolute, in milliseconds. */
async function expiryOf(server: TestRedis, key: string): Promise<number> {
  if (await isVersion7(server)) return Number(await server.cli('PEXPIRETIME', key));
  // Before 7 the expiry is only told as what is left of it.
  const script =
    "local t = redis.call('TIME'); return t[1] * 1000 + math.floor(t[2] / 1000) + redis.call('PTTL', KEYS[1])";
  return Number(await server.cli('EVAL', `redis.replicate_commands(); ${script}`, '1', key));
}

async function emptySnapshot(server: TestRedis): Promise<Parameters<typeof put>[0]> {
  const { take } = await import('../support/redis-snapshots.ts');
  return await take(server.target);
}

async function contextOfEmpty(server: TestRedis) {
  const snapshot = await emptySnapshot(server);
  return { snapshot: snapshot.open, operation: UNHURRIED };
}
