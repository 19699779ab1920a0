/**
 * Goal: single tables and keys come back by the command line as they were; what cannot be done is refused before anything is touched.
 * Method: a real stack without journals; both databases are read by independent means before and after each command.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRedis } from '../support/product/redis-client.ts';
import { startProduct, type CliResult, type Fingerprint, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';
import { differencesFrom } from './product-point-in-time-support/moments.ts';

const describeProduct = await whenAvailable('temporal', 'postgres 18', 'redis 7');

describeProduct('a restore of tables and keys', () => {
  let product: Product;
  let whole: Fingerprint;
  let backup: string;

  const restore = (...options: readonly string[]): Promise<CliResult> => product.cli(['restore', backup, ...options]);
  const sql = async (text: string): Promise<Record<string, unknown>[]> =>
    (await product.postgres.query(text, [], product.database)).rows;
  const refused = async (options: readonly string[], exit: number, code: string): Promise<string> => {
    const before = await product.fingerprint();
    const result = await restore(...options);
    expect({ options, exit: result.exit, code: result.json['error']?.code }).toEqual({ options, exit, code });
    expect(await product.fingerprint()).toEqual(before);
    return JSON.stringify(result.json);
  };

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', encrypted: true });
    backup = (await product.succeed('backup', 'full'))['backup'].id;
    whole = await product.fingerprint();
  });
  afterAll(async () => product?.stop());

  test('contradictions are refused by the command line', async () => {
    for (const options of [
      ['--table', 'public.users', '--stop-services'],
      ['--table', 'users'],
    ]) {
      expect({ options, exit: (await restore(...options)).exit }).toEqual({ options, exit: 2 });
    }
  });

  test('names that are not there, taken schemas and tables that others depend on are refused before anything is touched', async () => {
    expect(await refused(['--table', 'public.tokenz'], 5, 'RESTORE_TABLE_NOT_FOUND')).toContain('public.tokens');
    await refused(['--table', 'public.users', '--drop-existing'], 2, 'RESTORE_TABLE_IN_USE');
    await refused(['--table', 'public.users', '--into-schema', 'public'], 2, 'RESTORE_TARGET_NOT_EMPTY');
    await refused(['--keys', 'session:1*'], 2, 'RESTORE_TARGET_NOT_EMPTY');
    await refused(['--keys', 'nothing like it*'], 5, 'RESTORE_KEYS_NOT_FOUND');
  });

  test('a table and keys of every type come back together; keys of the backup win, others stay', async () => {
    await sql('DELETE FROM tokens WHERE user_id > 100');
    const redis = await openRedis(product.redis.target);
    await redis.flushall();
    await redis.set('session:1', 'newer');
    await redis.set('session:new', 'stays');
    await redis.set('other', 'stays');
    await redis.select(3);
    await redis.set('in database 3', 'newer');
    const result = await restore('--table', 'public.tokens', '--into-schema', 'Side By', '--keys', '*', '--merge');
    expect(result.json['ok']).toBe(true);
    const { postgres, redis: keys } = result.json['restored'];
    expect(postgres).toMatchObject({ schema: 'Side By', rows: 998, tables: [{ as: '"Side By".tokens' }] });
    const held = Object.keys(whole).filter((line) => line.startsWith('key ')).length;
    expect(keys).toMatchObject({ restored: held, replaced: 2, untouched: 2 });
    expect(await redis.get('in database 3')).toBe('three');
    await redis.select(0);
    expect(await redis.get('other')).toBe('stays');
    expect(await redis.del('other', 'session:new')).toBe(2);
    redis.disconnect();
    await sql(
      'INSERT INTO tokens SELECT * FROM "Side By".tokens ON CONFLICT DO NOTHING; DROP SCHEMA "Side By" CASCADE',
    );
    const now = await product.fingerprint();
    expect(differencesFrom(whole, now).filter((line) => !line.includes('function'))).toEqual([]);
    expect(result.json['checks'].every(({ status }: { status: string }) => status === 'pass')).toBe(true);
    const back = await product.cli(['restore', keys.savedAs, '--keys', 'session:1', '--merge']);
    expect(back.json['restored'].redis).toMatchObject({ restored: 1, replaced: 1 });
    expect(await product.redis.cli('GET', 'session:1')).toBe('newer');
    await restore('--keys', 'session:1', '--merge');
  });

  test('a table in place takes the name, and the replaced one is kept', async () => {
    const before = await product.fingerprint();
    await sql(`DELETE FROM "Audit Log"."Entries" WHERE id < 100; ALTER TABLE "Audit Log"."Entries" ADD extra int`);
    const { json } = await restore('--table', '"Audit Log"."Entries"', '--drop-existing');
    expect(json['ok']).toBe(true);
    const [kept] = json['restored'].postgres.replaced as string[];
    expect(await sql(`SELECT count(*) AS n FROM ${kept}`)).not.toEqual(
      await sql('SELECT count(*) AS n FROM "Audit Log"."Entries"'),
    );
    await sql(`DROP SCHEMA ${kept!.split('.')[0]} CASCADE`);
    expect(differencesFrom(before, await product.fingerprint())).toEqual([]);
  });

  test('a damaged object of the backup is found before anything live changes', async () => {
    const keys = (await product.storedKeys()).filter((key) => key.includes(backup) && key.includes('redis/'));
    const snapshot = join(
      product.store,
      keys.find((key) => key.includes('snapshot'))!,
    );
    const bytes = await readFile(snapshot);
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 20]! ^= 1;
    await writeFile(snapshot, damaged);
    const before = await product.fingerprint();
    const result = await restore('--table', 'public.tokens', '--keys', '*', '--merge');
    expect(result.exit).toBe(4);
    expect(await product.fingerprint()).toEqual(before);
    expect(await product.strayDatabases()).toEqual([]);
    expect(await sql(`SELECT nspname FROM pg_namespace WHERE nspname ~ '^rest'`)).toEqual([]);
    await writeFile(snapshot, bytes);
  });
});
