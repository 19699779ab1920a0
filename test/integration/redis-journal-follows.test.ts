/**
 * Goal: the journal of a Redis has every byte of its stream exactly once, whatever happens to it, to the server and to
 * the store. Method: real servers of 6.2 and 7 are written to while they are followed, interrupted, restarted and
 * promoted; what was recorded is compared byte by byte with a recording that was never disturbed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnChild } from '../../src/platform/child-process.ts';
import { findReplica } from '../../src/redis/journal/source/find-replica.ts';
import { inspectStreamLimits } from '../../src/redis/journal/source/stream-limits.ts';
import { LifeboatError } from '../../src/domain/errors.ts';
import { caught } from '../support/caught.ts';
import { withClient } from '../support/redis-dataset.ts';
import { UNHURRIED } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { type RedisVersion, whenAvailable } from '../support/tools.ts';
import { infoOf, journal, offsetOf, record, SPILL } from './redis-journal-support/recording.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const VERSIONS = ['7', '6.2'] as const;
const BACKLOG = ['--repl-backlog-size', '256mb'];

describeBoth('a followed Redis', () => {
  const started: TestRedis[] = [];
  const start = async (version: RedisVersion, ...args: string[]): Promise<TestRedis> => {
    const server = await startRedis({ version, args: [...BACKLOG, ...args] });
    started.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map(async (server) => await server.stop()));
  });

  test.each(VERSIONS)('of %s is recorded without a hole by a process that is killed and goes on', async (version) => {
    const server = await start(version);
    const whole = await record(server.target);
    const writing = new AbortController();
    const writer = writeFor(server, 60_000, 100, writing.signal);
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-follower-'));
    const stored = async (): Promise<{ offset: number; from: number; starts: number }> =>
      JSON.parse(await readFile(join(folder, 'position'), 'utf8').catch(() => '{"offset":0,"from":0,"starts":0}'));
    try {
      for (const moreBytes of [40_000, 15_000, 70_000]) {
        const enough = (await stored()).offset + moreBytes;
        const child = follower(server, folder);
        while ((await stored()).offset < enough) await delay(7);
        child.kill('SIGKILL');
        await child.exited;
      }
      writing.abort();
      await writer;
      const end = await offsetOf(server);
      await whole.reached(end);
      const last = follower(server, folder, end);
      expect((await last.exited).code).toBe(0);
      const resumed = await readFile(join(folder, 'stream'));
      const position = await stored();
      expect(position.starts).toBe(1);
      expect(position.offset).toBeGreaterThanOrEqual(end);
      // The snapshots were taken at different offsets; from there on both have the same bytes.
      await whole.reached(position.offset);
      const from = Math.max(whole.facts.offset, position.from);
      const expected = whole.bytes().subarray(from - whole.facts.offset, position.offset - whole.facts.offset);
      expect(expected.length).toBeGreaterThan(50_000);
      expect(resumed.subarray(from - position.from).equals(expected)).toBe(true);
    } finally {
      await whole.stop();
      await rm(folder, { recursive: true });
    }
  });

  test.each(VERSIONS)('of %s that restarts gives a snapshot again, with the reason', async (version) => {
    const server = await start(version);
    const first = await record(server.target);
    await server.cli('SET', 'a', '1');
    await first.reached(await offsetOf(server));
    await server.kill();
    const error = await first.ended;
    expect(error).toBeInstanceOf(LifeboatError);
    expect((error as LifeboatError).code).toBe('REDIS_CONNECTION_LOST');
    expect(first.bytes().toString('latin1')).toContain('SET');
    await server.restart();
    const second = await record(server.target, { resume: first.position() });
    expect(second.events[0]).toMatchObject({ event: 'resynced' });
    expect(second.facts.replid).not.toBe(first.facts.replid);
    expect(second.events[0]).toHaveProperty('reason', expect.stringContaining('another history'));
    await second.stop();
  });

  test.each(VERSIONS)('a replica of %s that is promoted goes on under its new name', async (version) => {
    const master = await start(version);
    const replica = await start(version, '--replicaof', '127.0.0.1', String(master.port));
    await linked(replica);
    const found = await findReplica(master.target, UNHURRIED);
    expect(found).toMatchObject({ host: '127.0.0.1', port: replica.port });
    const onMaster = await record(master.target);
    const onReplica = await record(found!);
    expect(onReplica.facts.replid).toBe(onMaster.facts.replid);
    await writeSome(master, 'before');
    await onMaster.reached(await offsetOf(master));
    await onReplica.reached(await offsetOf(master));
    const common = Math.max(onMaster.facts.offset, onReplica.facts.offset);
    expect(tailFrom(onReplica, common).equals(tailFrom(onMaster, common))).toBe(true);
    await onMaster.stop();
    await master.kill();
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await onReplica.ended;
    const after = await record(replica.target, { resume: onReplica.position() });
    const promoted = (await infoOf(replica)).get('master_replid');
    expect(promoted).not.toBe(onReplica.facts.replid);
    expect(after.events[0]).toEqual({ event: 'continued', replid: promoted, offset: onReplica.position().offset });
    await writeSome(replica, 'after');
    await after.reached(await offsetOf(replica));
    expect(after.bytes().toString('latin1')).toContain('text after');
    await after.stop();
  });

  test('what was recorded beyond the fork of a promoted replica is not gone on from', async () => {
    const master = await start('7');
    const replica = await start('7', '--replicaof', '127.0.0.1', String(master.port));
    await linked(replica);
    const recording = await record(master.target);
    await writeSome(master, 'common');
    await linked(replica, await offsetOf(master));
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await writeSome(master, 'only here');
    await recording.reached(await offsetOf(master));
    await recording.stop();
    const other = await record(replica.target, { resume: recording.position() });
    expect(other.events[0]).toMatchObject({ event: 'resynced' });
    await other.stop();
  });

  test('nothing is lost and the link stays while the store stands still for 20 s under load', async () => {
    const server = await start('7', '--client-output-buffer-limit', 'replica 4mb 1mb 2', '--repl-timeout', '8');
    const whole = await record(server.target);
    let stalled = false;
    const slow = await record(server.target, {
      beforeCommit: async (event) => {
        if (event.event !== 'chunk' || stalled) return;
        stalled = true;
        await delay(20_000);
      },
    });
    await writeFor(server, 19_000, 20_000);
    const end = await offsetOf(server);
    expect(end).toBeGreaterThan(40 * 1024 ** 2);
    await whole.reached(end);
    await slow.reached(end);
    const from = Math.max(whole.facts.offset, slow.facts.offset);
    expect(tailFrom(slow, from).equals(tailFrom(whole, from))).toBe(true);
    expect(await server.cli('INFO', 'stats')).toContain('sync_full:2');
    for (const { marks, bytes } of slow.chunks) {
      expect(marks.length).toBeLessThanOrEqual(256);
      expect(marks.reduce((sum, [count]) => sum + count, 0)).toBe(bytes.length);
    }
    await Promise.all([whole.stop(), slow.stop()]);
  });

  test('a spill file that is full ends the link by name, gives all that it holds, and can be gone on from', async () => {
    const server = await start('7');
    const whole = await record(server.target);
    let hold = true;
    const small = await record(server.target, {
      spill: { ...SPILL, maxBytes: 2 * 1024 ** 2 },
      beforeCommit: async (event) => {
        while (hold && event.event === 'chunk') await delay(20);
      },
    });
    await writeValues(server, 600, 50_000);
    await delay(200);
    hold = false;
    const error = await small.ended;
    expect((error as LifeboatError).code).toBe('REDIS_SPILL_FULL');
    expect((error as LifeboatError).rule.retry).toBe('transient');
    expect(small.bytes().length).toBeGreaterThan(8 * 1024 ** 2);
    const rest = await record(server.target, { resume: small.position() });
    expect(rest.events[0]).toMatchObject({ event: 'continued' });
    const end = await offsetOf(server);
    await whole.reached(end);
    await rest.reached(end);
    const from = Math.max(whole.facts.offset, small.facts.offset);
    const both = Buffer.concat([tailFrom(small, from), rest.bytes()]);
    expect(both.subarray(0, end - from).equals(tailFrom(whole, from).subarray(0, end - from))).toBe(true);
    await Promise.all([whole.stop(), rest.stop()]);
  });

  test('a value of 100 MB is passed on in pieces, and a recording can go on in the middle of it', async () => {
    const server = await start('7');
    const whole = await record(server.target);
    let hold = true;
    const cut = await record(server.target, {
      beforeCommit: async (event) => {
        while (hold && event.event === 'chunk' && event.state.unfinishedBytes > 10 * 1024 ** 2) await delay(20);
      },
    });
    const value = Buffer.alloc(100 * 1024 ** 2);
    for (let at = 0; at < value.length; at += 4) value.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    await withClient(server, async (client) => await client.set('big', value));
    await server.cli('SET', 'behind', '1');
    const end = await offsetOf(server);
    await whole.reached(end);
    expect(Math.max(...whole.chunks.map(({ bytes }) => bytes.length))).toBeLessThan(5 * 1024 ** 2);
    expect(cut.position().state.unfinishedBytes).toBeGreaterThan(0);
    const resume = cut.position();
    const stopped = cut.stop();
    hold = false;
    await stopped;
    const rest = await record(server.target, { resume });
    await rest.reached(end);
    const from = Math.max(whole.facts.offset, cut.facts.offset);
    const kept = tailFrom(cut, from).subarray(0, resume.offset - from);
    const both = Buffer.concat([kept, rest.bytes()]);
    expect(both.subarray(0, end - from).equals(tailFrom(whole, from).subarray(0, end - from))).toBe(true);
    expect((await journal.findCut(whole.stream, { offset: end - 60 }, UNHURRIED)).offset).toBeLessThan(
      end - value.length,
    );
    await Promise.all([whole.stop(), rest.stop()]);
  });

  test('a transaction that comes in several chunks is known to be open between them', async () => {
    const server = await start('7');
    const recording = await record(server.target, { flushMs: 20 });
    await withClient(server, async (client) => {
      const transaction = client.multi();
      for (let n = 0; n < 12; n += 1) transaction.set(`part ${n}`, 'x'.repeat(1024 ** 2));
      await transaction.exec();
    });
    const end = await offsetOf(server);
    await recording.reached(end);
    const open = recording.chunks.filter(({ state }) => state.insideMulti);
    expect(open.length).toBeGreaterThan(0);
    expect(recording.position().state.insideMulti).toBe(false);
    const inside = open[0]!;
    const rest = await record(server.target, {
      resume: { replid: recording.facts.replid, offset: inside.to, state: inside.state },
    });
    await rest.reached(end);
    expect(rest.position().state).toEqual(recording.position().state);
    const cut = await journal.findCut(recording.stream, { offset: inside.to }, UNHURRIED);
    expect(cut.offset).toBeLessThan(inside.to);
    await Promise.all([recording.stop(), rest.stop()]);
  });

  test.each(VERSIONS)('an idle %s is known to be idle, and a catch-up ends by itself', async (version) => {
    const server = await start(version);
    const recording = await record(server.target, { flushMs: 100 });
    const before = Date.now();
    const idle = await recording.until((event) => event.event === 'time' && event.timeMs > before);
    expect(idle).toMatchObject({ offset: recording.position().offset });
    await recording.stop();
    await server.cli('SELECT', '3');
    await withClient(server, async (client) => await client.set('later', 1), 4);
    const until = await offsetOf(server);
    const startedAt = Date.now();
    const flushMs = 60_000;
    const rest = await record(server.target, { resume: recording.position(), until, flushMs });
    expect(await rest.ended).toBeUndefined();
    expect(Date.now() - startedAt).toBeLessThan(flushMs / 2);
    expect(rest.position()).toMatchObject({ offset: until, state: { database: 4 } });

    const untilMs = Date.now();
    const idler = await record(server.target, { resume: rest.position(), until, untilMs, flushMs });
    const { timeMs } = (await idler.until((event) => event.event === 'time')) as { readonly timeMs: number };
    expect(await idler.ended).toBeUndefined();
    expect(timeMs).toBeGreaterThanOrEqual(untilMs);
    expect(Date.now() - startedAt).toBeLessThan(flushMs / 2);
  });

  test('the server is told what is durable and nothing more, and WAIT does not count on us', async () => {
    const server = await start('7');
    let hold = true;
    const recording = await record(server.target, {
      beforeCommit: async (event) => {
        while (hold && event.event === 'chunk') await delay(20);
      },
    });
    await withClient(server, async (client) => {
      await client.set('a', 1);
      expect(await client.wait(1, 1500)).toBe(0);
    });
    const slave = (await infoOf(server)).get('slave0')!;
    expect(slave).toContain(`offset=${recording.facts.offset},`);
    hold = false;
    await withClient(server, async (client) => {
      await client.set('b', 1);
      expect(await client.wait(1, 5000)).toBe(1);
    });
    await recording.stop();
  });

  test('line feeds of a server that lost its master are no part of the stream', async () => {
    const server = await start('7');
    const proxy = await startFeeder(server.port);
    const recording = await record({ ...server.target, port: proxy.port });
    // Writes that come together are read together: as many as are needed, one after the other.
    for (let round = 0; proxy.fed() <= 3 && round < 100; round += 1) {
      await writeSome(server, `fed${round}`);
      await delay(20);
    }
    const end = await offsetOf(server);
    await recording.reached(end);
    expect(proxy.fed()).toBeGreaterThan(3);
    expect(recording.position().offset).toBe(end);
    await recording.stop();
    await proxy.close();
  });

  test('a user with no more than psync, replconf and ping is enough; settings and replicas are looked at where allowed', async () => {
    const server = await start('7');
    await server.cli('ACL', 'SETUSER', 'bk', 'on', '>pw', '-@all', '+psync', '+replconf', '+ping');
    const target = { ...server.target, username: 'bk', password: 'pw' };
    const recording = await record(target);
    await writeSome(server, 'acl');
    await recording.reached(await offsetOf(server));
    await recording.stop();
    expect(await inspectStreamLimits(target, UNHURRIED)).toEqual({
      backlogBytes: null,
      backlogTtlSeconds: null,
      outputBuffer: null,
      warnings: [],
    });
    expect(await findReplica(target, UNHURRIED)).toBeUndefined();
    expect((await inspectStreamLimits(server.target, UNHURRIED)).warnings).toEqual([]);
    const small = await startRedis({ version: '7' });
    started.push(small);
    expect((await inspectStreamLimits(small.target, UNHURRIED)).warnings).toHaveLength(1);
    const wrong = await caught(async () => await record({ ...target, password: 'no' }));
    expect(wrong.code).toBe('REDIS_AUTH_FAILED');
  });
});

function tailFrom(recording: Awaited<ReturnType<typeof record>>, offset: number): Buffer {
  return recording.bytes().subarray(offset - recording.facts.offset);
}

async function linked(replica: TestRedis, offset = 0): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await delay(50)) {
    const info = await infoOf(replica);
    if (info.get('master_link_status') === 'up' && Number(info.get('slave_repl_offset')) >= offset) {
      return await delay(1200);
    }
  }
  throw new Error('the replica did not come');
}

async function writeSome(server: TestRedis, what: string): Promise<void> {
  for (const db of [0, 5]) {
    await withClient(
      server,
      async (client) => {
        await client.set(`text ${what}`, 'v'.repeat(100));
        await client.set(Buffer.from([10, 13, 0, 255]), Buffer.from([42, 10, 13, 10]));
        await client.multi().incr('n').rpush('list', what).exec();
      },
      db,
    );
  }
}

/** Writes all the time; values of this size. */
/** Writes one value after the other, each in a round of its own. */
async function writeValues(server: TestRedis, count: number, valueBytes: number): Promise<void> {
  await withClient(server, async (client) => {
    for (let n = 0; n < count; n += 1) await client.set(`k${n}`, 'v'.repeat(valueBytes));
  });
}

