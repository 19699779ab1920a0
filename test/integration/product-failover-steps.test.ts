/**
 * Goal: a plan that fences, promotes, goes back and rejoins in steps of its own loses no acknowledged write, or exactly what a person was shown and has
 * approved. Method: real pairs of PostgreSQL and Redis, writers that keep what was acknowledged, the command line, a worker, kill -9 of a primary.
 */
import { dirname, join } from 'node:path';
import type { PlanRunView } from '../../src/domain/plan/run-view.ts';
import { startTemporal, type TestTemporal } from '../support/servers.ts';
import { startSwitch, type Switch } from '../support/tcp-switch.ts';
import { whenAvailable } from '../support/tools.ts';
import { missing, withStarts, type TestPair } from './failover-support/postgres-pair.ts';
import { missingKeys } from './failover-support/redis-writer.ts';
import { changeOfRoles, startTwoRegions, stepOf, type TwoRegions } from './failover-support/two-regions.ts';
import { until } from './postgres-wal-support/wal-server.ts';

const suite = await whenAvailable('temporal', 'postgres 18', 'redis 7');
/** Asked through it, a primary has to answer; what leads there is a line in a file. */
function endpointOf({ a, b }: TestPair, { port, file }: Switch): object {
  const passfile = join(dirname(a.dataDir), 'host-passfile');
  const ask = `PGPASSFILE=${passfile} ${a.tools.psql} -h 127.0.0.1 -p ${port} -U postgres -Atc 'select pg_is_in_recovery()'`;
  const apply = `case $DR_NEW in a) echo ${a.target.port} ;; b) echo ${b.target.port} ;; esac > ${file}`;
  return { type: 'command', name: 'app', apply, verify: `test "$(${ask})" = f` };
}

const NOTHING_LOST = { kind: 'exact', bytes: 0, transactions: 0, seconds: 0 };

