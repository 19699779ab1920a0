/** What a worker is killed in: each way does an operation and compares all that it made, row by row and key by key. */
import { untilRunning } from '../../support/product/mid-stream.ts';
import type { Throttle } from '../../support/product/throttle.ts';
import type { Product, ProductOptions } from '../../support/product.ts';
import { differencesFrom } from '../../integration/product-point-in-time-support/moments.ts';

export type Way =
  | 'backup'
  | 'restore'
  | 'undo'
  | 'cancelled backup'
  | 'incremental backup'
  | 'changes of both'
  | 'replay'
  | 'selection'
  | 'refused selection'
  | 'verification';

/** One lane on its way. */
export interface Walk {
  readonly product: Product & { readonly relay: Throttle };
  /** From now on the worker dies at the boundaries of the lane. */
  mortal(): Promise<void>;
  /** Waits until the worker has died at a boundary. */
  reached(point: string): Promise<void>;
}

/** The dump of the seeded database takes many seconds at this rate. */
const SLOW_BYTES_PER_SECOND = 20_000;
const SERVICES = [{ name: 'api', stop: 'echo stop >> services.log', start: 'echo start >> services.log' }];
/** Nothing depends on it. */
const ENTRIES = '"Audit Log"."Entries"';
const SELECTED = { tables: [ENTRIES], inPlace: true, keys: ['session:*'], merge: true };
/** Where tables are loaded, and where replaced ones are kept. */
const STAGED = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(restor|replaced)'";

/** What the product of a way needs beyond a database and a Redis. */
export function optionsOf(way: Way): Pick<ProductOptions, 'config' | 'env'> {
  if (way !== 'changes of both') return { config: { services: SERVICES } };
  return {
    config: { postgres: { incremental: 'native' } },
    env: (base) => ({ ...base, REDIS_URL: base['REDIS_URL']!.replace('redis://', 'redis://managed:pw@') }),
  };
}

export const WAYS: Readonly<Record<Way, (lane: Walk) => Promise<void>>> = {
  async backup({ product, mortal }) {
    const before = await product.fingerprint();
    await mortal();
    const { backup } = await product.manager.performFullBackup();
    expect((await product.manager.listBackups()).map(({ id }) => id)).toEqual([backup.id]);
    await product.destroy();
    await product.manager.restoreFromBackup(backup.id);
    expect(await product.fingerprint()).toEqual(before);
  },
  async restore({ product, mortal }) {
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
  async undo({ product, mortal }) {
    const { backup } = await product.manager.performFullBackup();
    await product.spoil();
    const spoilt = await product.fingerprint();
    const restored = await product.manager.restoreFromBackup(backup.id, { dropExisting: true });
    await mortal();
    await product.manager.undoRestore(restored.restoreId);
    expect(await product.fingerprint()).toEqual(spoilt);
    expect(await product.strayDatabases()).toEqual([]);
  },
  async 'incremental backup'({ product, mortal }) {
    await product.manager.performFullBackup();
    await changeBoth(product);
    const changed = await product.fingerprint();
    await mortal();
    const { backup } = await product.manager.performIncrementalBackup();
    expect([backup.kind, (await product.manager.listBackups()).length]).toEqual(['incremental', 2]);
    await product.spoil();
    await product.manager.restoreFromBackup(backup.id, { dropExisting: true });
    expect(differencesFrom(changed, await product.fingerprint())).toEqual([]);
  },
  async replay({ product, mortal }) {
    await product.manager.performFullBackup();
    await changeBoth(product);
    const changed = await product.fingerprint();
    const { backup } = await product.manager.performIncrementalBackup();
    await product.spoil();
    await mortal();
    await product.manager.restoreFromBackup(backup.id, { dropExisting: true });
    expect(differencesFrom(changed, await product.fingerprint())).toEqual([]);
  },
  async verification({ product, mortal }) {
    await product.manager.performFullBackup();
    await product.manager.performIncrementalBackup();
    await mortal();
    expect((await product.manager.verifyBackups('all')).problems).toEqual([]);
  },
  async 'changes of both'({ product, mortal }) {
    await product.redis.cli('acl', 'setuser', 'managed', 'on', '>pw', '~*', '&*', '+@all', '-psync', '-replconf');
    await product.manager.performFullBackup();
    await changeBoth(product);
    const changed = await product.fingerprint();
    await mortal();
    const { backup } = await product.manager.performIncrementalBackup();
    const { postgres, redis } = backup.components;
    expect([postgres?.base?.chain, redis?.method]).toEqual([[expect.any(String)], 'dump-incremental']);
    await product.spoil();
    await product.manager.restoreFromBackup(backup.id, { dropExisting: true });
    expect(differencesFrom(changed, await product.fingerprint())).toEqual([]);
  },
  async selection({ product, mortal }) {
    const before = await product.fingerprint();
    const { backup } = await product.manager.performFullBackup();
    await spoilSelected(product);
    await mortal();
    const { restored } = await product.manager.restoreSelection(backup.id, SELECTED);
    expect(restored.redis?.savedAs).toEqual(expect.any(String));
    await dropKept(product);
    expect(differencesFrom(before, await product.fingerprint())).toEqual([]);
  },
  async 'refused selection'({ product, mortal, reached }) {
    const { backup } = await product.manager.performFullBackup();
    await spoilSelected(product);
    const spoilt = await product.fingerprint();
    await mortal();
    const outcome = product.manager.restoreSelection(backup.id, SELECTED).then(
      () => 'completed',
      (error: { code?: string }) => error.code,
    );
    // After the plan, so that the last step is what fails: everything before it is taken back.
    await reached('loadKeys:before');
    await product.postgres.query(`CREATE VIEW late AS SELECT * FROM ${ENTRIES}`, [], product.database);
    expect(await outcome).toBe('RESTORE_TABLE_IN_USE');
    await product.postgres.query('DROP VIEW late', [], product.database);
    expect(await product.fingerprint()).toEqual(spoilt);
    const { rows } = await product.postgres.query(STAGED, [], product.database);
    expect(rows).toEqual([]);
  },
  async 'cancelled backup'({ product, mortal }) {
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

/** What only the journals hold afterwards. */
async function changeBoth(product: Product): Promise<void> {
  await product.postgres.query("UPDATE users SET email = 'new' || id WHERE id % 10 = 0", [], product.database);
  await product.redis.cli('set', 'behind the full backup', 'here');
}

async function spoilSelected(product: Product): Promise<void> {
  await product.postgres.query(`DELETE FROM ${ENTRIES} WHERE id < 100`, [], product.database);
  await product.redis.cli('set', 'session:1', 'stolen');
  await product.redis.cli('del', 'session:2');
}

async function dropKept(product: Product): Promise<void> {
  const { rows } = await product.postgres.query<{ nspname: string }>(STAGED, [], product.database);
  expect(rows).toHaveLength(1);
  await product.postgres.query(`DROP SCHEMA "${rows[0]!.nspname}" CASCADE`, [], product.database);
}
