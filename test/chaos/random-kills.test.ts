/**
 * Goal: no moment is special: whatever is killed whenever, an operation ends right, or it ends in order and nothing half is listed.
 * Method: rounds of backup and restore; in each, two kills -9 at random moments of the worker, its tools, Temporal or PostgreSQL.
 * The seed is printed on failure; TEST_SEED repeats it.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/product/mid-stream.ts';
import { killTool, toolsOf } from '../support/product/processes.ts';
import { startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeRandom = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const SEED = Number(process.env['TEST_SEED'] ?? randomInt(1, 2 ** 31));
const ROUNDS = 6;
const KILLS = 2;
/** About the length of an undisturbed operation. */
const SPREAD_MS = 5_000;

/** mulberry32: small, seeded, good enough to spread moments. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describeRandom(`random kills, seed ${SEED}`, () => {
  const random = createRandom(SEED);
  let product: Product;
  let good: Fingerprint;

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', seed: { users: 5_000, sessions: 5_000, ballastMb: 4 } });
    product.worker.supervise();
    good = await product.fingerprint();
    await product.manager.performFullBackup();
  });
  afterAll(async () => product?.stop());

  const victims: Readonly<Record<string, () => Promise<void>>> = {
    worker: async () => product.worker.kill(),
    tools: async () => {
      for (const { pid } of await toolsOf(product.folder)) killTool(pid);
    },
    temporal: async () => {
      await product.temporal.kill();
      await product.temporal.restart();
    },
    postgres: async () => {
      await product.postgres.kill();
      await product.postgres.restart();
    },
  };

  const disturb = async (): Promise<string[]> => {
    const told: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const name = Object.keys(victims)[Math.floor(random() * Object.keys(victims).length)]!;
      const waitMs = Math.round(random() * SPREAD_MS);
      await delay(waitMs);
      await victims[name]!();
      told.push(`${name} after ${waitMs} ms`);
    }
    return told;
  };

  test.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))('round %i', async (round) => {
    const isBackup = round % 2 === 1;
    const listed = await product.manager.listBackups();
    const stored = await product.storedKeys();
    if (!isBackup) await product.spoil();
    const started = isBackup
      ? await product.manager.startBackup('full')
      : await product.manager.startRestore('latest', { dropExisting: true });
    const kills = await disturb();
    await product.reconnect();
    const outcome = await product.client.workflow
      .getHandle(started.workflowId, started.runId)
      .result()
      .then(
        () => 'completed',
        (error: Error) =>
          `${error.message}: ${error.cause instanceof Error ? `${error.cause.message}: ${String((error.cause as { cause?: Error }).cause?.message)}` : ''}`,
      );
    const story = { seed: SEED, round, kills, outcome };
    await until('the last tool has ended', async () => (await toolsOf(product.folder)).length === 0, 20_000);
    if (outcome !== 'completed' && isBackup)
      expect({ ...story, stored: await product.storedKeys() }).toEqual({ ...story, stored });
    expect({ ...story, outcome }).toEqual({ ...story, outcome: 'completed' });
    expect(await product.manager.listBackups()).toHaveLength(listed.length + 1);
    expect({ ...story, problems: (await product.manager.verifyBackups('all')).problems }).toEqual({
      ...story,
      problems: [],
    });
    if (isBackup) {
      await product.spoil();
      await product.manager.restoreFromBackup('latest', { dropExisting: true });
    }
    expect({ ...story, data: await product.fingerprint() }).toEqual({ ...story, data: good });
  });
});
