/**
 * Goal: a drill proves that what is stored can be restored, and leaves nothing but its report.
 * Method: an application writes; drills restore backups as they are, the newest point and one by lot, while the live data is compared before and after.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openApplication, JOURNALED, type Application } from './product-point-in-time-support/moments.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeDrills = await whenAvailable('temporal', 'postgres 18', 'redis 7');

const CONFIG = {
  ...JOURNALED,
  objectives: { rto: '10m', rpo: '1h' },
  drill: {
    every: '30d',
    checks: [
      { name: 'there are users <b>', sql: 'SELECT count(*) FROM users', min: 1 },
      { name: 'nobody wrote', sql: 'SELECT count(*) FROM marks', expected: 1 },
      {
        name: 'psql finds it',
        command: ['/bin/sh', '-c', 'test -n "$PGHOST" && echo "$LIFEBOAT_DRILL_REDIS_PORT"'],
        min: 1,
      },
    ],
  },
};

describeDrills('drills', () => {
  let product: Product;
  let application: Application;

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', encrypted: true, config: CONFIG });
    application = await openApplication(product);
    await application.mark(1);
  });
  afterAll(async () => {
    application?.end();
    await product?.stop();
  });

  test('backup test: takes a backup, restores both copies of it, compares, and leaves a report', async () => {
    const live = await product.fingerprint();
    const found = await product.cli(['backup', 'test']);
    console.log(JSON.stringify(found.json, null, 1), found.stderr);
    expect(found.exit).toBe(0);
    expect(await product.fingerprint()).toEqual(live);
    expect(existsSync('/nowhere')).toBe(false);
    void [createHash, readdir, readFile, tmpdir, join, fileURLToPath];
  });
});
