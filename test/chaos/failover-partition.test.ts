/**
 * Goal: a region that is cut off, in the middle of a promotion as well, leads to a clear state and to one promotion; who was lost comes back fenced, gives up exactly
 * what was counted, and the first region is primary again at the end. Method: two network namespaces with a PostgreSQL server each, links that are taken
 * down, a writer outside and one inside of the region that is lost, a worker that is held before it promotes.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { observePostgres } from '../../src/failover/postgres/observe.ts';
import { runOnHost } from '../../src/failover/host/run-on-host.ts';
import type { PlanRunView } from '../../src/domain/plan/run-view.ts';
import { startRegions, whenRegions, type Regions } from '../support/regions.ts';
import { startTemporal, type TestTemporal } from '../support/servers.ts';
import { until } from '../support/product/mid-stream.ts';
import { whenAvailable } from '../support/tools.ts';
import { missing, NEVER, withStarts } from '../integration/failover-support/postgres-pair.ts';
import { startTwoRegions, stepOf, type TwoRegions } from '../integration/failover-support/two-regions.ts';

const suite = await whenRegions(await whenAvailable('temporal', 'postgres 18', 'redis 7'));
const HOLD_AT = pathToFileURL(join(import.meta.dirname, '../support/programs/hold-at.ts')).href;
const LIMIT_MS = 600_000;

suite('two regions whose line is lost', () => {
  let temporal: TestTemporal;
  let networks: Regions;
  let regions: TwoRegions;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-partition-'));
    [temporal, networks] = await Promise.all([startTemporal(), startRegions()]);
    const limits = { timeout: '10s' };
    regions = await startTwoRegions({
      temporal,
      group: 'lines',
      withRedis: false,
      networks,
      limits,
      preload: [HOLD_AT],
    });
  }, LIMIT_MS);
  afterAll(async () => {
    await networks?.a.heal();
    await networks?.b.heal();
    await regions?.stop();
    await networks?.stop();
    await temporal?.stop();
    await rm(folder, { recursive: true });
  }, LIMIT_MS);

  const view = async (): Promise<PlanRunView> => regions.second.runStatus();
  const waitsFor = async (what: string): Promise<string> => {
    const isAsked = async (): Promise<boolean> => (await view()).waitsFor.some((one) => one.includes(what));
    await until(what, isAsked, LIMIT_MS);
    return (await view()).waitsFor.join('; ');
  };
  const ended = async (): Promise<PlanRunView> => {
    const isOver = async (): Promise<boolean> => {
      const { endedAt, waitsFor: asked } = await view();
      if (asked.length > 0) throw new Error(`it waits for ${asked.join('; ')}`);
      return endedAt !== null;
    };
    await until('the end', isOver, LIMIT_MS);
    return view();
  };
  /** A link that is up again is not found by everybody at once. */
  const isBack = async (name: 'a' | 'b'): Promise<void> => {
    const answers = async (): Promise<boolean> => (await observePostgres(regions.pair.nodes[name], NEVER)).answers;
    await until(`${name} answers again`, answers);
  };
  const approve = async (): Promise<unknown> => {
    const { id, digest } = await view();
    return regions.second.steerRun(id, { action: 'approve', reason: 'agreed', digest });
  };
  const onHostOfA = async (verb: 'stop' | 'fence'): Promise<unknown> =>
    runOnHost({ doing: verb, host: regions.pair.nodes.a.host, verb, signal: NEVER });

  test(
    'are changed once, come back fenced, and are changed back',
    async () => {
      const { pair, product, writePlan } = regions;
      await writePlan(
        'there',
        stepOf('fence', 'fence', { targetRegion: 'b' }, { order: 1, onFailure: 'continue' }),
        stepOf('confirm', 'approval', { message: 'go on without a' }, { order: 2 }),
        stepOf('promote', 'promote', { targetRegion: 'b' }, { order: 3 }),
      );
      await writePlan(
        'back',
        stepOf('fence', 'fence', { targetRegion: 'a' }, { order: 1 }),
        stepOf('promote', 'promote', { targetRegion: 'a' }, { order: 2 }),
      );
      const writer = regions.writeRows([pair.a.target, pair.b.target]);
      await until('it writes', () => writer.acknowledged.size > 50);
      const caughtUp = async (): Promise<boolean> => {
        const sent = 'select 1 from pg_stat_replication where sent_lsn = replay_lsn';
        return (await pair.a.query(sent)).rows.length === 1;
      };
      await writer.stop();
      await until('b has all', caughtUp);
      await networks.a.cut();
      // Inside of the lost region its clients go on.
      const lost = await writeInside();

      // The line to b is lost, too, when the promotion is about to begin.
      const held = join(folder, 'held');
      await product.worker.stop();
      await product.worker.start({ TEST_HOLD_AT: 'promoteStandby', TEST_HOLD_FILE: held });
      await product.succeed('dr', 'execute', 'there', '--mode', 'ungraceful', '--detach');
      expect(await waitsFor('confirm')).toMatch(/fence has failed: .*connect to host .*timed out/);
      await approve();
      const isHeld = async (): Promise<boolean> => {
        const asked = (await view()).waitsFor;
        if (asked.length > 0) throw new Error(`it waits for ${asked.join('; ')}`);
        return existsSync(held);
      };
      await until('the promotion', isHeld, LIMIT_MS);
      await networks.b.cut();
      await writeFile(`${held}.go`, '');
      expect(await waitsFor('retry, skip or abort')).toContain('it does not answer');
      await networks.b.heal();
      await isBack('b');
      const { id } = await view();
      await regions.second.steerRun(id, { action: 'retry', step: 'promote', reason: 'b is back' });
      const done = await ended();
      expect(done.steps[2]?.result?.failover?.postgres).toMatchObject({ primary: 'b', oldIs: 'unproven' });
      expect(await observePostgres(pair.nodes.b, NEVER)).toMatchObject({ inRecovery: false, timeline: 2 });
      expect(await missing(pair.b, writer.acknowledged)).toBe(0);

      // Nobody has fenced a: two primaries, by name, and nothing begins.
      await networks.a.heal();
      await isBack('a');
      const split = await product.cli(['dr', 'execute', 'back', '--dry-run']);
      expect(split.json['findings']).toMatchObject([
        { code: 'FAILOVER_SPLIT_BRAIN' },
        { code: 'FAILOVER_SPLIT_BRAIN' },
      ]);
      await onHostOfA('stop');
      await onHostOfA('fence');
      // Back from the dead, by whoever starts it.
      await pair.a.restart();
      expect(await pair.a.query('insert into written values (-1)').catch(String)).toContain('read-only transaction');
      await onHostOfA('stop');

      // Nothing is given up that nobody has named.
      const giveUp = (transactions: number | undefined): Promise<void> =>
        writePlan(
          'rejoin',
          stepOf('confirm', 'approval', {}, { order: 1 }),
          stepOf('rejoin', 'rejoin', { region: 'a', giveUpTransactions: transactions }, { order: 2 }),
        );
      const rejoin = async (): Promise<PlanRunView['steps'][number] | undefined> => {
        await product.succeed('dr', 'execute', 'rejoin', '--detach');
        await waitsFor('confirm');
        await approve();
        return (await ended()).steps[1];
      };
      await giveUp(undefined);
      const named = Number(/(\d+) transactions in \d+ bytes are on a alone/.exec((await rejoin())?.message ?? '')?.[1]);
      // The server itself commits now and then, for its statistics.
      expect(named).toBeGreaterThanOrEqual(lost);
      await giveUp(named - 1);
      expect((await rejoin())?.message).toContain(`${named - 1} are given up (FAILOVER_REJOIN_BLOCKED)`);
      await giveUp(named);
      const rejoined = await withStarts(pair, rejoin);
      expect(rejoined?.result?.rejoin?.postgres).toMatchObject({ way: 'rewound', loss: { transactions: named } });
      const second = regions.writeRows([pair.b.target, pair.a.target], 1_000_000);
      await until('it writes', () => second.acknowledged.size > 50);
      const back = ((await product.succeed('dr', 'execute', 'back')) as { run: PlanRunView }).run;
      expect(back.steps[1]?.result?.failover?.postgres).toMatchObject({ primary: 'a', loss: { transactions: 0 } });
      const size = second.acknowledged.size;
      await until('it goes on', () => second.acknowledged.size > size + 20);
      await second.stop();
      expect(await missing(pair.a, writer.acknowledged)).toBe(0);
      expect(await missing(pair.a, second.acknowledged)).toBe(0);
      const inside = await pair.a.query('select 1 from written where id > 5000000');
      expect(inside.rows).toEqual([]);
    },
    LIMIT_MS,
  );

  /** By the socket of the server, as a client on its host; gives how many commits that were. */
  async function writeInside(): Promise<number> {
    const { a } = regions.pair;
    const socket = { ...a.target, host: join(a.dataDir, '..') };
    const writer = regions.writeRows([socket], 5_000_000);
    await until('it writes inside', () => writer.acknowledged.size > 100);
    await writer.stop();
    return writer.acknowledged.size;
  }
});
