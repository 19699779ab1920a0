/**
 * Goal: a restore replaces only what it was told to, leaves no target behind a dead master, and can be run again after
 * any end. Method: real servers, in every state that stands in the way; restores killed at each stage.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentAddress } from '../../src/redis/agent/address.ts';
import { startMasterAgent } from '../../src/redis/agent/master-agent.ts';
import { replidOf } from '../../src/redis/import/identity.ts';
import { AGENT_OFFSET } from '../../src/redis/import/target-state.ts';
import type { RedisImport } from '../../src/redis/redis.ts';
import { fillServer, readServer, withClient } from '../support/redis-dataset.ts';
import { passes, put, redis, type Snapshot, take } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const PROGRAM = new URL('../support/programs/import-redis-half.ts', import.meta.url).pathname;
const started: TestRedis[] = [];
const children: ChildProcess[] = [];

async function start(version: '7' | '6.2' = '7', ...args: string[]): Promise<TestRedis> {
  const server = await startRedis({ version, args: ['--repl-diskless-sync-delay', '0', ...args] });
  started.push(server);
  return server;
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(started.splice(0).map(async (server) => await server.stop()));
});

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${what}`);
}

/** A restore in a process of its own that gets half of the snapshot, or all of it, and never ends by itself. */
async function restoreElsewhere(
  snapshot: Snapshot,
  request: Partial<RedisImport>,
  target: TestRedis,
): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-restore-'));
  const files = [join(folder, 'request.json'), join(folder, 'snapshot')] as const;
  const whole = {
    target: target.target,
    format: snapshot.format,
    facts: snapshot.facts,
    dropExisting: false,
    ...request,
  };
  await writeFile(files[0], JSON.stringify(whole));
  await writeFile(files[1], snapshot.bytes);
  const child = spawn(process.execPath, [PROGRAM, ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await rm(folder, { recursive: true });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

describeBoth('a restore into Redis', () => {
  test.each(['replicaof', 'restore'] as const)(
    'leaves a target with keys alone unless told otherwise: %s',
    async (method) => {
      const [source, target] = [await start(), await start()];
      await fillServer(source);
      const snapshot = await take(source.target);
      await withClient(target, async (client) => await client.set('precious', 'data'), 7);
      const before = await readServer(target);
      await expect(put(snapshot, target.target, { method })).rejects.toMatchObject({
        code: 'REDIS_NOT_EMPTY',
        details: { keys: 1 },
      });
      expect(await readServer(target)).toEqual(before);
      expect(passes((await put(snapshot, target.target, { method, dropExisting: true })).checks)).toBe(true);
      expect(await readServer(target)).toEqual(await readServer(source));
    },
  );

  test('counts functions alone as something to keep', async () => {
    const [source, target] = [await start(), await start()];
    await withClient(
      target,
      async (client) =>
        await client.call('FUNCTION', 'LOAD', "#!lua name=mine\nredis.register_function('f', function() return 1 end)"),
    );
    const snapshot = await take(source.target);
    await expect(put(snapshot, target.target)).rejects.toMatchObject({
      code: 'REDIS_NOT_EMPTY',
      details: { functions: 1 },
    });
  });

  test('refuses a replica of somebody else, and changes nothing on it', async () => {
    const [source, master, replica] = [await start(), await start(), await start()];
    const snapshot = await take(source.target);
    await replica.cli('replicaof', '127.0.0.1', String(master.port));
    await until('the replica is up', async () =>
      (await replica.cli('info', 'replication')).includes('master_link_status:up'),
    );
    for (const method of ['auto', 'restore', 'replicaof'] as const) {
      await expect(put(snapshot, replica.target, { method, dropExisting: true })).rejects.toMatchObject({
        code: 'REDIS_TARGET_IS_REPLICA',
        details: { master: `127.0.0.1:${master.port}` },
      });
    }
    expect(await replica.cli('info', 'replication')).toMatch(new RegExp(`master_port:${master.port}`));
  });

  test('goes key by key into a master with replicas, so that they follow', async () => {
    const [source, master, replica] = [await start(), await start(), await start()];
    await fillServer(source);
    await replica.cli('replicaof', '127.0.0.1', String(master.port));
    await until('the replica is up', async () =>
      (await master.cli('info', 'replication')).includes('connected_slaves:1'),
    );
    const { method, checks } = await put(await take(source.target), master.target);
    expect(method).toBe('restore');
    expect(checks[0]!.message).toBe('the target has 1 replicas of its own');
    expect(passes(checks)).toBe(true);
    await until('the replica has it all', async () => (await replica.cli('dbsize')) === (await master.cli('dbsize')));
    expect(await readServer(replica)).toEqual(await readServer(source));
  });

  test('goes key by key where the target cannot reach us, and says so', async () => {
    const [source, target] = [await start(), await start()];
    await fillServer(source);
    const snapshot = await take(source.target);
    // An address of documentation (RFC 5737): nobody answers there.
    const { method, checks } = await put(snapshot, target.target, { agentHost: '192.0.2.1' });
    expect(method).toBe('restore');
    expect(checks[0]!.message).toBe('the target could not connect to us');
    expect(passes(checks)).toBe(true);
    expect(await readServer(target)).toEqual(await readServer(source));
    await expect(
      put(snapshot, target.target, { agentHost: '192.0.2.1', method: 'replicaof', dropExisting: true }),
    ).rejects.toMatchObject({ code: 'REDIS_IMPORT_IMPOSSIBLE' });
    expect(await target.cli('role')).toMatch(/^master/);
    expect(await readServer(target)).toEqual(await readServer(source));
  }, 60_000);

  test('into an older server is refused before anything is dropped when its values are too new', async () => {
    const [source, target] = [await start('7'), await start('6.2')];
    await fillServer(source);
    await withClient(target, async (client) => await client.set('precious', 'data'));
    const snapshot = await take(source.target);
    for (const method of ['auto', 'replicaof'] as const) {
      await expect(put(snapshot, target.target, { method, dropExisting: true })).rejects.toMatchObject({
        code: 'REDIS_IMPORT_IMPOSSIBLE',
      });
    }
    expect(await withClient(target, async (client) => await client.get('precious'))).toBe('data');
  });

  test('into an older server works where it knows every value', async () => {
    const [source, target] = [await start('7'), await start('6.2')];
    await withClient(source, async (client) => {
      for (let n = 0; n < 500; n += 1) await client.set(`k${n}`, `v${n}`);
    });
    const { method, checks } = await put(await take(source.target), target.target);
    expect(method).toBe('restore');
    expect(passes(checks)).toBe(true);
    expect(await target.cli('dbsize')).toBe('500');
  });

  test.each(['7', '6.2'] as const)('that is killed in mid-load is put right by the next one (%s)', async (version) => {
    const [source, target] = [await start(version), await start(version)];
    await fillServer(source);
    const snapshot = await take(source.target);
    const child = await restoreElsewhere(snapshot, { method: 'auto' }, target);
    await until('the target follows the agent', async () => (await target.cli('role')).startsWith('slave'));
    await kill(child);
    expect(await target.cli('role')).toMatch(/^slave/);
    const { checks, method } = await put(snapshot, target.target);
    expect(method).toBe('replicaof');
    expect(passes(checks)).toBe(true);
    expect(await target.cli('role')).toMatch(/^master/);
    expect(await readServer(target)).toEqual(await readServer(source));
  });

  test('that dies between loading and letting go is put right by the next one', async () => {
    const [source, target] = [await start(), await start()];
    await fillServer(source);
    const snapshot = await take(source.target);
    const agent = await startMasterAgent({
      address: '127.0.0.1',
      targetReplid: (await redis.inspect(target.target)).replid,
      offer: {
        replid: replidOf(snapshot.facts),
        offset: AGENT_OFFSET,
        rdb: snapshot.open,
        beforeServing: async () => {},
      },
      signal: new AbortController().signal,
    });
    await target.cli('replicaof', await agentAddress('127.0.0.1'), String(agent.port));
    await (await agent.replica())!.serve(() => undefined);
    agent.close();
    expect(await target.cli('role')).toMatch(/^slave/);
    const { checks } = await put(snapshot, target.target);
    expect(checks[0]!.message).toBe('loaded by an earlier attempt');
    expect(passes(checks)).toBe(true);
    expect(await target.cli('role')).toMatch(/^master/);
    expect(await readServer(target)).toEqual(await readServer(source));
  });

  test('that is killed while it writes keys is put right by the next one', async () => {
    const [source, target] = [await start(), await start()];
    await fillServer(source);
    const snapshot = await take(source.target);
    const child = await restoreElsewhere(snapshot, { method: 'restore' }, target);
    await kill(child);
    expect(Number(await target.cli('dbsize'))).toBeGreaterThan(0);
    const { checks } = await put(snapshot, target.target, { method: 'restore' });
    expect(passes(checks)).toBe(true);
    expect(await readServer(target)).toEqual(await readServer(source));
  });

  test('that is run twice proves what is there; once that has changed it is refused', async () => {
    const [source, target] = [await start(), await start()];
    await fillServer(source);
    const snapshot = await take(source.target);
    await put(snapshot, target.target, { method: 'replicaof' });
    const again = await put(snapshot, target.target);
    expect(again.checks[0]!.message).toBe('loaded by an earlier attempt');
    expect(passes(again.checks)).toBe(true);
    await withClient(target, async (client) => await client.set('new', 'write'));
    await expect(put(snapshot, target.target)).rejects.toMatchObject({ code: 'REDIS_NOT_EMPTY' });
    expect(await withClient(target, async (client) => await client.get('new'))).toBe('write');
    expect(passes((await put(snapshot, target.target, { dropExisting: true })).checks)).toBe(true);
    expect(await readServer(target)).toEqual(await readServer(source));
  });

  test('that is cancelled in mid-load lets the target go', async () => {
    const [source, target] = [await start(), await start()];
    await fillServer(source);
    const snapshot = await take(source.target);
    const abort = new AbortController();
    async function* stuck(): AsyncGenerator<Uint8Array, void, undefined> {
      yield snapshot.bytes.subarray(0, 40_000);
      yield snapshot.bytes.subarray(40_000, 50_000);
      setTimeout(() => abort.abort(), 200);
      await new Promise((resolve) => abort.signal.addEventListener('abort', resolve, { once: true }));
    }
    const operation = { signal: abort.signal, onProgress: () => undefined };
    const restore = put({ ...snapshot, open: stuck }, target.target, { method: 'replicaof' }, operation);
    await expect(restore).rejects.toMatchObject({ code: 'OPERATION_CANCELLED', details: { targetReleased: true } });
    expect(await target.cli('role')).toMatch(/^master/);
    expect(passes((await put(snapshot, target.target)).checks)).toBe(true);
  });

  test('serves the snapshot to nobody but the target', async () => {
    const [source, target, thief] = [await start(), await start(), await start()];
    await fillServer(source);
    const snapshot = await take(source.target);
    const abort = new AbortController();
    const offer = {
      replid: 'b'.repeat(40),
      offset: 1,
      rdb: snapshot.open,
      beforeServing: async () => await Promise.reject(new Error('somebody was let in')),
    };
    const targetReplid = (await redis.inspect(target.target)).replid;
    const agent = await startMasterAgent({ address: '127.0.0.1', targetReplid, offer, signal: abort.signal });
    const waiting = agent.replica().catch((error: unknown) => error);
    await thief.cli('replicaof', '127.0.0.1', String(agent.port));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await thief.cli('info', 'replication')).toMatch(/master_link_status:down/);
    expect(await thief.cli('dbsize')).toBe('0');
    // The target itself is let in, after all the attempts of the other one.
    await target.cli('replicaof', '127.0.0.1', String(agent.port));
    expect(await waiting).toHaveProperty('serve');
    agent.close();
  });

  test('is accepted by a target that authenticates to its masters', async () => {
    const [source, target] = [
      await start(),
      await start('7', '--masterauth', 'secret-of-its-own', '--masteruser', 'replica'),
    ];
    await fillServer(source);
    const { method, checks } = await put(await take(source.target), target.target);
    expect(method).toBe('replicaof');
    expect(passes(checks)).toBe(true);
    expect(await target.cli('config', 'get', 'masterauth')).toContain('secret-of-its-own');
  });

  test('keeps its keys through a restart when the target appends to a file', async () => {
    const source = await start();
    const target = await start('7', '--appendonly', 'yes');
    await fillServer(source);
    expect((await put(await take(source.target), target.target)).method).toBe('replicaof');
    const before = await readServer(target);
    await until('the file is rewritten', async () =>
      (await target.cli('info', 'persistence')).includes('aof_rewrite_in_progress:0'),
    );
    await target.restart();
    await until('the server is back', async () => (await target.cli('ping').catch(() => '')) === 'PONG');
    expect(await readServer(target)).toEqual(before);
  });

  test('does not count what it cannot count', async () => {
    const target = await start();
    await withClient(
      target,
      async (client) => await client.call('ACL', 'SETUSER', 'blind', 'on', '>pw', '~*', '-@all', '+restore'),
    );
    await expect(redis.surveyTarget({ ...target.target, username: 'blind', password: 'pw' })).rejects.toMatchObject({
      code: 'REDIS_PERMISSION_DENIED',
    });
  });

  test('is not fooled by a server that speaks no Redis', async () => {
    const server = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(redis.inspect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'REDIS_PROTOCOL_ERROR' });
    server.close();
  });
});
