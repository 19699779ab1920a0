/**
 * Goal: Redis is read and written with the rights it grants and over the transport it wants, and a refusal is told by
 * its cause. Method: real servers with passwords, the smallest ACLs, and TLS with certificates made here.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/platform/ports.ts';
import type { RedisTarget } from '../../src/redis/redis.ts';
import { openRedisSocket } from '../../src/redis/socket.ts';
import { fillServer, readServer, withClient } from '../support/redis-dataset.ts';
import { passes, put, redis, take } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
const started: TestRedis[] = [];

async function start(options: Parameters<typeof startRedis>[0] = {}): Promise<TestRedis> {
  const server = await startRedis({ ...options, args: ['--repl-diskless-sync-delay', '0', ...(options.args ?? [])] });
  started.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(async (server) => await server.stop()));
});

/** A user with exactly these rights. */
async function userOf(server: TestRedis, rules: string): Promise<RedisTarget> {
  await withClient(
    server,
    async (client) => await client.call('ACL', 'SETUSER', 'bk', 'on', '>pw', ...rules.split(' ')),
  );
  return { ...server.target, username: 'bk', password: 'pw' };
}

/** A server that accepts and never says or takes anything. */
async function startMute(): Promise<{ readonly target: RedisTarget; close(): void }> {
  const sockets: Socket[] = [];
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { target: { host: '127.0.0.1', port }, close };
}

async function openssl(...args: string[]): Promise<void> {
  await promisify(execFile)('openssl', args);
}