suite('a change of roles in steps of a plan', () => {
  let temporal: TestTemporal;
  let regions: TwoRegions;
  let app: Switch | undefined;
  beforeAll(async () => void (temporal = await startTemporal()));
  afterAll(async () => temporal?.stop());
  afterEach(async () => {
    await regions?.stop();
    await app?.close();
    app = undefined;
  });

  test('loses no acknowledged write there and back again, and the old primary follows in between', async () => {
    regions = await startTwoRegions({
      temporal,
      group: 'there-and-back',
      withRedis: true,
      config: async (servers) => {
        app = await startSwitch(servers.a.target.port);
        return { endpoints: [endpointOf(servers, app)] };
      },
    });
    const { pair, redis, product, writePlan } = regions;
    await writePlan('there', ...changeOfRoles('b', 'a'));
    const back = { targetRegion: 'a' };
    await writePlan(
      'back',
      stepOf('fence', 'fence', back, { order: 1 }),
      stepOf('promote', 'promote', back, { order: 2 }),
      stepOf('repoint', 'repoint', { ...back, endpoints: ['app'] }, { order: 3 }),
    );
    const { steps, findings } = await product.succeed('dr', 'execute', 'there', '--dry-run');
    expect(findings).toEqual([]);
    expect(steps[0].would).toContain('stop PostgreSQL in a and fence it on its disk');

    // It knows one address, whoever is primary.
    const rows = regions.writeRows([{ ...pair.a.target, port: app!.port }]);
    const keys = regions.writeKeys([redis.a.target, redis.b.target]);
    const bothGoOn = async (): Promise<void> => {
      const sizes = [rows.acknowledged.size, keys.acknowledged.size] as const;
      await until(() => rows.acknowledged.size > sizes[0] + 20 && keys.acknowledged.size > sizes[1] + 20, 'both write');
    };
    await bothGoOn();
    const execute = async (plan: string): Promise<PlanRunView> =>
      ((await product.succeed('dr', 'execute', plan)) as { run: PlanRunView }).run;
    const first = await withStarts(pair, async () => execute('there'));
    expect(first.steps.map(({ result }) => result)).toMatchObject([
      { fence: { proof: { kind: 'clean', node: 'a' }, missing: null, authority: { epoch: 1, region: 'b' } } },
      {
        failover: {
          postgres: { primary: 'b', epoch: 1, oldIs: 'fenced', loss: NOTHING_LOST },
          redis: { primary: 'b' },
        },
      },
      { summary: 'b is behind app' },
      { rejoin: { postgres: { way: 'followed', primary: 'b' }, redis: { primary: 'b', discardedBytes: 0 } } },
    ]);
    await bothGoOn();
    // Once more, and of the region that is primary: nothing is done to either.
    await writePlan('again', stepOf('rejoin', 'rejoin', { region: 'a' }, { order: 1 }));
    await writePlan('wrong', stepOf('rejoin', 'rejoin', { region: 'b' }, { order: 1 }));
    expect((await execute('again')).steps[0]?.result?.rejoin?.postgres).toMatchObject({ way: 'there', loss: null });
    const wrong = await product.cli(['dr', 'execute', 'wrong']);
    expect(wrong.json['run'].steps[0].message).toContain('b holds the authority');
    const second = await execute('back');
    expect(second.steps[1]?.result?.failover).toMatchObject({
      postgres: { way: 'graceful', primary: 'a', epoch: 4, oldIs: 'fenced', loss: NOTHING_LOST },
      redis: { way: 'graceful', primary: 'a', oldIs: 'follows' },
    });
    await bothGoOn();
    await Promise.all([rows.stop(), keys.stop()]);
    expect(await missing(pair.a, rows.acknowledged)).toBe(0);
    expect(await missingKeys(redis.a, keys.acknowledged)).toBe(0);
  });

  test('loses what was measured behind the fence of a dead primary, after that was approved, and gives it up to rejoin', async () => {
    regions = await startTwoRegions({ temporal, group: 'measured', withRedis: false });
    const { pair, product, second, writePlan } = regions;
    const before = regions.writeRows([pair.a.target]);
    await until(() => before.acknowledged.size > 50, 'it writes');
    await before.stop();
    await pair.cut();
    const isAlone = async (): Promise<boolean> =>
      (await pair.a.query('select 1 from pg_stat_replication')).rows.length === 0;
    await until(isAlone, 'b is cut off');
    const after = regions.writeRows([pair.a.target], 1_000_000);
    await until(() => after.acknowledged.size > 100, 'it writes what b does not get');
    await after.stop();
    await pair.a.kill();

    await writePlan(
      'lost',
      stepOf('fence', 'fence', { targetRegion: 'b' }, { order: 1 }),
      stepOf('take-it-on', 'approval', { message: 'go on without a' }, { order: 2 }),
      stepOf('promote', 'promote', { targetRegion: 'b' }, { order: 3 }),
      stepOf('give-it-up', 'approval', { message: 'rewind a' }, { order: 4 }),
      stepOf('rejoin', 'rejoin', { region: 'a' }, { order: 5 }),
    );
    await product.succeed('dr', 'execute', 'lost', '--mode', 'ungraceful', '--detach');
    const { id, digest } = await second.runStatus();
    const asked = async (step: string): Promise<string> => {
      await until(async () => (await second.runStatus(id)).waitsFor.some((one) => one.startsWith(step)), step);
      return (await second.runStatus(id)).waitsFor.join('; ');
    };
    const approve = async (step: string): Promise<unknown> =>
      second.steerRun(id, { action: 'approve', step, reason: 'agreed', digest });
    const lost = after.acknowledged.size;
    expect(await asked('take-it-on')).toMatch(
      new RegExp(`go on without a; a is fenced: it had crashed; .* exact loss \\d+ bytes, ${lost} transactions`),
    );
    expect((await pair.b.query('select pg_is_in_recovery() as standby')).rows).toEqual([{ standby: true }]);
    await approve('take-it-on');
    expect(await asked('give-it-up')).toContain(`${lost} transactions`);
    expect(await missing(pair.b, after.acknowledged)).toBe(lost);
    expect(await missing(pair.b, before.acknowledged)).toBe(0);
    const done = await withStarts(pair, async () => {
      await approve('give-it-up');
      await until(async () => (await second.runStatus(id)).endedAt !== null, 'the end');
      return second.runStatus(id);
    });
    expect(done.steps[2]?.result?.failover?.postgres).toMatchObject({
      primary: 'b',
      oldIs: 'fenced',
      loss: { transactions: lost },
    });
    expect(done.steps[4]?.result?.rejoin?.postgres).toMatchObject({ way: 'rewound', loss: { transactions: lost } });
    await pair.b.query('insert into written values (-1)');
    await until(async () => (await pair.a.query('select 1 from written where id = -1')).rows.length === 1, 'a follows');
    expect(await missing(pair.a, after.acknowledged)).toBe(lost);
    expect(await pair.a.query('insert into written values (-2)').catch(String)).toContain('read-only transaction');
  });
});
