/**
 * Goal: docs/guides/point-in-time.md works as it is written.
 * Method: its blocks are taken out and executed in their order on a real stack, with the times and ids of this run in the places of
 * those on the page; the accident and its repair are judged by reading both databases.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import { startProduct, type CliResult, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import { differencesFrom, openApplication, type Moment } from './product-point-in-time-support/moments.ts';

const describeGuide = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const GUIDE = join(PROJECT_DIR, 'docs/guides/point-in-time.md');
/** On the page, in the places of this run's. */
const TIME = '2026-03-02T10:30:59Z';
const UNDO = 'restore-2026-03-02T10-44-12-123Z';

interface Step {
  readonly language: string;
  /** Database of an `sql` block, where it is not the live one. */
  readonly where: string;
  readonly line: string;
}

/** Commands of all blocks, in the order of the page. */
function stepsOf(guide: string): Step[] {
  return [...guide.matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```/gm)].flatMap(
    ([, language = '', where = '', block = '']) =>
      block
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => ({ language, where, line })),
  );
}

describeGuide('the guide to a point in time', () => {
  let product: Product;
  let steps: readonly Step[];
  let moment: Moment;
  let spoilt: Moment['data'];
  let undo = '';

  const cli = async (line: string): Promise<CliResult> => {
    const words = line.replaceAll(TIME, moment?.at ?? TIME).replaceAll(UNDO, undo);
    const result = await product.cli(words.split(' ').slice(1));
    expect({
      line,
      exit: result.exit,
      stderr: result.exit === 0 ? '' : result.stderr,
      stdout: result.exit === 0 ? '' : result.stdout,
    }).toEqual({
      line,
      exit: 0,
      stderr: '',
      stdout: '',
    });
    undo = result.json['restoreId'] ?? undo;
    return result;
  };
  /** Executes what is left on the page until behind the first line with this text; gives the result of that one. */
  const runThrough = async (text: string): Promise<CliResult | readonly object[] | string> => {
    for (;;) {
      const [step, ...rest] = steps;
      if (step === undefined) throw new Error(`the page has nothing with ${text} here`);
      steps = rest;
      const result = await run(step);
      if (step.line.includes(text)) return result;
    }
  };
  const run = async ({ language, where, line }: Step): Promise<CliResult | readonly object[] | string> => {
    if (language === 'bash') return cli(line);
    if (language === 'redis') return product.redis.cli(...line.split(' '));
    const database = where === '' ? product.database : where;
    return (await product.postgres.query(line, [], database)).rows;
  };

  beforeAll(async () => {
    const guide = stepsOf(await readFile(GUIDE, 'utf8'));
    const [configuration] = guide.filter(({ language }) => language === 'json');
    steps = guide.filter(({ language }) => language !== 'json');
    product = await startProduct({ redisVersion: '7', config: JSON.parse(configuration!.line) });
    await product.postgres.restart({ track_commit_timestamp: 'on' });
  });
  afterAll(async () => product?.stop());

  test('before: backups are taken', async () => {
    expect(await runThrough('backup full')).toMatchObject({ exit: 0 });
    const application = await openApplication(product);
    await application.mark(1);
    await runThrough('backup incremental');
    await application.mark(2);
    moment = await application.moment();
    application.end();
  });

  test('the accident, what can be had, and the moment', async () => {
    await runThrough('FLUSHALL');
    spoilt = await product.fingerprint();
    expect(differencesFrom(moment.data, spoilt)).not.toEqual([]);
    const [accident] = (await runThrough('pg_xact_commit_timestamp')) as { committed: Date; count: string }[];
    expect(accident!.committed.getTime()).toBeGreaterThan(moment.atMs);
    expect(Number(accident!.count)).toBeGreaterThan(400);
  });

  test('a look beside touches nothing, and neither does the dry run', async () => {
    const [look] = (await runThrough('intact')) as { intact: string }[];
    expect(Number(look!.intact)).toBeGreaterThan(400);
    const dry = (await runThrough('--dry-run')) as CliResult;
    expect(dry.json['plan'].steps.join('\n')).toContain(moment.at);
    expect(await product.fingerprint()).toEqual(spoilt);
  });

  test('the restore brings back what was, and its undo what was spoilt', async () => {
    await runThrough('--yes');
    expect(differencesFrom(moment.data, await product.fingerprint())).toEqual([]);
    expect(await runThrough('broken')).toEqual([{ broken: '0' }]);
    await runThrough('restore undo');
    expect(differencesFrom(spoilt, await product.fingerprint())).toEqual([]);
  });

  test('after: a full backup, and everything is sound', async () => {
    const { json } = (await runThrough('verify all')) as CliResult;
    expect(json['problems']).toEqual([]);
    expect(steps).toEqual([]);
  });
});
