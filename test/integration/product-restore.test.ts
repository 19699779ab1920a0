/**
 * Goal: a restore does exactly what it was asked for, and what is refused, failed or cancelled leaves live data as it was.
 * Method: one product, one backup; each test compares all of both databases before and after.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilRunning } from '../support/product/mid-stream.ts';
import { startThrottle, type Throttle } from '../support/product/throttle.ts';
import type { Fingerprint } from '../support/product.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeRestore = await whenAvailable('temporal', 'postgres 18', 'redis 7');

const isRedis = ([name]: [string, string]): boolean => name.startsWith('key ') || name === 'functions';
const redisPart = (all: Fingerprint): Fingerprint => Object.fromEntries(Object.entries(all).filter(isRedis));
const postgresPart = (all: Fingerprint): Fingerprint =>
  Object.fromEntries(Object.entries(all).filter((entry) => !isRedis(entry)));
/** Without comment, settings and rights of the database itself, which a copy beside it does not share. */
const withoutDatabase = (all: Fingerprint): Fingerprint =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'database itself'));

/** The dump of the seeded database takes many seconds at this rate. */
const SLOW_BYTES_PER_SECOND = 20_000;

/** Stops and starts write one line each; the file `sabotage` is run by a stop. */
const SERVICES = ['api', 'mailer'].map((name) => ({
  name,
  stop: `echo "stop ${name}" >> services.log; if [ -f sabotage-${name} ]; then . ./sabotage-${name}; fi`,
  start: ['/bin/sh', '-c', `echo "start ${name}" >> services.log`],
}));

