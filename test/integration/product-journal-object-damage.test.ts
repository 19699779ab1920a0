/**
 * Goal: a journal that has lost or damaged one object is named by verification, and a restore that needs the object is refused before
 * live data is touched; whole again, it restores.
 * Method: one object of each kind (whole segment, piece of one, timeline history, Redis chunk, begin, chapter, key) is altered, cut short or
 * taken away in a real store; object, manner and place come from a seed. TEST_SEED gives others: three in a row try each kind in each manner.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres, startTemporal, type TestPostgres, type TestTemporal } from '../support/servers.ts';
import { startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import {
  differencesFrom,
  JOURNALED,
  openApplication,
  type Application,
  type Moment,
} from './product-point-in-time-support/moments.ts';

const describeDamage = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const SEED = Number(process.env['TEST_SEED'] ?? 1);
const MANNERS = ['altered', 'cut short', 'removed'] as const;

/** Names within the epochs that a restore to the last moment reads. */
const KINDS = {
  'whole segment': /^journals\/postgres\/\d+\/EPOCH\/[0-9A-F]{24}\.zst\.esdk$/,
  'piece of a segment': /^journals\/postgres\/\d+\/EPOCH\/[0-9A-F]{24}\.partial-/,
  'timeline history': /^journals\/postgres\/\d+\/EPOCH\/[0-9A-F]{8}\.history\./,
  'chunk of the stream': /^journals\/redis\/\w{40}\/EPOCH\/\d{20}-\d{20}\./,
  begin: /^journals\/(?:postgres|redis)\/\w+\/EPOCH\/begin\.json$/,
  chapter: /^journals\/(?:postgres|redis)\/\w+\/EPOCH\/(?:open|chapter-\d+)\.json$/,
  key: /^keys\/journals\/(?:postgres|redis)\/\w+\/EPOCH\.json$/,
} as const;
type Kind = keyof typeof KINDS;
/** The newest chapter is written again with every commit, which makes it whole: of it the one before is taken, which is closed. */
const epochOf = (kind: Kind): string => (kind === 'chapter' ? '00000001' : '00000002');

const CASES = (Object.keys(KINDS) as Kind[]).map((kind, index): [Kind, (typeof MANNERS)[number]] => [
  kind,
  MANNERS[(index + SEED) % MANNERS.length]!,
]);

describeDamage(`a journal (seed ${SEED})`, () => {
  let postgres: TestPostgres;
  let temporal: TestTemporal;
  let product: Product;
  let application: Application;
  let moment: Moment;
  let live: Fingerprint;
  const random = numbersFrom(SEED);

  beforeAll(async () => {
    [postgres, temporal] = await Promise.all([startPostgres({ major: 18 }), startTemporal()]);
    await promote(postgres);
    const shared = { postgres, temporal };
    product = await startProduct({ shared, group: 'damage', redisVersion: '7', encrypted: true, config: JOURNALED });
    application = await openApplication(product);
    await product.succeed('backup', 'full');
    await application.mark(1);
    await application.moment();
    await product.worker.stop();
    // More than two segments of 16 MiB, which the next worker finds whole.
    await application.sql(
      'CREATE TABLE much AS SELECT repeat(md5(i::text), 30) AS t FROM generate_series(1, 36000) AS i',
    );
    await product.worker.start();
    for (const n of [2, 3]) {
      await application.mark(n);
      moment = await application.moment();
    }
    await application.mark(4);
    await application.moment();
    await product.spoil();
    live = await product.fingerprint();
  }, 180_000);
  afterAll(async () => {
    application?.end();
    await product?.stop();
    await Promise.all([postgres?.stop(), temporal?.stop()]);
  });

  const restore = (): ReturnType<Product['cli']> =>
    product.cli(['restore', 'latest', '--to-time', moment.at, '--drop-existing']);

  /** One of those that everything up to the moment rests on: the last piece and chunk are behind it. */
  const choose = async (kind: Kind): Promise<string> => {
    const pattern = new RegExp(KINDS[kind].source.replace('EPOCH', epochOf(kind)));
    const keys = (await product.storedKeys()).filter((key) => pattern.test(key));
    const needed = kind === 'piece of a segment' || kind === 'chunk of the stream' ? keys.slice(0, 1) : keys;
    expect({ kind, found: needed.length }).not.toEqual({ kind, found: 0 });
    return needed[random(needed.length)]!;
  };

  test.each(CASES)('whose %s is %s names it, and a restore that needs it is refused', async (kind, manner) => {
    const key = await choose(kind);
    const path = join(product.store, key);
    const bytes = await readFile(path);
    const place = random(bytes.length);
    if (manner === 'removed') await rm(path);
    if (manner === 'cut short') await writeFile(path, bytes.subarray(0, place));
    if (manner === 'altered') await writeFile(path, flipped(bytes, place));
    try {
      // One that has opened a key keeps it in memory, and needs the stored one no more.
      if (kind === 'key') await restartWorker(product);
      const verify = await product.cli(['backup', 'verify', 'all']);
      expect({ key, place, exit: verify.exit }).toEqual({ key, place, exit: 4 });
      expect(verify.json['problems']).toContainEqual(expect.objectContaining({ key }));
      const refused = await restore();
      // Where it is not known any more what there was, no instant of it is in the window.
      expect({ key, place, known: [4, 5].includes(refused.exit!), error: refused.json['error'] }).toMatchObject({
        key,
        place,
        known: true,
        error: { hint: expect.stringMatching(/./) },
      });
      expect(await product.fingerprint()).toEqual(live);
      expect(await product.strayDatabases()).toEqual([]);
    } finally {
      await writeFile(path, bytes);
    }
  });

  test('that is whole again is sound, and restores', async () => {
    expect((await product.succeed('backup', 'verify', 'all'))['problems']).toEqual([]);
    expect((await restore()).json['ok']).toBe(true);
    expect(differencesFrom(moment.data, await product.fingerprint())).toEqual([]);
  });
});

async function restartWorker({ worker }: Product): Promise<void> {
  await worker.stop();
  await worker.start();
}

/** A recovery that finds nothing to recover ends on a timeline of its own, whose history the journal keeps. */
async function promote(postgres: TestPostgres): Promise<void> {
  await writeFile(join(postgres.dataDir, 'recovery.signal'), '');
  await postgres.restart({ restore_command: 'false' });
}

function flipped(bytes: Buffer, place: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[place]! ^= 0x10;
  return changed;
}

/** Numbers below a limit; the same for the same seed (a linear congruential generator, constants of Numerical Recipes). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
