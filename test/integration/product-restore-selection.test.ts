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

  describe('and its undo', () => {
    const undo = (id: string, ...options: readonly string[]): Promise<CliResult> =>
      product.cli(['restore', 'undo', id, ...options]);
    let spoilt: Fingerprint;
    let id: string;

    test('a dry run changes nothing and names what would come back', async () => {
      await sql(`DELETE FROM "Audit Log"."Entries" WHERE id < 100; ALTER TABLE "Audit Log"."Entries" ADD extra int`);
      await product.redis.cli('set', 'session:1', 'newer');
      await product.redis.cli('del', 'session:2');
      spoilt = await product.fingerprint();
      const { json } = await restore(
        '--table',
        '"Audit Log"."Entries"',
        '--drop-existing',
        '--keys',
        'session:*',
        '--merge',
      );
      id = json['restoreId'];
      expect(json['undo']).toMatchObject({ command: `lifeboat restore undo ${id}` });
      const live = await product.fingerprint();
      expect(differencesFrom(spoilt, live)).not.toEqual([]);
      const dry = await undo(id, '--dry-run');
      expect(dry.json).toMatchObject({ ok: true, dryRun: true, restored: { postgres: null, redis: null } });
      expect(dry.json['steps'].join()).toMatch(
        /drop the restored "Audit Log"."Entries".*move .* back.*session:\*.*backup-/s,
      );
      expect(await product.fingerprint()).toEqual(live);
    });

    test('what came to depend on the restored table is named, and nothing is changed', async () => {
      await sql('CREATE VIEW since AS SELECT id FROM "Audit Log"."Entries"');
      const live = await product.fingerprint();
      for (const options of [['--dry-run'], []]) {
        const refused = await undo(id, ...options);
        expect(refused).toMatchObject({ exit: 2, json: { error: { code: 'RESTORE_TABLE_IN_USE' } } });
        expect(JSON.stringify(refused.json)).toContain('view public.since');
      }
      expect(await product.fingerprint()).toEqual(live);
      await sql('DROP VIEW since');
    });

    test('tables with their partitions and keys are what they were, as often as it is asked for', async () => {
      await sql(`INSERT INTO "Audit Log"."Entries" ("At", what) VALUES ('2024-12-31', 'logout')`);
      for (let time = 0; time < 2; time += 1) {
        const { json } = await undo(id);
        expect(json).toMatchObject({
          ok: true,
          restored: { selection: { keys: { patterns: ['session:*'] }, left: [] } },
        });
        expect(json['restored'].selection.tables.back).toContain('"Audit Log"."Entries"');
        expect(differencesFrom(spoilt, await product.fingerprint())).toEqual([]);
      }
      expect(await sql(`SELECT nspname FROM pg_namespace WHERE nspname ~ '^(replaced|restor)'`)).toEqual([]);
    });

    test('where nothing was replaced, or what was is gone, it is refused', async () => {
      const beside = (await restore('--table', 'public.tokens', '--into-schema', 'beside')).json;
      expect(beside['undo']).toBeNull();
      const nothing = await undo(beside['restoreId']);
      expect(nothing).toMatchObject({ exit: 2, json: { error: { code: 'RESTORE_NOTHING_REPLACED' } } });
      expect(nothing.json['error'].hint).toContain('DROP SCHEMA beside CASCADE');
      await sql('DROP SCHEMA beside CASCADE');
      const placed = (await restore('--table', '"Audit Log"."Entries"', '--drop-existing')).json;
      await sql(`DROP SCHEMA ${placed['plan'].tables.keptSchema} CASCADE`);
      const gone = await undo(placed['restoreId']);
      expect(gone).toMatchObject({ exit: 5, json: { error: { code: 'RESTORE_UNDO_EXPIRED' } } });
      await restore('--keys', 'session:*', '--merge');
    });

    test('keys alone that were not there are removed again', async () => {
      await product.redis.cli('del', 'session:1');
      const before = await product.fingerprint();
      const { json } = await restore('--keys', 'session:1');
      expect(json['restored'].redis).toMatchObject({ restored: 1, replaced: 0, savedAs: null });
      expect(await undo(json['restoreId'])).toMatchObject({ exit: 0 });
      expect(await product.fingerprint()).toEqual(before);
    });
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
