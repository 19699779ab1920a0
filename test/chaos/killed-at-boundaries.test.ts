/**
 * Goal: kill -9 of the worker at each boundary of each activity changes nothing about how an operation ends.
 * Method: the worker kills itself before an activity does its work, or after it did and before anybody was told; it is started
 * again at once. What the operation made is compared row by row and key by key. Lanes with a group each run side by side.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { untilRunning } from '../support/product/mid-stream.ts';
import { startThrottle, type Throttle } from '../support/product/throttle.ts';
import { openLanes, type Lanes } from '../support/product/lanes.ts';
import { toolsOf } from '../support/product/processes.ts';
import type { Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeKills = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const DIE_AT = pathToFileURL(join(import.meta.dirname, '../support/programs/die-at.ts')).href;
/** Workers that start and die at the same time; more only wait for the processor. */
const LANES_AT_ONCE = 5;

type Way = 'backup' | 'restore' | 'undo' | 'cancelled backup';

interface Lane {
  readonly way: Way;
  readonly activities: readonly string[];
}

const LANES: readonly Lane[] = [
  { way: 'restore', activities: ['surveySources', 'beginBackup', 'copyRedis'] },
  { way: 'restore', activities: ['swapDatabase', 'startServices', 'recordRestore'] },
  { way: 'undo', activities: ['loadRestore', 'restoreRedis', 'undoSwap'] },
  { way: 'restore', activities: ['checkRedisSnapshot', 'stopServices'] },
  { way: 'restore', activities: ['planRestore', 'restorePostgresAside'] },
  { way: 'restore', activities: ['publishBackup', 'restoreRedis'] },
  { way: 'backup', activities: ['surveySources', 'beginBackup'] },
  { way: 'backup', activities: ['copyPostgres', 'copyRedis', 'publishBackup'] },
  { way: 'cancelled backup', activities: ['discardBackup'] },
];

/** The dump of the seeded database takes many seconds at this rate. */
const SLOW_BYTES_PER_SECOND = 20_000;

const nameOf = ({ way, activities }: Lane): string => `${way}: ${activities.join(', ')}`;
const SERVICES = [{ name: 'api', stop: 'echo stop >> services.log', start: 'echo start >> services.log' }];

describeKills('a worker killed before and after', () => {
  let lanes: Lanes;
  const ended = new Map<string, Promise<void>>();

  beforeAll(async () => {
    lanes = await openLanes();
    const waiting = [...LANES.entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [index, lane] = next;
        const running = run(lanes, lane, `lane-${index}`);
        ended.set(nameOf(lane), running);
        // The test of the lane reports it.
        await running.catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: LANES_AT_ONCE }, work));
  }, 420_000);
  afterAll(async () => lanes?.stop());

  test.each(LANES.map(nameOf))('%s', async (name) => {
    await expect(ended.get(name)).resolves.toBeUndefined();
  });
});

async function run(lanes: Lanes, lane: Lane, group: string): Promise<void> {
  const marks = await mkdtemp(join(tmpdir(), 'lifeboat-marks-'));
  let relay: Throttle | undefined;
  const via = async (name: string, port: number): Promise<number> =>
    name === 'redis' ? port : (relay = await startThrottle(port)).port;
  const opened = await lanes.open(group, { redisVersion: '7', preload: [DIE_AT], config: { services: SERVICES }, via });
  const product = Object.assign(opened, { relay: relay! });
  const points = lane.activities.flatMap((activity) => [`${activity}:before`, `${activity}:after`]);
  const mortal = async (): Promise<void> => {
    await product.worker.kill();
    const env = { TEST_DIE_AT: points.join(','), TEST_DIE_MARKS: marks };
    await product.worker.start(env);
    product.worker.supervise(env);
  };
  await mkdir(marks, { recursive: true });
  try {
    await WAYS[lane.way](product, mortal);
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

const WAYS: Readonly<
  Record<Way, (product: Product & { readonly relay: Throttle }, mortal: () => Promise<void>) => Promise<void>>
> = {
  async backup(product, mortal) {
    const before = await product.fingerprint();
    await mortal();
    const { backup } = await product.manager.performFullBackup();
    expect((await product.manager.listBackups()).map(({ id }) => id)).toEqual([backup.id]);
    await product.destroy();
    await product.manager.restoreFromBackup(backup.id);
    expect(await product.fingerprint()).toEqual(before);
  },
  async restore(product, mortal) {
    const before = await product.fingerprint();
    const { backup } = await product.manager.performFullBackup();
    await product.spoil();
    const spoilt = await product.fingerprint();
    await mortal();
    const restored = await product.manager.restoreFromBackup(backup.id, { dropExisting: true, stopServices: true });
    expect(await product.fingerprint()).toEqual(before);
    await product.manager.undoRestore(restored.restoreId);
    expect(await product.fingerprint()).toEqual(spoilt);
  },
  async undo(product, mortal) {
    const { backup } = await product.manager.performFullBackup();
    await product.spoil();
    const spoilt = await product.fingerprint();
    const restored = await product.manager.restoreFromBackup(backup.id, { dropExisting: true });
    await mortal();
    await product.manager.undoRestore(restored.restoreId);
    expect(await product.fingerprint()).toEqual(spoilt);
    expect(await product.strayDatabases()).toEqual([]);
  },
  async 'cancelled backup'(product, mortal) {
    const stored = await product.storedKeys();
    await mortal();
    product.relay.setRate(SLOW_BYTES_PER_SECOND);
    const started = await product.manager.startBackup('full');
    const outcome = started.result().then(
      () => 'completed',
      (error: { code?: string }) => error.code,
    );
    await untilRunning(product, 'copyPostgres');
    await started.handle.cancel();
    expect(await outcome).toBe('OPERATION_CANCELLED');
    expect((await product.storedKeys()).filter((key) => key !== 'lifeboat.json')).toEqual(stored);
    expect(await product.manager.listBackups()).toEqual([]);
  },
};
