/**
 * Goal: what SCAN + DUMP takes out of a Redis comes back into another one, by the rights a managed service leaves, and
 * an interrupted or refused transfer is an error, never a short success.
 * Method: real servers of both versions; every restored key is read back by the commands of its type; connections are
 * cut by a proxy, servers killed, rights and memory taken away.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Progress } from '../../src/domain/operation.ts';
import { freePort } from '../../src/platform/ports.ts';
import { checkDump } from '../../src/redis/dump/check-dump.ts';
import { exportByDump } from '../../src/redis/dump/export-by-dump.ts';
import { importByRestore, type RestoreResult } from '../../src/redis/dump/import-by-restore.ts';
import type { DumpItem } from '../../src/redis/dump/stream/format.ts';
import { readDump } from '../../src/redis/dump/stream/read-dump.ts';
import type { RedisTarget } from '../../src/redis/redis.ts';
import { openRedisSocket } from '../../src/redis/socket.ts';
import { caught } from '../support/caught.ts';
import { type Command, digestOf, dumpOf, QUIET, readEverything, run, type StoredDump } from '../support/redis-dumps.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { type Cut, startCut } from '../support/tcp-cut.ts';

const code = (name: string): unknown => expect.objectContaining({ code: name });
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const KEYS_PER_DB = 3000;
const FAR_MS = 4_102_444_800_123;

function dataOf(db: number): Command[] {
  return [
    ['SELECT', db],
    ...range(KEYS_PER_DB).map((n): Command => {
      const key = `db${db}:key:${n}`;
      switch (n % 5) {
        case 0:
          return ['SET', key, `value ${n}`];
        case 1:
          return ['HSET', key, 'n', n, 'text', 'x'.repeat(n % 200)];
        case 2:
          return ['RPUSH', key, n, 'b', 'c'.repeat(n % 100)];
        case 3:
          return ['ZADD', key, n / 7, 'a', -n, 'b'];
        default:
          return ['SADD', key, n, 'text', Buffer.from([n & 255, 0, 13, 10])];
      }
    }),
    ...range(KEYS_PER_DB / 5).map((n): Command => ['PEXPIREAT', `db${db}:key:${n * 5}`, FAR_MS + n]),
    ['SET', Buffer.from([0, 255, 13, 10, 36, 45, db]), Buffer.from(range(256))],
    ['XADD', 'stream', '1-1', 'f', 'v'],
    ['XGROUP', 'CREATE', 'stream', 'group', '0'],
    ['XREADGROUP', 'GROUP', 'group', 'consumer', 'STREAMS', 'stream', '>'],
  ];
}
const LIBRARY = '#!lua name=sessions\nredis.register_function("answer", function() return 42 end)';

const restore = (target: RedisTarget, dump: StoredDump, replace = false): Promise<RestoreResult> =>
  importByRestore(target, readDump(dump.open()), { operation: QUIET, replace });

const as = (server: TestRedis, username: string): RedisTarget => ({ ...server.target, username, password: 'pw' });
const allow = (server: TestRedis, name: string, ...rules: string[]): Promise<unknown> =>
  run(server.target, [['ACL', 'SETUSER', name, 'reset', 'on', '>pw', '~*', '-@all', ...rules]]);

describe('a dump of Redis', () => {
  let redis62: TestRedis;
  let redis7: TestRedis;
  let target: TestRedis;

  beforeAll(async () => {
    [redis62, redis7, target] = [await startRedis({ version: '6.2' }), await startRedis(), await startRedis()];
    for (const server of [redis62, redis7]) await run(server.target, [...dataOf(0), ...dataOf(3), ...dataOf(15)]);
    await run(redis7.target, [['FUNCTION', 'LOAD', LIBRARY]]);
  });
  afterAll(async () => {
    for (const server of [redis62, redis7, target]) await server.stop();
  });
  beforeEach(async () => {
    await run(target.target, [['FLUSHALL'], ['FUNCTION', 'FLUSH']]);
  });

  const versions: readonly (readonly [string, () => TestRedis])[] = [
    ['6.2', () => redis62],
    ['7', () => redis7],
  ];

  test.each(versions)('of %s restores into 7 key by key, in every database', async (version, serverOf) => {
    const server = serverOf();
    const dump = await dumpOf(server.target);
    expect(dump.facts).toMatchObject({
      method: 'dump',
      consistent: false,
      keys: 3 * (KEYS_PER_DB + 2),
      databases: { 0: KEYS_PER_DB + 2, 3: KEYS_PER_DB + 2, 15: KEYS_PER_DB + 2 },
      functions: version === '7' ? 1 : 0,
      rdbVersion: version === '7' ? 10 : 9,
      server: expect.stringMatching(version === '7' ? /^7\.0\./ : /^6\.2\./),
    });
    const result = await restore(target.target, dump);
    expect(result).toMatchObject({ keys: dump.facts.keys, databases: dump.facts.databases, expired: 0 });
    expect(await readEverything(target.target, [0, 3, 15])).toEqual(await readEverything(server.target, [0, 3, 15]));
    const check = await checkDump(dump.open(), QUIET);
    expect(check).toMatchObject({ keys: dump.facts.keys, databases: dump.facts.databases });
    expect(await digestOf(target.target)).toBe(check.digest);
  });

  test('brings functions back', async () => {
    await restore(target.target, await dumpOf(redis7.target));
    expect(await run(target.target, [['FCALL', 'answer', 0]])).toEqual([42]);
  });

  test('of 6.2 holds expiries to the millisecond', async () => {
    const keys = range(2000).map((n) => [`ttl:${n}`, FAR_MS + n * 17] as const);
    await run(redis62.target, [
      ['SELECT', 9],
      ...keys.flatMap(([key, at]): Command[] => [
        ['SET', key, 'v'],
        ['PEXPIREAT', key, at],
      ]),
    ]);
    const dump = await dumpOf(redis62.target);
    await run(redis62.target, [['SELECT', 9], ['FLUSHDB']]);
    const found: [string, number | null][] = [];
    for await (const item of readDump(dump.open())) {
      if (item.kind === 'key' && item.db === 9) found.push([item.key.toString(), item.expireAtMs]);
    }
    expect(new Map(found)).toEqual(new Map(keys));
    expect(found).toHaveLength(keys.length);
  });

  test('of an empty server is a whole dump of nothing', async () => {
    const dump = await dumpOf(target.target);
    expect(dump.facts).toMatchObject({ keys: 0, databases: {}, functions: 0 });
    expect(await checkDump(dump.open(), QUIET)).toMatchObject({ keys: 0, databases: {} });
    expect(await restore(target.target, dump)).toMatchObject({ keys: 0 });
  });

  test('leaves out keys that expired meanwhile and counts them', async () => {
    await run(target.target, [
      ['SET', 'short', '1', 'PX', 60],
      ['SET', 'long', '1', 'PX', 60_000],
    ]);
    const dump = await dumpOf(target.target);
    expect(dump.facts.keys).toBe(2);
    await setTimeout(100);
    await run(target.target, [['FLUSHALL']]);
    expect(await restore(target.target, dump)).toMatchObject({ keys: 1, expired: 1 });
    const check = await checkDump(dump.open(), QUIET, { liveAtMs: Date.now() });
    expect(check).toMatchObject({ keys: 1, expired: 1, digest: await digestOf(target.target) });
  });

  test('replaces what is there only when it may', async () => {
    const dump = await dumpOf(redis7.target);
    await run(target.target, [['SET', 'db0:key:77', 'mine']]);
    await expect(restore(target.target, dump)).rejects.toEqual(code('REDIS_KEY_EXISTS'));
    expect(await run(target.target, [['GET', 'db0:key:77']])).toEqual([Buffer.from('mine')]);
    await run(target.target, [['FUNCTION', 'FLUSH']]);
    await restore(target.target, dump, true);
    await restore(target.target, dump, true);
    expect(await digestOf(target.target)).toBe(await digestOf(redis7.target));
  });

  test('taken while clients write holds every key that stays, each once', async () => {
    const source = await startRedis();
    const stable = range(20_000).map((n): Command => ['SET', `stable:${n}`, n]);
    await run(source.target, stable);
    const stop = new AbortController();
    const clients = range(2).map((client) =>
      writeUntil(source.target, { client, keys: 5000, pauseMs: 0, signal: stop.signal }),
    );
    try {
      for (let round = 0; round < 2; round += 1) {
        const dump = await dumpOf(source.target);
        const { keys, torn, repeated } = await inspectTokens(dump);
        expect(stable.filter(([, key]) => !keys.has(String(key)))).toEqual([]);
        expect([...keys].some((key) => key.startsWith('token:'))).toBe(true);
        expect({ torn, repeated, keys: dump.facts.keys }).toEqual({ torn: 0, repeated: 0, keys: keys.size });
        await checkDump(dump.open(), QUIET);
      }
    } finally {
      stop.abort();
      expect((await Promise.all(clients)).every((writes) => writes > 100)).toBe(true);
      await source.stop();
    }
  });

  test('never joins a value with the expiry of another, on a network that lets others in between', async () => {
    const source = await startRedis();
    await run(
      source.target,
      range(200).map((n) => ['SET', `token:0:${n}`, `expires ${FAR_MS}`, 'PXAT', FAR_MS]),
    );
    const slow = await startSlicing(source.port, { sliceBytes: 30, everyMs: 0 });
    const stop = new AbortController();
    // Slow enough that a value is torn now and then, not ten times in a row.
    const client = writeUntil(source.target, { client: 0, keys: 200, pauseMs: 10, signal: stop.signal });
    try {
      let keys = 0;
      for (let round = 0; round < 2; round += 1) {
        const found = await inspectTokens(await dumpOf({ ...source.target, port: slow.port }));
        expect(found.torn).toBe(0);
        keys += found.keys.size;
      }
      expect(keys).toBe(400);
    } finally {
      stop.abort();
      await client;
      slow.close();
      await source.stop();
    }
  });

  test('gives up on a key whose expiry never stands still, naming it', async () => {
    const source = await startRedis();
    const slow = await startSlicing(source.port, { sliceBytes: 30, everyMs: 5 });
    const stop = new AbortController();
    const client = writeUntil(source.target, { client: 0, keys: 1, pauseMs: 0, signal: stop.signal });
    try {
      const failure = await caught(() => dumpOf({ ...source.target, port: slow.port }));
      expect(failure).toMatchObject({ code: 'REDIS_KEY_CHANGING', rule: { retry: 'transient' } });
      expect(failure.message).toMatch(/^read redis key token:…#[0-9a-f]{12}: /);
    } finally {
      stop.abort();
      await client;
      slow.close();
      await source.stop();
    }
  });

  test('holds no key twice when the table of the server shrinks on the way', async () => {
    const source = await startRedis();
    try {
      await run(
        source.target,
        range(60_000).map((n) => ['SET', `token:${n}`, 'null']),
      );
      const doomed = range(57_000).map((n): Command => ['DEL', `token:${n}`]);
      let shrinking: Promise<unknown> | undefined;
      const operation = { ...QUIET, onProgress: () => void (shrinking ??= run(source.target, doomed)) };
      const dump = await dumpOf(source.target, operation);
      await shrinking;
      const { keys, repeated } = await inspectTokens(dump);
      expect(range(3000).filter((n) => !keys.has(`token:${57_000 + n}`))).toEqual([]);
      expect(keys.size).toBeLessThan(60_000);
      expect({ repeated, keys: dump.facts.keys }).toEqual({ repeated: 0, keys: keys.size });
    } finally {
      await source.stop();
    }
  });

  test('a key of 100 MB passes with a few times its size in memory', async () => {
    const sizeBytes = 100 * 1024 ** 2;
    const source = await startRedis();
    try {
      await run(
        source.target,
        range(200).map((n) => ['SET', `small:${n}`, 'v'.repeat(1000)]),
      );
      for (const key of ['big:1', 'big:2']) {
        await run(source.target, [
          ['CONFIG', 'SET', 'rdbcompression', 'no'],
          ['SET', key, Buffer.alloc(sizeBytes, key)],
        ]);
      }
      global.gc?.();
      const before = process.memoryUsage().rss;
      let peak = before;
      const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
      async function* pumped(): AsyncGenerator<Uint8Array> {
        // The dump goes from one server to the other as it comes, through nothing but this pipe.
        const pipe = new TransformStream<Uint8Array, Uint8Array>();
        const writer = pipe.writable.getWriter();
        const exported = exportByDump(source.target, {
          operation: QUIET,
          sink: async (_artifact, chunks) => {
            for await (const chunk of chunks) await writer.write(chunk);
            await writer.close();
          },
        });
        yield* pipe.readable;
        await exported;
      }
      const result = await importByRestore(target.target, readDump(pumped()), { operation: QUIET, replace: false });
      clearInterval(watch);
      expect(result.keys).toBe(202);
      expect(
        await run(target.target, [
          ['STRLEN', 'big:1'],
          ['GETRANGE', 'big:2', sizeBytes - 5, -1],
        ]),
      ).toEqual([sizeBytes, Buffer.alloc(sizeBytes, 'big:2').subarray(-5)]);
      // One payload on its way in, one on its way out, and what the collector has not taken yet.
      expect((peak - before) / sizeBytes).toBeLessThan(6);
    } finally {
      await source.stop();
    }
  });

  test('progress grows and an abort ends it with its reason', async () => {
    const seen: Progress[] = [];
    const abort = new AbortController();
    const operation = {
      signal: abort.signal,
      onProgress(progress: Progress) {
        seen.push(progress);
        if ((progress.items ?? 0) > 1000) abort.abort();
      },
    };
    await expect(dumpOf(redis7.target, operation)).rejects.toEqual(code('OPERATION_CANCELLED'));
    expect(seen.map(({ items }) => items!)).toEqual(seen.map(({ items }) => items!).toSorted((a, b) => a - b));
    expect(seen.every(({ phase, object }) => phase === 'exporting' && /^db\d+$/.test(object!))).toBe(true);
    const dump = await dumpOf(redis7.target);
    const late = new AbortController();
    const into = importByRestore(target.target, readDump(dump.open()), {
      replace: true,
      operation: { signal: late.signal, onProgress: () => late.abort() },
    });
    await expect(into).rejects.toEqual(code('OPERATION_CANCELLED'));
    await expect(checkDump(dump.open(), { signal: late.signal, onProgress() {} })).rejects.toEqual(
      code('OPERATION_CANCELLED'),
    );
  });

  describe('with few rights', () => {
    test.each(versions)('the smallest ones are enough on %s, without INFO and PSYNC', async (version, serverOf) => {
      const server = serverOf();
      const expiry = version === '7' ? ['+pexpiretime', '+function|dump'] : ['+pttl', '+time'];
      await allow(server, 'backup', '+scan', '+dump', '+select', ...expiry);
      const dump = await dumpOf(as(server, 'backup'));
      expect(dump.facts).toMatchObject({ keys: 3 * (KEYS_PER_DB + 2), server: '' });
      expect((await checkDump(dump.open(), QUIET)).digest).toBe(await digestOf(server.target));
    });

    test('without PEXPIRETIME the expiry comes from PTTL and TIME', async () => {
      await allow(redis7, 'older', '+@all', '-pexpiretime');
      expect(await digestOf(as(redis7, 'older'))).toBe(await digestOf(redis7.target));
    });

    test.each([
      ['no way to find the databases', ['+scan', '+dump', '+pexpiretime', '+function']],
      ['no functions', ['+@all', '-function']],
      ['no DUMP', ['+@all', '-dump']],
      ['no SCAN', ['+@all', '-scan']],
      ['no SELECT', ['+@all', '-select']],
      ['neither PEXPIRETIME nor PTTL', ['+@all', '-pexpiretime', '-pttl']],
      ['neither PEXPIRETIME nor TIME', ['+@all', '-pexpiretime', '-time']],
    ])('%s: refused, nothing is left out in silence', async (_, rules) => {
      await allow(redis7, 'less', ...rules);
      await expect(dumpOf(as(redis7, 'less'))).rejects.toEqual(code('REDIS_PERMISSION_DENIED'));
    });

    test('keys outside the pattern of the user: refused', async () => {
      await run(redis7.target, [['ACL', 'SETUSER', 'part', 'reset', 'on', '>pw', '~db0:*', '+@all']]);
      await expect(dumpOf(as(redis7, 'part'))).rejects.toEqual(code('REDIS_PERMISSION_DENIED'));
    });

    test('a restore needs RESTORE, SELECT and FUNCTION RESTORE alone', async () => {
      const dump = await dumpOf(redis7.target);
      await allow(target, 'loader', '+restore', '+select', '+function|restore');
      await restore(as(target, 'loader'), dump);
      expect(await digestOf(target.target)).toBe(await digestOf(redis7.target));
      await allow(target, 'loader', '+select', '+function|restore');
      await expect(restore(as(target, 'loader'), dump, true)).rejects.toEqual(code('REDIS_PERMISSION_DENIED'));
    });
  });

  describe('into a target that refuses', () => {
    test('memory ends: named, with the key hidden but findable', async () => {
      const source = await startRedis();
      const full = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] });
      try {
        await run(
          source.target,
          range(5000).map((n) => ['SET', `sess:secret-token-${n}`, 'v'.repeat(1000)]),
        );
        const dump = await dumpOf(source.target);
        const failure = await caught(() => restore(full.target, dump));
        expect(failure.code).toBe('REDIS_OUT_OF_MEMORY');
        expect(failure.message).toMatch(/^restore redis key sess:…#[0-9a-f]{12} of db0, \d+ bytes: OOM /);
        expect(JSON.stringify(failure)).not.toContain('secret');
      } finally {
        await source.stop();
        await full.stop();
      }
    });

    test('an older version: named', async () => {
      const dump = await dumpOf(redis7.target);
      const older = await startRedis({ version: '6.2' });
      try {
        const keysOnly = async function* (): AsyncGenerator<DumpItem> {
          for await (const item of readDump(dump.open())) if (item.kind === 'key') yield item;
        };
        const options = { operation: QUIET, replace: false };
        await expect(importByRestore(older.target, keysOnly(), options)).rejects.toEqual(code('REDIS_PAYLOAD_REFUSED'));
      } finally {
        await older.stop();
      }
    });

    test('a payload longer than it takes: refused before it is sent', async () => {
      await run(target.target, [['CONFIG', 'SET', 'proto-max-bulk-len', 1024 ** 2]]);
      try {
        const item: DumpItem = {
          kind: 'key',
          db: 0,
          key: Buffer.from('k'),
          payload: Buffer.alloc(1024 ** 2 + 1),
          expireAtMs: null,
        };
        const into = importByRestore(target.target, toStream([item]), { operation: QUIET, replace: true });
        await expect(into).rejects.toEqual(code('REDIS_PAYLOAD_REFUSED'));
      } finally {
        await run(target.target, [['CONFIG', 'SET', 'proto-max-bulk-len', 512 * 1024 ** 2]]);
      }
    });

    test('a replica: named', async () => {
      const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${redis7.port}`] });
      try {
        await expect(restore(replica.target, await dumpOf(redis7.target))).rejects.toEqual(code('REDIS_READ_ONLY'));
      } finally {
        await replica.stop();
      }
    });
  });

  describe('when the connection is lost', () => {
    const cuts: Cut[] = [];
    const cutAfter = async (port: number, bytes: number): Promise<RedisTarget> => {
      const cut = await startCut(port, { after: bytes });
      cuts.push(cut);
      return { host: '127.0.0.1', port: cut.port };
    };
    afterEach(async () => {
      for (const cut of cuts.splice(0)) await cut.close();
    });

    test.each([1000, 200_000, 450_000])(
      'an export cut after %i bytes is an error and has no trailer',
      async (afterBytes) => {
        const through = await cutAfter(redis7.port, afterBytes);
        const chunks: Uint8Array[] = [];
        const exported = exportByDump(through, {
          operation: QUIET,
          sink: async (_artifact, source) => {
            for await (const chunk of source) chunks.push(chunk);
          },
        });
        await expect(exported).rejects.toEqual(code('REDIS_CONNECTION_LOST'));
        await expect(checkDump(toStream(chunks), QUIET)).rejects.toEqual(code('REDIS_DUMP_TRUNCATED'));
      },
    );

    test('an import cut on its way is an error', async () => {
      const dump = await dumpOf(redis7.target);
      const through = await cutAfter(target.port, 20_000);
      await expect(restore(through, dump)).rejects.toEqual(code('REDIS_CONNECTION_LOST'));
    });

    test('a server that is killed in mid-export is an error', async () => {
      const source = await startRedis();
      await run(
        source.target,
        range(50_000).map((n) => ['SET', `key:${n}`, 'v'.repeat(100)]),
      );
      const operation = { ...QUIET, onProgress: () => void source.kill() };
      await expect(dumpOf(source.target, operation)).rejects.toEqual(code('REDIS_CONNECTION_LOST'));
      await source.stop();
    });

    test('a source that breaks leaves the import with its error', async () => {
      const dump = await dumpOf(redis7.target);
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield dump.bytes.subarray(0, 100_000);
      };
      const into = importByRestore(target.target, readDump(broken()), { operation: QUIET, replace: false });
      await expect(into).rejects.toEqual(code('REDIS_DUMP_TRUNCATED'));
    });

    test('a sink that fails ends the export with its error', async () => {
      const exported = exportByDump(redis7.target, {
        operation: QUIET,
        sink: async (_artifact, source) => {
          for await (const _ of source) throw new Error('store is full');
        },
      });
      await expect(exported).rejects.toThrow('store is full');
    });

    test('a sink that leaves early is no success', async () => {
      const exported = exportByDump(redis7.target, { operation: QUIET, sink: async () => {} });
      await expect(exported).rejects.toEqual(code('INTERNAL'));
    });
  });

  test('goes through TLS with a user and a password', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const openssl = spawn(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'].concat([
        '-keyout',
        key,
        '-out',
        cert,
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
      ]),
      { stdio: 'ignore' },
    );
    expect(await once(openssl, 'exit')).toEqual([0, null]);
    const port = await freePort();
    const tls = [
      '--tls-port',
      String(port),
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      '--tls-auth-clients',
      'no',
    ];
    const secure = await startRedis({ args: [...tls, '--tls-ca-cert-file', cert], password: 'secret' });
    try {
      const over: RedisTarget = {
        host: '127.0.0.1',
        port,
        username: 'default',
        password: 'secret',
        tls: { caPath: cert },
      };
      const dump = await dumpOf(redis7.target);
      await restore(over, dump);
      expect(await digestOf(over)).toBe(await digestOf(redis7.target));
    } finally {
      await secure.stop();
      await rm(folder, { recursive: true });
    }
  });
});

/** Clients always write `token:…` with its expiry in the value: where the two differ, the dump tore them apart. */
async function inspectTokens(dump: StoredDump): Promise<{ keys: Set<string>; torn: number; repeated: number }> {
  const keys = new Set<string>();
  let torn = 0;
  let repeated = 0;
  for await (const item of dump.items()) {
    if (item.kind !== 'entry') continue;
    const key = item.entry.key.toString();
    if (keys.has(key)) repeated += 1;
    keys.add(key);
    if (key.startsWith('token:') && !item.entry.value.includes(String(item.entry.expireAtMs))) torn += 1;
  }
  return { keys, torn, repeated };
}