async function writeFor(server: TestRedis, forMs: number, valueBytes = 100, signal?: AbortSignal): Promise<void> {
  await withClient(server, async (client) => {
    const value = 'v'.repeat(valueBytes);
    for (let [n, end] = [0, Date.now() + forMs]; Date.now() < end && signal?.aborted !== true; n += 1) {
      await Promise.all([
        client.set(`k${n % 1000}`, value),
        client.incr('n'),
        client.multi().incr('a').incr('b').exec(),
      ]);
      await delay(n % 3);
    }
  });
}

const FOLLOWER = join(import.meta.dirname, 'redis-journal-support', 'follower.ts');

function follower(server: TestRedis, folder: string, until?: number) {
  const child = spawnChild({
    name: 'node',
    command: process.execPath,
    args: [FOLLOWER, String(server.port), folder, ...(until === undefined ? [] : [String(until)])],
    signal: new AbortController().signal,
  });
  child.stdout.resume();
  return child;
}

/** Passes on what a server sends, with line feeds before each of its commands. */
async function startFeeder(port: number): Promise<{ port: number; fed: () => number; close: () => Promise<void> }> {
  const { connect } = await import('node:net');
  const sockets = new Set<Socket>();
  let fed = 0;
  const listener = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => [client, upstream].forEach((other) => other.destroy()));
    }
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      // Small writes of a test: each read begins with a whole command.
      if (bytes.subarray(0, 1).toString() === '*') {
        client.write('\n');
        fed += 1;
      }
      client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    fed: () => fed,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
