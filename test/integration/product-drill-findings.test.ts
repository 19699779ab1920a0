/**
 * Goal: a drill finds what would make a recovery fail, says what it is, exits with 4, and leaves nothing behind, whatever ends it.
 * Method: an index with altered pages in the base, an object with a flipped byte, a journal without one of its objects, data that is not as
 * expected; then a worker that is killed in the middle of a drill, and a drill that is cancelled.
 */
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApplication, JOURNALED, type Application, type Moment } from './product-point-in-time-support/moments.ts';
import { leftovers, OWN_TEMPORARY_FILES, scratchPlaces } from './product-drill-support/leftovers.ts';
import { listFiles, startProduct, type CliResult, type Product } from '../support/product.ts';
import { until } from '../support/product/mid-stream.ts';
import { whenAvailable } from '../support/tools.ts';

// 17: initdb makes clusters without checksums, so that a base of altered pages can be taken at all.
const describeFindings = await whenAvailable('temporal', 'postgres 17', 'redis 7');

const CONFIG = {
  ...JOURNALED,
  drill: {
    checks: [
      { name: 'marks', sql: 'SELECT count(*) FROM marks', max: 2 },
      { name: 'exits', command: ['/bin/sh', '-c', 'test -n "$REDISCLI_AUTH"'] },
    ],
  },
};
const PAGE = 8_192;
/** Of the B-tree's own, at the end of each page; before it the tuples lie, 16 bytes each where the key is a number. */
const SPECIAL = 16;

describeFindings('a drill', () => {
  let product: Product;
  let application: Application;
  let moment: Moment;
  let pieces: string[];

  beforeAll(async () => {
    product = await startProduct({
      postgresMajor: 17,
      redisVersion: '7',
      encrypted: true,
      config: CONFIG,
      env: OWN_TEMPORARY_FILES,
    });
    application = await openApplication(product);
    await application.sql('CREATE TABLE numbers AS SELECT i::int8 AS n FROM generate_series(1, 20000) AS i');
    await application.sql('CREATE UNIQUE INDEX numbers_n ON numbers (n)');
    await product.succeed('backup', 'full');
    await application.mark(1);
    await application.moment();
    const before = new Set(await listFiles(product.store));
    await application.mark(2);
    moment = await application.moment();
    // The moment is durable in the Redis journal; the WAL of it is stored a flush later at the latest.
    await until('the WAL of the moment', async () => {
      pieces = (await listFiles(product.store)).filter(
        (key) => !before.has(key) && /^journals\/postgres\/.*\/[0-9A-F]{24}\.partial-/.test(key),
      );
      return pieces.length > 0;
    });
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
  });

  /** What went wrong, as a person and as a program is told it. */
  const failed = async (found: CliResult): Promise<string> => {
    expect({ exit: found.exit, code: found.json['error']?.code, verdict: found.json['verdict'] }).toEqual({
      exit: 4,
      code: 'DRILL_FAILED',
      verdict: 'fail',
    });
    expect(await leftovers(product)).toEqual([]);
    return found.json['reasons'].join('\n');
  };
  /** Alters a stored object while `act` runs. */
  const altered = async <T>(pattern: RegExp, act: () => Promise<T>): Promise<T> => {
    const key = (await listFiles(product.store)).findLast((file) => pattern.test(file))!;
    const path = join(product.store, key);
    const bytes = await readFile(path);
    const changed = Buffer.from(bytes);
    changed[bytes.length >> 1]! ^= 0x10;
    await writeFile(path, changed);
    try {
      return await act();
    } finally {
      await writeFile(path, bytes);
    }
  };

  test('with a flipped byte in the base tells it, and still tries the dump and Redis', async () => {
    const found = await altered(/postgres\/attempt-1\/base-0001-/, async () =>
      product.cli(['backup', 'test', 'latest']),
    );
    expect(await failed(found)).toMatch(/^PostgreSQL from its base: .*base-0001.* \(OBJECT_/m);
    const names = found.json['checks'].map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['dump: rows', 'redis answers']));
    expect(found.json['readWhole']).toEqual([]);
  });

  test('without one object of the WAL journal tells it', async () => {
    const [piece] = pieces;
    const path = join(product.store, piece!);
    await rename(path, `${path}.away`);
    const found = await product.cli(['dr', 'test', '--to-time', moment.at]);
    await rename(`${path}.away`, path);
    expect(await failed(found)).toMatch(/^PostgreSQL from its base and WAL: .*partial-/m);
  });

  test('killed with its worker is swept away by the next one, and ends there', async () => {
    const { workflowId } = await product.succeed('dr', 'test', '--to-time', moment.at, '--detach');
    await until('the server of the drill', async () => (await leftovers(product)).some((line) => /process/.test(line)));
    await product.worker.kill();
    expect(await scratchPlaces(product)).toEqual([
      expect.stringMatching(/drill-\w+$/),
      expect.stringMatching(/\.lifeboat\.json$/),
    ]);
    await product.worker.start();
    expect(await scratchPlaces(product)).toEqual([]);
    const { result } = await product.succeed('attach', workflowId);
    expect(result.report).toMatchObject({ verdict: 'pass', reasons: [] });
    expect(await leftovers(product)).toEqual([]);
  });

  test('that is cancelled leaves nothing', async () => {
    const { workflowId } = await product.succeed('dr', 'test', '--detach');
    await until('the scratch place', async () => (await scratchPlaces(product)).length > 0);
    await product.cli(['cancel', workflowId, '--reason', 'not now']);
    const attached = await product.cli(['attach', workflowId]);
    expect(attached.json['error'].code).toBe('OPERATION_CANCELLED');
    expect(await leftovers(product)).toEqual([]);
  });

  test('finds data that is not as expected', async () => {
    await application.mark(3);
    await application.moment();
    const found = await product.cli(['dr', 'test']);
    expect(await failed(found)).toBe('marks: expected at most 2, got 3');
    const { status } = await product.succeed('status');
    expect(status.drill.last).toMatchObject({ verdict: 'fail', reasons: ['marks: expected at most 2, got 3'] });
  });

  test('finds an index that does not lead to all rows, which no copy and no digest can', async () => {
    await alterIndex(product, 'numbers_n');
    await product.succeed('backup', 'full');
    expect((await product.succeed('backup', 'verify', 'latest'))['problems']).toEqual([]);
    const found = await product.cli(['backup', 'test', 'latest']);
    expect(await failed(found)).toMatch(/^pg_amcheck --heapallindexed: .*numbers_n/m);
  });
});

/** Changes keys in a leaf of an index, on the disk alone: the server goes on with what it has in memory. */
async function alterIndex({ postgres, database }: Product, index: string): Promise<void> {
  await postgres.query('CHECKPOINT', [], database);
  const { rows } = await postgres.query<{ path: string }>('SELECT pg_relation_filepath($1) AS path', [index], database);
  const file = await open(join(postgres.dataDir, rows[0]!.path), 'r+');
  try {
    const page = Buffer.alloc(PAGE);
    await file.read(page, 0, PAGE, PAGE);
    for (const tuple of [5, 6, 7]) page[PAGE - SPECIAL - 16 * tuple + 8]! ^= 0x40;
    await file.write(page, 0, PAGE, PAGE);
    await file.sync();
  } finally {
    await file.close();
  }
}