/** Sets keys with ever new expiries until it is stopped, the same in the value; gives how many writes were made. */
async function writeUntil(
  target: RedisTarget,
  options: { readonly client: number; readonly keys: number; readonly pauseMs: number; readonly signal: AbortSignal },
): Promise<number> {
  const { client, keys, pauseMs, signal } = options;
  const socket = await openRedisSocket(target);
  let writes = 0;
  while (!signal.aborted) {
    const commands = range(20).map((index): Command => {
      const key = `token:${client}:${(writes * 31 + index) % keys}`;
      const expireAtMs = FAR_MS + writes + index;
      return ['SET', key, `expires ${expireAtMs} ${client}`, 'PXAT', expireAtMs];
    });
    await socket.pipeline(commands);
    writes += commands.length;
    await setTimeout(pauseMs);
  }
  socket.close();
  return writes;
}

async function* toStream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** A proxy that passes requests on in slices, so that the commands of other clients come in between. */
async function startSlicing(
  port: number,
  options: { readonly sliceBytes: number; readonly everyMs: number },
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1').setNoDelay(true);
    let waiting: Buffer = Buffer.alloc(0);
    const slice = setInterval(() => {
      if (waiting.length > 0) upstream.write(waiting.subarray(0, options.sliceBytes));
      waiting = waiting.subarray(options.sliceBytes);
    }, options.everyMs);
    client.on('data', (chunk: Buffer) => (waiting = Buffer.concat([waiting, chunk])));
    upstream.pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(slice);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
  return { port: address.port, close: () => server.close() };
}
