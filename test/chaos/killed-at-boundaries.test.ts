/**
 * Goal: kill -9 of the worker at each boundary of each activity changes nothing about how an operation ends.
 * Method: the worker kills itself before an activity does its work, or after it did and before anybody was told; it is started
 * again at once. What the operation made is compared row by row and key by key. Lanes with a group each run side by side.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startThrottle, type Throttle } from '../support/product/throttle.ts';
import { openLanes, type Lanes } from '../support/product/lanes.ts';
import { until } from '../support/product/mid-stream.ts';
import { toolsOf } from '../support/product/processes.ts';
import { whenAvailable } from '../support/tools.ts';
import { optionsOf, WAYS, type Way } from './killed-support/ways.ts';

const describeKills = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const DIE_AT = pathToFileURL(join(import.meta.dirname, '../support/programs/die-at.ts')).href;
/** What a lane does most of the time is to wait until a lost worker is noticed. */
const LANES_AT_ONCE = 8;
/** The longest took 229 s with ten times as much to do as the machine can; about half of that is waiting in any case. */
const LANE_LIMIT_MS = 420_000;
const REACHED_WITHIN_MS = 60_000;

interface Lane {
  readonly way: Way;
  readonly activities: readonly string[];
}

/** The longest first: each death costs the time in which a lost worker is noticed. */
const LANES: readonly Lane[] = [
  { way: 'restore', activities: ['surveySources', 'beginBackup', 'copyRedis'] },
  { way: 'restore', activities: ['swapDatabase', 'startServices', 'recordRestore'] },
  { way: 'undo', activities: ['loadRestore', 'restoreRedis', 'undoSwap'] },
  { way: 'replay', activities: ['planRestore', 'restorePostgresAside', 'restoreRedis'] },
  { way: 'verification', activities: ['planVerification', 'verifyBackup', 'verifyJournal'] },
  { way: 'selection', activities: ['planSelection', 'loadTables', 'surveyKeys'] },
  { way: 'refused selection', activities: ['loadKeys', 'revertKeys', 'dropLoadedTables'] },
  { way: 'backup', activities: ['copyPostgres', 'copyRedis', 'publishBackup'] },
  { way: 'incremental backup', activities: ['planIncremental', 'markRecoveryPoint'] },
  { way: 'incremental backup', activities: ['awaitJournal', 'publishIncremental'] },
  { way: 'changes of both', activities: ['copyIncrementalBase', 'copyRedisChanges'] },
  { way: 'selection', activities: ['loadKeys', 'moveTables'] },
  { way: 'restore', activities: ['checkRedisSnapshot', 'stopServices'] },
  { way: 'restore', activities: ['planRestore', 'restorePostgresAside'] },
  { way: 'restore', activities: ['publishBackup', 'restoreRedis'] },
  { way: 'backup', activities: ['surveySources', 'beginBackup'] },
  { way: 'cancelled backup', activities: ['discardBackup'] },
];

const nameOf = ({ way, activities }: Lane): string => `${way}: ${activities.join(', ')}`;
describeKills('a worker killed before and after', () => {
  let lanes: Lanes;
  let ended: ReadonlyMap<string, Promise<void>>;

  beforeAll(async () => {
    lanes = await openLanes();
    ended = startAll(lanes);
  });
  afterAll(async () => {
    await Promise.allSettled(ended?.values() ?? []);
    await lanes?.stop();
  }, LANE_LIMIT_MS);

  // Each waits for its own lane, from the end of the one before: a machine with other work on it makes none too late.
  test.each(LANES.map(nameOf))(
    '%s',
    async (name) => {
      await expect(ended.get(name)).resolves.toBeUndefined();
    },
    LANE_LIMIT_MS,
  );
});

/** Starts the lanes in their order, some at once; a lane's end is told by its name. */
function startAll(lanes: Lanes): ReadonlyMap<string, Promise<void>> {
  const waiting = LANES.map((lane, index) => ({ lane, group: `lane-${index}`, end: Promise.withResolvers<void>() }));
  const ended = new Map(waiting.map(({ lane, end }) => [nameOf(lane), end.promise]));
  // The test of a lane reports it, and may be late for that.
  for (const end of ended.values()) end.catch(() => undefined);
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await run(lanes, next.lane, next.group).then(next.end.resolve, next.end.reject);
    }
  };
  for (let worker = 0; worker < LANES_AT_ONCE; worker += 1) void work();
  return ended;
}

async function run(lanes: Lanes, lane: Lane, group: string): Promise<void> {
  const marks = await mkdtemp(join(tmpdir(), 'lifeboat-marks-'));
  let relay: Throttle | undefined;
  const via = async (name: string, port: number): Promise<number> =>
    name === 'redis' ? port : (relay = await startThrottle(port)).port;
  const opened = await lanes.open(group, { redisVersion: '7', preload: [DIE_AT], via, ...optionsOf(lane.way) });
  const product = Object.assign(opened, { relay: relay! });
  const points = lane.activities.flatMap((activity) => [`${activity}:before`, `${activity}:after`]);
  const mortal = async (): Promise<void> => {
    await product.worker.kill();
    const env = { TEST_DIE_AT: points.join(','), TEST_DIE_MARKS: marks };
    await product.worker.start(env);
    product.worker.supervise(env);
  };
  const reached = async (point: string): Promise<void> => {
    const died = async (): Promise<boolean> => (await readdir(marks)).includes(point.replace(':', '-'));
    await until(`the worker died at ${point}`, died, REACHED_WITHIN_MS);
  };
  try {
    await WAYS[lane.way]({ product, mortal, reached });
    expect((await readdir(marks)).toSorted()).toEqual(points.map((point) => point.replace(':', '-')).toSorted());
    expect(await toolsOf(product.folder)).toEqual([]);
    expect((await product.strayDatabases()).filter((name) => name.includes('restoring'))).toEqual([]);
    expect((await product.manager.verifyBackups('all')).problems).toEqual([]);
  } finally {
    await rm(marks, { recursive: true });
    await product.stop();
    await relay?.close();
  }
}
