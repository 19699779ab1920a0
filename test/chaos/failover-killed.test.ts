/**
 * Goal: whatever is killed at whatever step of a change of roles, it goes on: promoted once, the old primary takes no writes, and no acknowledged
 * write is lost. Method: at each act of a plan that fences, promotes, repoints and rejoins, kill -9 of the worker, of Temporal (its state is a file), or
 * of both, under writers. Three lanes side by side, so that each act meets each death; what dies where is drawn by a seed, which TEST_SEED repeats.
 */
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { QUERIES } from '../../src/contract/names.ts';
import type { PlanRunView } from '../../src/domain/plan/run-view.ts';
import { startTemporal, type TestTemporal } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { missing, withStarts } from '../integration/failover-support/postgres-pair.ts';
import { missingKeys } from '../integration/failover-support/redis-writer.ts';
import { createRandom } from './journal-support/random.ts';
import { changeOfRoles, startTwoRegions, type TwoRegions } from '../integration/failover-support/two-regions.ts';
import { until } from '../support/product/mid-stream.ts';

const suite = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const DIE_AT = pathToFileURL(join(import.meta.dirname, '../support/programs/die-at.ts')).href;
const SEED = Number(process.env['TEST_SEED'] ?? randomInt(1, 2 ** 31));
/** What changes something in this plan: the authority, a server, or where clients are led; in its order. */
const ACTS = ['takeAuthority', 'fencePrimary', 'promoteStandby', 'handOverRedis', 'repointEndpoint', 'rejoinPostgres'];
const VICTIMS = ['worker', 'temporal', 'both'] as const;
/** Six deaths, each noticed after the time in which a worker heartbeats; ten times as much to do as the machine can. */
const LIMIT_MS = 600_000;

suite(`a change of roles in which everything dies once, seed ${SEED}`, () => {
  const random = createRandom(SEED);
  const shift = Math.floor(random() * VICTIMS.length);
  const lanes = VICTIMS.map((_, lane) => ({
    group: `lane-${lane}`,
    points: ACTS.map((act, index) => {
      const victim = VICTIMS[(lane + index + shift) % VICTIMS.length];
      return `${act}:${random() < 0.5 ? 'before' : 'after'}:${victim}`;
    }),
  }));
  let ended: readonly PromiseSettledResult<void>[];
  beforeAll(async () => {
    ended = await Promise.allSettled(lanes.map(runLane));
  }, LIMIT_MS);

  test.each(lanes.map(({ group, points }, lane) => [`${group}: ${points.join(', ')}`, lane] as const))(
    '%s',
    (_, lane) => expect(ended[lane]).toEqual({ status: 'fulfilled', value: undefined }),
  );
});

interface Lane {
  readonly group: string;
  readonly points: readonly string[];
}

async function runLane({ group, points }: Lane): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-marks-'));
  const marks = join(folder, 'marks');
  await mkdir(marks);
  const temporal = await startTemporal({ dbFilename: join(folder, 'temporal.db') });
  const regions = await startTwoRegions({
    temporal,
    group,
    withRedis: true,
    preload: [DIE_AT],
    config: async () => ({
      endpoints: [{ type: 'command', name: 'app', apply: `echo $DR_NEW > ${folder}/app`, verify: 'true' }],
    }),
  });
  const keeping = await keepAlive(temporal, join(folder, 'temporal.pid'));
  try {
    const env = {
      TEST_DIE_AT: points.join(','),
      TEST_DIE_MARKS: marks,
      TEST_DIE_TEMPORAL: join(folder, 'temporal.pid'),
    };
    await change(regions, { group, marks, env });
  } finally {
    await regions.stop();
    await keeping.stop();
    await temporal.stop();
    await rm(folder, { recursive: true });
  }
}

interface Stage {
  readonly group: string;
  readonly marks: string;
  /** Of a worker that dies, and takes others along. */
  readonly env: Readonly<Record<string, string>>;
}

async function change(regions: TwoRegions, { group, marks, env }: Stage): Promise<void> {
  const { pair, redis, product, writePlan } = regions;
  await writePlan('there', ...changeOfRoles('b', 'a'));
  const rows = regions.writeRows([pair.a.target, pair.b.target]);
  const keys = regions.writeKeys([redis.a.target, redis.b.target]);
  const bothGoOn = async (): Promise<void> => {
    const sizes = [rows.acknowledged.size, keys.acknowledged.size] as const;
    const isSo = (): boolean => rows.acknowledged.size > sizes[0] + 20 && keys.acknowledged.size > sizes[1] + 20;
    await until('both write', isSo, LIMIT_MS);
  };
  await bothGoOn();
  await product.worker.kill();
  await product.worker.start(env);
  product.worker.supervise(env);
  const run = await withStarts(pair, async () => {
    await product.succeed('dr', 'execute', 'there', '--detach');
    return ending(product, group);
  });
  await bothGoOn();
  await Promise.all([rows.stop(), keys.stop()]);

  expect(run.steps.map(({ id, status, message }) => [id, status, message])).toEqual(
    ['fence', 'promote', 'repoint', 'rejoin'].map((id) => [id, 'succeeded', '']),
  );
  expect((await readdir(marks)).length).toBe(ACTS.length);
  // Promoted once: its timeline has one past, and a second promotion would have made another.
  const timeline = 'select timeline_id as timeline, pg_is_in_recovery() as standby from pg_control_checkpoint()';
  expect((await pair.b.query(timeline)).rows).toEqual([{ timeline: 2, standby: false }]);
  expect(await pair.a.query('insert into written values (-1)').catch(String)).toContain('read-only transaction');
  expect(await redis.a.cli('SET', 'late', '1').catch(String)).toContain('READONLY');
  expect(await missing(pair.b, rows.acknowledged)).toBe(0);
  expect(await missingKeys(redis.b, keys.acknowledged)).toBe(0);
}

/** How the run stands at its end; whoever asks in between may find nobody. */
async function ending(product: TwoRegions['product'], group: string): Promise<PlanRunView> {
  let seen: PlanRunView | undefined;
  const look = async (): Promise<boolean> => {
    try {
      seen = await product.client.workflow.getHandle(`lifeboat/${group}`).query<PlanRunView>(QUERIES.planRun);
    } catch {
      // Temporal or the worker is down: that is what is tried here.
      await product.reconnect().catch(() => undefined);
    }
    return seen !== undefined && (seen.endedAt !== null || seen.state === 'waiting');
  };
  await until('the end of the run', look, LIMIT_MS);
  return seen!;
}

/** What a machine's service manager does for Temporal; a file always names the process. */
async function keepAlive(temporal: TestTemporal, file: string): Promise<{ stop(): Promise<void> }> {
  let isOver = false;
  const keep = async (): Promise<void> => {
    while (!isOver) {
      if (!isAlive(temporal.pid)) {
        await temporal.restart();
        await writeFile(file, String(temporal.pid));
      }
      await delay(100);
    }
  };
  await writeFile(file, String(temporal.pid));
  const keeping = keep();
  return {
    async stop() {
      isOver = true;
      await keeping;
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