describeBoth('access to Redis', () => {
  test.each(['7', '6.2'] as const)('a password is enough, and a wrong one is told as such (%s)', async (version) => {
    const source = await start({ version, password: 'correct-horse' });
    const target = await start({ version, password: 'battery-staple' });
    await fillServer(source);
    const { checks } = await put(await take(source.target), target.target);
    expect(passes(checks)).toBe(true);
    expect(await readServer(target)).toEqual(await readServer(source));
    for (const wrong of [{ password: 'wrong-horse' }, { username: 'nobody', password: 'correct-horse' }]) {
      const error: unknown = await redis.inspect({ ...source.target, ...wrong }).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'REDIS_AUTH_FAILED' });
      expect(JSON.stringify([error, String(error)])).not.toContain('horse');
    }
    const { password: _none, ...anonymous } = source.target;
    await expect(redis.surveyTarget(anonymous)).rejects.toMatchObject({ code: 'REDIS_AUTH_FAILED' });
    await expect(take(anonymous)).rejects.toMatchObject({ code: 'REDIS_AUTH_FAILED' });
  });

  test.each(['7', '6.2'] as const)(
    'a user with +psync +replconf +ping alone takes a whole snapshot (%s)',
    async (version) => {
      const source = await start({ version });
      await fillServer(source);
      const user = await userOf(source, '-@all +psync +replconf +ping');
      expect(await redis.inspect(user)).toMatchObject({ method: 'replication', role: 'unknown' });
      const { facts } = await take(user);
      expect(facts.keys).toBe((await redis.surveyTarget(source.target)).keys);
    },
  );

  test.each([
    ['7', '~* +@all -psync', 'the acl does not allow psync'],
    ['6.2', '~* +@all -psync', 'the acl does not allow psync'],
    ['7', '~* +@all -@dangerous', /replconf|psync/],
    ['6.2', '~* +@all -@dangerous', 'the acl does not allow psync'],
    ['7', '~* +@all -replconf', /replconf/],
  ] as const)('version %s with %s is read by dump, for a reason', async (version, rules, reason) => {
    const source = await start({ version });
    await fillServer(source);
    const user = await userOf(source, rules);
    const before = (await redis.surveyTarget(source.target)).keys;
    const found = await redis.inspect(user);
    expect(found).toMatchObject({ method: 'dump', keys: before });
    expect(found.methodReason).toMatch(reason);
    await expect(take(user)).rejects.toMatchObject({ code: 'REDIS_REPLICATION_REFUSED' });
    expect((await take(user, 'dump')).facts.keys).toBe(before);
  });

  test('a renamed PSYNC is noticed before it is tried', async () => {
    const source = await start({ version: '7', args: ['--rename-command', 'PSYNC', 'hidden'] });
    expect(await redis.inspect(source.target)).toMatchObject({
      method: 'dump',
      methodReason: 'the server has no psync command',
    });
  });

  test.each(['7', '6.2'] as const)(
    'finding out about rights changes nothing and starts nothing (%s)',
    async (version) => {
      const source = await start({ version });
      await fillServer(source);
      const before = await readServer(source);
      const found = await redis.inspect(source.target);
      expect(found).toMatchObject({ method: 'replication', methodReason: '', role: 'master', warnings: [] });
      expect(found.databases).toMatchObject({ 3: 10, 15: 10 });
      expect(found.server).toMatch(version === '7' ? /^7\./ : /^6\.2/);
      const info = await source.cli('info');
      expect(info).toMatch(/connected_slaves:0/);
      expect(info).toMatch(/sync_full:0/);
      expect(info).toMatch(/role:master/);
      expect(await readServer(source)).toEqual(before);
    },
  );

  test.each(['7', '6.2'] as const)('a user without REPLICAOF restores key by key (%s)', async (version) => {
    const source = await start({ version });
    const target = await start({ version });
    await fillServer(source);
    const user = await userOf(target, '~* +@all -replicaof -slaveof');
    const { method, checks } = await put(await take(source.target), user);
    expect(method).toBe('restore');
    expect(checks[0]!.message).toBe('the acl does not allow replicaof');
    expect(passes(checks)).toBe(true);
    await expect(
      put(await take(source.target), user, { method: 'replicaof', dropExisting: true }),
    ).rejects.toMatchObject({
      code: 'REDIS_IMPORT_IMPOSSIBLE',
    });
    expect(await readServer(target)).toEqual(await readServer(source));
  });

  test('a user who may restore but not read gets a skipped proof, never a passed one', async () => {
    const source = await start({ version: '7' });
    const target = await start({ version: '7' });
    await fillServer(source);
    const user = await userOf(target, '~* -@all +restore +select +info +flushall +function|restore +function|flush');
    const { checks } = await put(await take(source.target), user);
    expect(checks.find(({ name }) => name === 'redis digest')).toMatchObject({ status: 'skip' });
    expect(await readServer(target)).toEqual(await readServer(source));
  });

  test('a server that is not there is unreachable', async () => {
    await expect(redis.inspect({ host: '127.0.0.1', port: await freePort() })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
    });
    await expect(redis.inspect({ host: 'no-such-host.invalid', port: 6379 })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
    });
  });

  test.each(['inspect', 'surveyTarget'] as const)('%s ends at once when it is cancelled', async (question) => {
    const mute = await startMute();
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    const from = Date.now();
    await expect(redis[question](mute.target, abort)).rejects.toMatchObject({ code: 'OPERATION_CANCELLED' });
    expect(Date.now() - from).toBeLessThan(5_000);
    mute.close();
  });

  test.each(['7', '6.2'] as const)('a server %s that hangs does not hold up a cancelled question', async (version) => {
    const server = await start({ version });
    const abort = new AbortController();
    // The server is stopped as a machine that swaps would stop it.
    process.kill(server.pid, 'SIGSTOP');
    try {
      setTimeout(() => abort.abort(), 200);
      await expect(redis.inspect(server.target, abort)).rejects.toMatchObject({ code: 'OPERATION_CANCELLED' });
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    expect(await redis.inspect(server.target)).toMatchObject({ role: 'master' });
  });

  test('a server that takes no more bytes is a timeout, not a wait for ever', async () => {
    const mute = await startMute();
    const socket = await openRedisSocket(mute.target, { replyTimeoutMs: 300 });
    // More than the buffers of both systems hold.
    await expect(socket.write([Buffer.alloc(64 * 1024 * 1024)])).rejects.toMatchObject({ code: 'REDIS_TIMEOUT' });
    mute.close();
  });

  test('over tls all of it works, with a certificate that is checked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-tls-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    await openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=redis',
      '-keyout',
      key,
      '-out',
      certificate,
      ...names,
    );
    const tlsPort = await freePort();
    const args = [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      certificate,
      '--tls-key-file',
      key,
      '--tls-ca-cert-file',
      certificate,
    ];
    const server = await start({ version: '7', args: [...args, '--tls-auth-clients', 'no'] });
    await fillServer(server);
    const before = await readServer(server);
    const secure: RedisTarget = { host: '127.0.0.1', port: tlsPort, tls: { caPath: certificate } };

    expect(await redis.inspect(secure)).toMatchObject({ method: 'replication' });
    const snapshot = await take(secure);
    expect((await take(secure, 'dump')).facts.keys).toBe(snapshot.facts.keys);
    await withClient(server, async (client) => await client.set('new', 'key'));
    const { method, checks } = await put(snapshot, secure, { dropExisting: true });
    expect(method).toBe('restore');
    expect(passes(checks)).toBe(true);
    expect(await readServer(server)).toEqual(before);

    await expect(redis.inspect({ ...secure, tls: {} })).rejects.toMatchObject({ code: 'REDIS_TLS_FAILED' });
    await expect(
      redis.inspect({ ...secure, tls: { caPath: certificate, servername: 'elsewhere' } }),
    ).rejects.toMatchObject({ code: 'REDIS_TLS_FAILED' });
    await expect(redis.inspect({ ...secure, tls: { caPath: join(folder, 'missing.pem') } })).rejects.toMatchObject({
      code: 'REDIS_TLS_FAILED',
    });
    expect(await redis.inspect({ ...secure, tls: { insecure: true } })).toMatchObject({ method: 'replication' });
    await rm(folder, { recursive: true });
  });
});
