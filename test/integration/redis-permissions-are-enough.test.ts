/**
 * Goal: the rights that docs/reference/permissions.md lists for Redis are enough, and none of them is too much.
 * Method: users with exactly these rights on real servers take, restore and undo; then each right is taken away, and missed;
 * but for one that only a second attempt needs.
 */
import type { RedisTarget } from '../../src/redis/redis.ts';
import { documentedRules } from '../support/documented-permissions.ts';
import { fillServer, readServer, withClient } from '../support/redis-dataset.ts';
import { passes, put, redis, take, UNHURRIED, type Snapshot } from '../support/redis-snapshots.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { type RedisVersion, whenAvailable } from '../support/tools.ts';
import { offsetOf, record } from './redis-journal-support/recording.ts';

const describeRedis = await whenAvailable('redis 7', 'redis 6.2');
/** Tells an attempt after the death of a worker that what is there is its own. */
const OF_A_SECOND_ATTEMPT = '+exists';
type Try = (user: RedisTarget, server: TestRedis) => Promise<unknown>;

for (const version of ['7', '6.2'] as const) {
  describeRedis(`a user of Redis ${version} with the documented rights`, () => tries(version));
}

function tries(version: RedisVersion): void {
  let source: TestRedis;
  let empty: TestRedis;
  let snapshot: Snapshot;
  let values: unknown;

  beforeAll(async () => {
    [source, empty] = await Promise.all([startRedis({ version }), startRedis({ version })]);
    await fillServer(source);
    snapshot = await take(source.target);
    values = await readServer(source);
  });
  afterAll(async () => void (await Promise.all([source?.stop(), empty?.stop()])));

  const known = (rule: string): boolean => version === '7' || !/\||pexpiretime/.test(rule);
  const userOf = async (server: TestRedis, rules: readonly string[]): Promise<RedisTarget> => {
    const setUser = ['SETUSER', 'bk', 'reset', 'on', '>pw', ...rules.filter(known)];
    await withClient(server, async (client) => client.call('ACL', ...setUser));
    return { ...server.target, username: 'bk', password: 'pw' };
  };
  /** What it gives with all rights; without one of them it fails, or gives something else. */
  const superfluousOf = async (rules: readonly string[], server: TestRedis, act: Try): Promise<string[]> => {
    const whole = await act(await userOf(server, rules), server);
    const superfluous: string[] = [];
    for (const rule of rules.filter((one) => known(one) && one !== '-@all' && one !== OF_A_SECOND_ATTEMPT)) {
      const user = await userOf(
        server,
        rules.filter((one) => one !== rule),
      );
      const without = await act(user, server).catch((error: unknown) => error);
      if (JSON.stringify(without) === JSON.stringify(whole)) superfluous.push(rule);
    }
    return superfluous;
  };

  test('takes snapshots by replication, and follows the stream', async () => {
    const rules = await documentedRules('Redis: backup and journal');
    const superfluous = await superfluousOf(rules, source, async (user) => {
      const { method, keys, replid } = await redis.inspect(user);
      return { method, keys, known: replid !== '', taken: (await take(user)).facts.keys };
    });
    expect(superfluous).toEqual([]);
    const recording = await record(await userOf(source, rules));
    await source.cli('set', 'followed', '1');
    await recording.reached(await offsetOf(source));
    await recording.stop();
    expect(recording.bytes().toString('latin1')).toContain('followed');
    await source.cli('del', 'followed');
  });

  test('takes snapshots key by key', async () => {
    const rules = await documentedRules(`Redis ${version}: backup without replication`);
    const superfluous = await superfluousOf(rules, source, async (user) => {
      const { method, keys, server } = await redis.inspect(user);
      const { facts } = await take(user, 'dump');
      return { method, keys, server, taken: facts.keys, functions: facts.functions, digest: facts.digest };
    });
    expect(superfluous).toEqual([]);
  });

  test('restores by replication', async () => {
    const rules = await documentedRules('Redis: restore by replication');
    const superfluous = await superfluousOf(rules, empty, async (user, server) => {
      await flush(server);
      const { method, checks } = await put(snapshot, user);
      const { functions } = await redis.surveyTarget(user);
      expect(passes(checks)).toBe(true);
      expect(await readServer(server)).toEqual(values);
      return { method, functions };
    });
    expect(superfluous).toEqual([]);
  });

  test('restores key by key, and empties again', async () => {
    const rules = await documentedRules(`Redis ${version}: restore key by key`);
    const superfluous = await superfluousOf(rules, empty, async (user, server) => {
      await flush(server);
      const { method, checks } = await put(snapshot, user);
      const statuses = checks.map(({ status }) => status);
      expect(await readServer(server)).toEqual(values);
      await put(snapshot, user, { dropExisting: true });
      const { functions } = await redis.surveyTarget(user);
      const removal = { target: user, format: snapshot.format, facts: snapshot.facts };
      const removed = await redis.removeSnapshot(removal, { open: snapshot.open, operation: UNHURRIED });
      return { method, statuses, functions, removed };
    });
    expect(superfluous).toEqual([]);
  });

  async function flush(server: TestRedis): Promise<void> {
    await server.cli('flushall');
    if (version === '7') await server.cli('function', 'flush');
  }
}
