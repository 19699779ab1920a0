/**
 * Goal: a plan changes the roles of two regions and loses no acknowledged write, or exactly what its report says, and does nothing twice. Method: real
 * pairs of PostgreSQL and Redis, writers that keep what was acknowledged, the command line, a worker, and kill -9 of a primary.
 */
import { observePostgres } from '../../src/failover/postgres/observe.ts';
import type { PlanRunView } from '../../src/domain/plan/run-view.ts';
import type { PostgresTarget } from '../../src/postgres/postgres.ts';
import { startTemporal, type TestTemporal } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { missing, NEVER } from './failover-support/postgres-pair.ts';
import { missingKeys } from './failover-support/redis-writer.ts';
import { startTwoRegions, stepOf, type TwoRegions } from './failover-support/two-regions.ts';
import { until } from './postgres-wal-support/wal-server.ts';

const suite = await whenAvailable('temporal', 'postgres 18', 'redis 7');
/** Nobody is let in any more. */
const stopped = async (target: PostgresTarget): Promise<boolean> =>
  observePostgres({ name: 'a', target }, NEVER).then(({ answers }) => !answers);

suite('a failover as a step of a plan', () => {
  let temporal: TestTemporal;
  let regions: TwoRegions;

  beforeAll(async () => void (temporal = await startTemporal()));
  afterAll(async () => temporal?.stop());
  afterEach(async () => regions?.stop());

  test('loses no acknowledged write of a primary that is well although its worker is killed behind the stop, and is done once', async () => {
    regions = await startTwoRegions({ temporal, group: 'graceful', withRedis: true });
    const { pair, redis, product, writePlan } = regions;
    await writePlan('switch', stepOf('switch', 'failover', { targetRegion: 'b' }, { order: 1 }));
    await writePlan('back', stepOf('back', 'failover', { targetRegion: 'a' }, { order: 1 }));
    const { steps, findings } = await product.succeed('dr', 'execute', 'switch', '--dry-run');
    expect(findings).toEqual([]);
    expect(steps[0].would).toContain('make b primary of PostgreSQL in the place of a, graceful');

    const rows = regions.writeRows([pair.a.target, pair.b.target]);
    const keys = regions.writeKeys([redis.a.target, redis.b.target]);
    await until(() => rows.acknowledged.size > 50 && keys.acknowledged.size > 50, 'both write');
    const running = product.succeed('dr', 'execute', 'switch');
    await until(async () => stopped(pair.nodes.a.target), 'the old primary stops');
    await product.worker.kill();
    const { status } = await product.client.workflow.getHandle('lifeboat/graceful').describe();
    expect(status.name).toBe('RUNNING');
    await product.worker.start();
    const { run } = (await running) as { run: PlanRunView };
    const sizes = [rows.acknowledged.size, keys.acknowledged.size] as const;
    await until(() => rows.acknowledged.size > sizes[0] + 20 && keys.acknowledged.size > sizes[1] + 20, 'both go on');
    await Promise.all([rows.stop(), keys.stop()]);

    expect(await missing(pair.b, rows.acknowledged)).toBe(0);
    expect(await missingKeys(redis.b, keys.acknowledged)).toBe(0);
    const changed = { way: 'graceful', epoch: 1, primary: 'b', old: 'a' };
    expect(run.steps[0]?.result?.failover).toMatchObject({
      targetRegion: 'b',
      postgres: { ...changed, oldIs: 'fenced', loss: { kind: 'exact', bytes: 0, transactions: 0, seconds: 0 } },
      redis: { ...changed, oldIs: 'follows', loss: { kind: 'exact', bytes: 0, seconds: 0 } },
    });
    const again = (await product.succeed('dr', 'execute', 'switch')) as { run: PlanRunView };
    expect(again.run.steps[0]?.result?.failover).toMatchObject({
      postgres: { way: 'done', epoch: 1, primary: 'b' },
      redis: { way: 'done', epoch: 1, primary: 'b' },
    });
    // The old one is down: nothing can be given back to it, and nothing is touched.
    const back = await product.cli(['dr', 'execute', 'back', '--dry-run']);
    expect(back.json['findings']).toMatchObject([{ step: 'back', code: 'FAILOVER_NOT_READY' }]);
  });

  test('loses exactly what its report says when the primary dies, and only after somebody has approved', async () => {
    regions = await startTwoRegions({ temporal, group: 'lost', withRedis: false });
    const { pair, product, second, writePlan } = regions;
    const before = regions.writeRows([pair.a.target]);
    await until(() => before.acknowledged.size > 50, 'it writes');
    await before.stop();
    await pair.cut();
    await until(
      async () => (await pair.a.query('select 1 from pg_stat_replication')).rows.length === 0,
      'b is cut off',
    );
    const after = regions.writeRows([pair.a.target], 1_000_000);
    await until(() => after.acknowledged.size > 100, 'it writes what b does not get');
    await after.stop();
    await pair.a.kill();

    await writePlan(
      'switch',
      stepOf('confirm', 'approval', { message: 'a is dead' }, { order: 1 }),
      stepOf('switch', 'failover', { targetRegion: 'b' }, { order: 2 }),
    );
    const refused = await product.cli(['dr', 'execute', 'switch', '--dry-run']);
    expect(refused.json['findings']).toMatchObject([{ step: 'switch', code: 'FAILOVER_NOT_READY' }]);
    await product.succeed('dr', 'execute', 'switch', '--mode', 'ungraceful', '--detach');
    const { id } = await second.runStatus();
    await until(async () => (await second.runStatus(id)).state === 'waiting', 'it asks');
    const { digest } = await second.runStatus(id);
    await second.steerRun(id, { action: 'approve', reason: 'agreed', digest });
    await until(async () => (await second.runStatus(id)).endedAt !== null, 'the end');

    const done = await second.runStatus(id);
    const lost = await missing(pair.b, after.acknowledged);
    expect(lost).toBe(after.acknowledged.size);
    expect(await missing(pair.b, before.acknowledged)).toBe(0);
    const { result } = done.steps[1] ?? {};
    expect(result?.failover?.postgres).toMatchObject({ way: 'ungraceful', epoch: 1, primary: 'b', oldIs: 'fenced' });
    expect(result?.failover?.postgres?.loss).toMatchObject({ kind: 'exact', transactions: lost });
    expect(result?.summary).toContain(`${lost} transactions`);
  });
});
