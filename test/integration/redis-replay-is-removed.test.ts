/**
 * Goal: what a replay loaded into an empty Redis is removed again, and nothing that a client wrote is.
 * Method: real servers are followed while they are written to and replayed into others; those are emptied as they were left, after keys
 * have expired, and after clients have written to them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { StreamCut } from '../../src/redis/journal/journal.ts';
import { removeReplayed, type ReplayRemoval } from '../../src/redis/journal/replay/remove-replayed.ts';
import { replayIntoServer } from '../../src/redis/journal/replay/replay-into-server.ts';
import { caught } from '../support/caught.ts';
import { fillServer, withClient } from '../support/redis-dataset.ts';
import { UNHURRIED } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { resolveTools, type RedisVersion, whenAvailable } from '../support/tools.ts';
import { journal, offsetOf, record, type Recording } from './redis-journal-support/recording.ts';

const describeBoth = await whenAvailable('redis 7', 'redis 6.2');
/** Behind the end of the loading, and before the emptying. */
const EXPIRES_AFTER_MS = 2_500;

for (const version of ['7', '6.2'] as const) {
  describeBoth(`what was replayed into an empty Redis ${version}`, () => removed(version));
}

function removed(version: RedisVersion): void {
  let source: TestRedis;
  let recording: Recording;
  let cut: StreamCut;
  let serverPath: string;
  const targets: TestRedis[] = [];

  beforeAll(async () => {
    source = await startRedis({ version });
    ({ serverPath } = await resolveTools().redis(version));
    await fillServer(source);
    recording = await record(source.target);
    await withClient(source, async (client) => {
      await client.set('written later', 'than the snapshot');
      await client.rpush('list written later', 'a', 'b');
      await client.call('SET', 'for a day', '1', 'PX', 86_400_000);
    });
    await recording.reached(await offsetOf(source));
    cut = await journal.findCut(recording.stream, { offset: recording.position().offset }, UNHURRIED);
    await recording.stop();
  });
  afterEach(async () => void (await Promise.all(targets.splice(0).map(async (server) => server.stop()))));
  afterAll(async () => source?.stop());

  const context = (): Parameters<typeof removeReplayed>[1] => ({
    snapshot: recording.snapshot,
    stream: recording.stream,
    operation: UNHURRIED,
  });
  const removal = (target: TestRedis, more: Partial<ReplayRemoval> = {}): ReplayRemoval => ({
    target: target.target,
    facts: recording.facts,
    cut,
    serverPath,
    ...more,
  });
  const load = async (...args: string[]): Promise<TestRedis> => {
    const target = await startRedis({ version, args });
    targets.push(target);
    await replayIntoServer({ ...removal(target), dropExisting: false }, context());
    expect(await target.cli('get', 'written later')).toBe('than the snapshot');
    return target;
  };
  const sizes = async (target: TestRedis): Promise<string> =>
    (await target.cli('info', 'keyspace')).replaceAll(/,avg_ttl=\d+/g, '');

  test('is removed without a server of our own while nothing was written, and again', async () => {
    const target = await load();
    const without = removal(target, { serverPath: '/nowhere/redis-server' });
    const { keys, checks } = await removeReplayed(without, context());
    expect(keys).toBeGreaterThan(40);
    expect(checks).toMatchObject([{ name: 'redis emptied again', status: 'pass' }]);
    expect(await sizes(target)).not.toContain('db');
    expect(await removeReplayed(without, context())).toMatchObject({ keys: 0 });
  });

  test('is removed when a client has written and taken it back, by comparing', async () => {
    const target = await load();
    await target.cli('set', 'of a client', '1');
    await target.cli('del', 'of a client');
    const error = await caught(async () => removeReplayed(removal(target, { serverPath: '/nowhere' }), context()));
    expect(error.code).toBe('REDIS_IMPORT_IMPOSSIBLE');
    expect(await target.cli('get', 'written later')).toBe('than the snapshot');
    expect((await removeReplayed(removal(target), context())).keys).toBeGreaterThan(40);
    expect(await sizes(target)).not.toContain('db');
  });

  test('is removed when some of its keys have expired since', async () => {
    const target = await load();
    await target.cli('pexpire', 'for a day', String(EXPIRES_AFTER_MS));
    await delay(EXPIRES_AFTER_MS + 500);
    expect(await target.cli('exists', 'for a day')).toBe('0');
    expect((await removeReplayed(removal(target), context())).keys).toBeGreaterThan(40);
    expect(await sizes(target)).not.toContain('db');
  });

  test('is removed when a client has taken some of it away', async () => {
    const target = await load();
    await target.cli('del', 'list written later');
    expect((await removeReplayed(removal(target), context())).keys).toBeGreaterThan(40);
    expect(await sizes(target)).not.toContain('db');
  });

  test.each([
    ['a key of its own', ['set', 'order:1', 'of a client'], 'key order:…'],
    ['another value under a key of the replay', ['set', 'written later', 'by a client'], 'key …'],
  ] as const)('stays when a client has left %s', async (_what, command, named) => {
    const target = await load();
    await target.cli(...command);
    const before = await sizes(target);
    expect(await caught(async () => removeReplayed(removal(target), context()))).toMatchObject({
      code: 'REDIS_TARGET_CHANGED',
      message: expect.stringContaining(named),
    });
    expect([await sizes(target), await target.cli('get', command[1])]).toEqual([before, command[2]]);
  });

  test('is removed where it was written key by key because the target may not replicate', async () => {
    const target = await load('--rename-command', 'REPLICAOF', '', '--rename-command', 'SLAVEOF', '');
    expect((await removeReplayed(removal(target), context())).keys).toBeGreaterThan(40);
    expect(await sizes(target)).not.toContain('db');
  });
}
