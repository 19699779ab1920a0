/**
 * Goal: a password or key is nowhere but where it was put: not in histories, logs, arguments, stored objects or answers.
 * Method: canaries as passwords, and the key of the keyring; an uncompressed, unencrypted backup and an encrypted one, a restore
 * and a refused backup; then every byte that was written is searched, and every process's arguments while it went on.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { everyTextOf } from '../support/product/every-text.ts';
import { listFiles, startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeSecrets = await whenAvailable('temporal', 'postgres 18', 'redis 7');

const POSTGRES_CANARY = 'cAnArY-pg-7f3a@:/?#&%+ end';
const REDIS_CANARY = 'cAnArY-redis-91bc:/@%';
const SAMPLE_MS = 5;

/** As they are, and as they may stand in URLs, JSON and shell words. */
function spellings(secret: string): string[] {
  return [
    ...new Set([
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ]),
  ];
}

/** Arguments of every process, looked at again and again; this process holds the canaries too, and is left out. */
function watchArguments(needles: readonly string[]): () => readonly string[] {
  const found = new Set<string>();
  let seen = 0;
  const look = (): void => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      const argv = readQuietly(`/proc/${pid}/cmdline`);
      if (argv.includes('pg_dump')) seen += 1;
      for (const needle of needles) if (argv.includes(needle)) found.add(argv.replaceAll('\0', ' '));
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    if (seen === 0) throw new Error('the watch saw no pg_dump: it was too slow to prove anything');
    return [...found];
  };
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The process is gone, or it is the kernel's.
    return '';
  }
}

describeSecrets('a secret', () => {
  let product: Product;
  const output: string[] = [];
  let needles: string[] = [];
  let argumentHits: readonly string[] = [];

  const cli = async (args: readonly string[]): Promise<number | null> => {
    const { exit, stdout, stderr } = await product.cli(args);
    output.push(stdout, stderr);
    return exit;
  };

  beforeAll(async () => {
    product = await startProduct({
      redisVersion: '7',
      redisPassword: REDIS_CANARY,
      env: (base) => ({
        DATABASE_URL: base['DATABASE_URL']!.replace(/\/\/[^@]*@/, `//canary:${encodeURIComponent(POSTGRES_CANARY)}@`),
        BACKUP_COMPRESSION_ENABLED: 'false',
        LIFEBOAT_LOG_LEVEL: 'debug',
      }),
    });
    await product.postgres.query(`CREATE ROLE canary SUPERUSER LOGIN PASSWORD '${POSTGRES_CANARY}'`);
    await cli(['key', 'generate']);
    const keyring = JSON.parse(await readFile(join(product.folder, 'keys', 'encryption.key'), 'utf8')) as {
      keys: { key: string }[];
    };
    needles = [...spellings(POSTGRES_CANARY), ...spellings(REDIS_CANARY), ...keyring.keys.map(({ key }) => key)];
    const hits = watchArguments(needles);
    const exits = [
      await cli(['backup', 'full']),
      await cli(['config', 'show']),
      await cli(['config', 'validate']),
      await cli(['restore', 'latest', '--drop-existing']),
    ];
    expect(exits).toEqual([0, 0, expect.any(Number), 0]);
    await product.worker.stop();
    await product.worker.start({ BACKUP_ENCRYPTION_ENABLED: 'true' });
    expect(await cli(['backup', 'full'])).toBe(0);
    await product.worker.stop();
    await product.worker.start({
      DATABASE_URL: product.env['DATABASE_URL']!.replace(/@127[^/]*\//, `x@127.0.0.1:${product.postgres.target.port}/`),
    });
    expect(await cli(['backup', 'full'])).toBe(7);
    argumentHits = hits();
  });
  afterAll(async () => product?.stop());

  const holders = (text: string): string[] => needles.filter((needle) => text.includes(needle));

  test('is in no argument of any process', () => {
    expect(argumentHits).toEqual([]);
  });

  test('is in no answer of the command line', () => {
    expect(output.join('\n').length).toBeGreaterThan(1_000);
    expect(holders(output.join('\n'))).toEqual([]);
  });

  test('is in no history', async () => {
    let histories = 0;
    for await (const { workflowId, runId } of product.client.workflow.list()) {
      const history = await product.client.workflow.getHandle(workflowId, runId).fetchHistory();
      expect(holders(everyTextOf(history))).toEqual([]);
      histories += 1;
    }
    expect(histories).toBeGreaterThanOrEqual(4);
  });

  test('is in no stored object, log line, state or temporary file', async () => {
    await mkdir(product.store, { recursive: true });
    const files = (await listFiles(product.folder)).filter(
      (file) => !file.startsWith('keys/') && !file.startsWith('home/tools'),
    );
    const hits = files.filter((file) => holders(readFileSync(join(product.folder, file), 'latin1')).length > 0);
    expect(files).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/manifest\.json$/),
        'logs/worker.log',
        expect.stringMatching(/^temporal\.db/),
      ]),
    );
    expect(hits).toEqual([]);
    expect(files.filter((file) => file.startsWith('home/scratch/'))).toEqual([]);
  });

  test('would have been found: the search sees a canary where there is one', async () => {
    expect(await findsPlantedCanary(product)).toBe(true);
  });
});

/** A history with the canary in its input is found by the same search. */
async function findsPlantedCanary(product: Product): Promise<boolean> {
  const started = await product.manager.startBackup('full', { label: { planted: POSTGRES_CANARY } });
  await started.result().catch(() => undefined);
  const history = await started.handle.fetchHistory();
  return everyTextOf(history).includes(JSON.stringify(POSTGRES_CANARY).slice(1, -1));
}