describeRestore('a restore', () => {
  let product: Product;
  let good: Fingerprint;
  let spoilt: Fingerprint;
  let backupId = '';
  let relay: Throttle;

  const services = async (): Promise<string[]> => {
    const text = await readFile(join(product.folder, 'services.log'), 'utf8').catch(() => '');
    await rm(join(product.folder, 'services.log'), { force: true });
    return text.trim().split('\n').filter(Boolean);
  };
  const sabotage = async (name: string, script: string): Promise<() => Promise<void>> => {
    const file = join(product.folder, `sabotage-${name}`);
    await writeFile(file, script);
    return async () => rm(file);
  };

  beforeAll(async () => {
    product = await startProduct({
      redisVersion: '7',
      config: { services: SERVICES },
      via: async (name, port) => {
        if (name === 'redis') return port;
        relay = await startThrottle(port);
        return relay.port;
      },
    });
    good = await product.fingerprint();
    backupId = (await product.succeed('backup', 'full'))['backup'].id;
    await product.spoil();
    spoilt = await product.fingerprint();
  });
  afterAll(async () => {
    await product?.stop();
    await relay?.close();
  });

  test('in a dry run says what it would do and changes nothing', async () => {
    const stored = await product.storedKeys();
    const { plan, dryRun, undo } = await product.succeed(
      'restore',
      'latest',
      '--drop-existing',
      '--stop-services',
      '--dry-run',
    );
    expect(dryRun).toBe(true);
    expect(undo).toBeNull();
    expect(plan).toMatchObject({ backupId, services: ['api', 'mailer'] });
    expect(plan.steps.length).toBeGreaterThan(4);
    expect(await product.fingerprint()).toEqual(spoilt);
    expect(await product.storedKeys()).toEqual(stored);
    expect(await product.strayDatabases()).toEqual([]);
    expect(await services()).toEqual([]);
  });

  test.each([[[]], [['--postgres']], [['--redis']]])(
    'over data is refused without --drop-existing %j',
    async (flags) => {
      const { exit, json } = await product.cli(['restore', 'latest', ...flags]);
      expect(exit).toBe(2);
      expect(json['error']).toMatchObject({
        code: 'RESTORE_TARGET_NOT_EMPTY',
        hint: expect.stringContaining('--drop-existing'),
      });
      expect(await product.fingerprint()).toEqual(spoilt);
    },
  );

  test('into another database leaves the live one alone', async () => {
    await product.succeed('restore', backupId, '--postgres', '--target-database', 'Restored "auth"');
    expect(withoutDatabase(postgresPart(await product.fingerprint('Restored "auth"')))).toEqual(
      withoutDatabase(postgresPart(good)),
    );
    expect(await product.fingerprint()).toEqual(spoilt);
  });

  test('of Redis alone leaves PostgreSQL alone, and the other way round', async () => {
    await product.succeed('restore', backupId, '--redis', '--drop-existing');
    const first = await product.fingerprint();
    expect(redisPart(first)).toEqual(redisPart(good));
    expect(postgresPart(first)).toEqual(postgresPart(spoilt));
    await product.succeed('restore', backupId, '--postgres', '--drop-existing');
    expect(await product.fingerprint()).toEqual(good);
    await product.spoil();
    spoilt = await product.fingerprint();
  });

  test('stops the services in order and starts them in reverse', async () => {
    await product.succeed('restore', backupId, '--drop-existing', '--stop-services');
    expect(await services()).toEqual(['stop api', 'stop mailer', 'start mailer', 'start api']);
    expect(await product.fingerprint()).toEqual(good);
  });

  test('that fails after the stop starts the services and leaves live data as it was', async () => {
    await product.spoil();
    const before = await product.fingerprint();
    const snapshot = (await product.storedKeys()).find(
      (key) => key.startsWith(`backups/${backupId}/redis/`) && key.includes('/snapshot-'),
    )!;
    const path = join(product.store, snapshot);
    const undo = await sabotage('mailer', `mv '${path}' '${path}.away'`);
    try {
      const { exit, json } = await product.cli(['restore', backupId, '--drop-existing', '--stop-services']);
      expect({ exit, code: json['error']?.code }).toEqual({
        exit: 4,
        code: expect.stringMatching(/^OBJECT_|^STORE_KEY_MISSING/),
      });
      expect((await services()).slice(-2)).toEqual(['start mailer', 'start api']);
      expect(await product.fingerprint()).toEqual(before);
      expect((await product.strayDatabases()).filter((name) => name.includes('restoring'))).toEqual([]);
    } finally {
      await undo();
      await rm(path, { force: true });
      await writeFile(path, await readFile(`${path}.away`));
      await rm(`${path}.away`);
    }
    await product.succeed('backup', 'verify', backupId);
    await product.succeed('restore', backupId, '--drop-existing');
    expect(await product.fingerprint()).toEqual(good);
  });

  test('of an unknown backup, or undo of an unknown restore, is not found', async () => {
    const restore = await product.cli(['restore', 'backup-2020-01-01T00-00-00-000Z']);
    expect({ exit: restore.exit, code: restore.json['error']?.code }).toEqual({ exit: 5, code: 'BACKUP_NOT_FOUND' });
    const undo = await product.cli(['restore', 'undo', 'restore-2020-01-01T00-00-00-000Z']);
    expect({ exit: undo.exit, code: undo.json['error']?.code }).toEqual({ exit: 5, code: 'RESTORE_NOT_FOUND' });
  });

  test('and a second operation at the same time: the second is refused, the first can be cancelled and leaves nothing', async () => {
    const stored = await product.storedKeys();
    relay.setRate(SLOW_BYTES_PER_SECOND);
    try {
      const first = await product.manager.startBackup('full');
      const ended = first.result().then(
        () => 'completed',
        (error: { code?: string }) => error.code,
      );
      await untilRunning(product, 'copyPostgres');
      const second = await product.cli(['backup', 'full']);
      expect({ exit: second.exit, error: second.json['error'] }).toMatchObject({
        exit: 6,
        error: {
          code: 'GROUP_BUSY',
          hint: expect.stringContaining('lifeboat cancel'),
          details: { runId: first.runId },
        },
      });
      expect((await product.cli(['restore', 'latest', '--dry-run'])).exit).toBe(6);
      await product.succeed('cancel', first.workflowId, '--reason', 'the wrong moment');
      expect(await ended).toBe('OPERATION_CANCELLED');
    } finally {
      relay.setRate(Number.POSITIVE_INFINITY);
    }
    expect(await product.storedKeys()).toEqual(stored);
    await product.succeed('backup', 'full');
  });
});
