/**
 * Goal: docs/guides/partial-data-loss.md works as it is written.
 * Method: its blocks are executed in their order on a real stack, with the times and ids of this run in the places of those on the page;
 * what came back, and what was left alone, is judged by reading both databases.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { compareLsn } from '../../src/domain/lsn.ts';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import { startProduct, type CliResult, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import { differencesFrom, openApplication, type Moment } from './product-point-in-time-support/moments.ts';

const describeGuide = await whenAvailable('temporal', 'postgres 18', 'redis 7');
const GUIDE = join(PROJECT_DIR, 'docs/guides/partial-data-loss.md');
/** On the page, in the places of this run's. */
const TIME = '2026-03-02T10:30:59Z';
const SAVED = 'backup-2026-03-02T10-44-12-123Z';
/** Of the configuration on the page. */
const FLUSH_MS = 1_000;

interface Step {
  readonly language: string;
  readonly line: string;
}

function stepsOf(guide: string): Step[] {
  return [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].flatMap(([, language = '', block = '']) =>
    block
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ language, line })),
  );
}

/** As a shell cuts a line: what stands in single quotes is one word. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, one, other]) => one ?? other ?? '');

describeGuide('the guide to partial data loss', () => {
  let product: Product;
  let steps: Step[];
  let moment: Moment;
  let saved = SAVED;
  /** Where the server was at the moment. */
  let lsn: string;

  /** Executes the page until behind the first line with this text; gives the result of that one. */
  const runThrough = async (text: string): Promise<unknown> => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      const result = await run(step);
      if (step.line.includes(text)) return result;
    }
    throw new Error(`the page has nothing with ${text} here`);
  };
  const run = async ({ language, line }: Step): Promise<unknown> => {
    if (language === 'sql') return (await product.postgres.query(line, [], product.database)).rows;
    if (language === 'redis') return product.redis.cli(...line.split(' '));
    const words = wordsOf(line.replaceAll(TIME, moment?.at ?? TIME).replaceAll(SAVED, saved));
    const result: CliResult = await product.cli(words.slice(1));
    if (result.exit !== 0) throw new Error(`${line}: exit ${result.exit}\n${result.stdout}\n${result.stderr}`);
    return result.json;
  };

  beforeAll(async () => {
    const guide = stepsOf(await readFile(GUIDE, 'utf8'));
    steps = guide.filter(({ language }) => language !== 'json');
    const configuration = guide.find(({ language }) => language === 'json')!;
    product = await startProduct({ redisVersion: '7', config: JSON.parse(configuration.line) });
    await runThrough('backup full');
    const application = await openApplication(product);
    await product.postgres.query(
      `INSERT INTO "Audit Log"."Entries" ("At", what) VALUES ('2024-12-31', 'logout')`,
      [],
      product.database,
    );
    await application.redis.set('session:late', 'written behind the backup');
    moment = await application.moment();
    application.end();
    lsn = (await product.postgres.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn')).rows[0]!.lsn;
    // Redis is brought to when the journal had the position: what is written a flush later is behind it.
    await delay(2 * FLUSH_MS);
  });
  afterAll(async () => product?.stop());

  test('the accident is seen, and a dry run changes nothing', async () => {
    await runThrough('SET session:3');
    expect(await runThrough('AS damaged')).toEqual([{ damaged: expect.stringMatching(/^\d\d+$/) }]);
    const spoilt = await product.fingerprint();
    expect(differencesFrom(moment.data, spoilt).length).toBeGreaterThan(3);
    const dry = (await runThrough('--dry-run')) as CliResult['json'];
    expect(dry['plan'].steps.join('\n')).toContain('into the new schema recovered');
    expect(await product.fingerprint()).toEqual(spoilt);
  });

  test('a WAL position does as well as an instant, for tables and for keys', async () => {
    const at = ['restore', 'latest', '--to-lsn', lsn];
    const tables = await product.succeed(...at, '--table', 'public.users', '--into-schema', 'by_position');
    // The last record before it may end a few bytes earlier.
    expect(compareLsn(tables['positions'].postgres.position, lsn)).toBeLessThanOrEqual(0);
    await product.succeed(...at, '--keys', 'session:3', '--merge');
    const now = await product.fingerprint();
    expect(now['rows by_position.users']).toBe(moment.data['rows public.users']);
    expect(now['key 0 session:3']).toBe(moment.data['key 0 session:3']);
    const nowhere = await product.cli(['restore', 'latest', '--to-lsn', 'FFFF/0', '--keys', 'session:3', '--merge']);
    expect(nowhere).toMatchObject({ exit: 5, json: { error: { code: 'JOURNAL_TARGET_OUTSIDE' } } });
    expect(await product.fingerprint()).toEqual(now);
    await product.postgres.query('DROP SCHEMA by_position CASCADE', [], product.database);
  });

  test('tables come back beside, from the backup and as of the moment, and are merged', async () => {
    const beside = (await runThrough('--table public.users')) as CliResult['json'];
    expect(beside['restored'].postgres).toMatchObject({ schema: 'recovered', rows: 499 });
    const partitioned = (await runThrough('Entries')) as CliResult['json'];
    const tables = partitioned['restored'].postgres.tables as { as: string; rows: number }[];
    expect(tables.map((table) => table.as)).toContain('recovered."Entries 2024"');
    await runThrough('INSERT INTO "Audit Log"');
    const now = await product.fingerprint();
    const still = differencesFrom(moment.data, now).filter((line) => !line.includes('recovered'));
    expect(still.filter((line) => !line.includes('key 0 '))).toEqual([]);
  });

  test('keys come back with their expiries, those that match and no other', async () => {
    const lost = (await runThrough('list:s*')) as CliResult['json'];
    expect(lost['restored'].redis).toMatchObject({ restored: 1, replaced: 0, savedAs: null });
    const merged = (await runThrough('--merge')) as CliResult['json'];
    const { redis } = merged['restored'];
    expect(redis).toMatchObject({ restored: 301, replaced: 299 });
    expect(
      differencesFrom(moment.data, await product.fingerprint()).filter((line) => !line.includes('recovered')),
    ).toEqual([]);
    saved = redis.savedAs;
    expect(merged['goBack'].join()).toContain(saved);
    await runThrough(SAVED);
  });

  test('validated, the copy is dropped; a table in place leaves nothing else behind', async () => {
    expect(await runThrough('AS missing')).toEqual([{ missing: '0' }]);
    expect(await runThrough('AS lost')).toEqual([{ lost: '0' }]);
    await runThrough('backup full');
    expect(differencesFrom(moment.data, await product.fingerprint())).toEqual([]);
    const placed = (await runThrough('--drop-existing')) as CliResult['json'];
    const [kept] = placed['restored'].postgres.replaced as string[];
    expect(kept).toMatch(/^replaced_\d+_\d+_\d+\.empty_table$/);
    await product.postgres.query(`DROP SCHEMA ${kept!.split('.')[0]} CASCADE`, [], product.database);
    expect(differencesFrom(moment.data, await product.fingerprint())).toEqual([]);
    expect(await product.strayDatabases()).toEqual([]);
    expect(steps).toEqual([]);
  });
});
