/**
 * Goal: damage in the store is named, and a restore refuses before it touches live data.
 * Method: one backup; each case changes one stored thing, verifies, tries to restore over live data, and puts the thing back.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listFiles, startProduct, type Fingerprint, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeDamage = await whenAvailable('temporal', 'postgres 18', 'redis 7');

/** Changes the middle byte of a file; gives what puts it back. */
async function flipByte(path: string): Promise<() => Promise<void>> {
  const bytes = await readFile(path);
  const changed = Buffer.from(bytes);
  changed[bytes.length >> 1]! ^= 0x10;
  await writeFile(path, changed);
  return async () => writeFile(path, bytes);
}

const CASES: readonly [string, RegExp, (path: string) => Promise<() => Promise<void>>][] = [
  ['a flipped byte in the Redis snapshot', /redis\/attempt-1\/snapshot-/, flipByte],
  ['a flipped byte in the rows', /postgres\/attempt-1\/data-/, flipByte],
  ['a flipped byte in the definitions', /postgres\/attempt-1\/schema-/, flipByte],
  ['a flipped byte in the manifest', /manifest\.json$/, flipByte],
  ['a flipped byte in the signature', /manifest\.json\.minisig$/, flipByte],
  [
    'a removed object',
    /postgres\/attempt-1\/globals-/,
    async (path) => {
      await rename(path, `${path}.away`);
      return async () => rename(`${path}.away`, path);
    },
  ],
  [
    'a truncated object',
    /redis\/attempt-1\/snapshot-/,
    async (path) => {
      const bytes = await readFile(path);
      await writeFile(path, bytes.subarray(0, bytes.length - 1));
      return async () => writeFile(path, bytes);
    },
  ],
];

describeDamage('a damaged backup', () => {
  let product: Product;
  let live: Fingerprint;
  let good: Fingerprint;
  let backupId = '';

  beforeAll(async () => {
    product = await startProduct({ redisVersion: '7', encrypted: true });
    good = await product.fingerprint();
    backupId = (await product.succeed('backup', 'full'))['backup'].id;
    await product.spoil();
    live = await product.fingerprint();
  });
  afterAll(async () => product?.stop());

  test.each(CASES)(
    '%s is named by verify, and a restore refuses before it touches anything',
    async (_title, pattern, damage) => {
      const key = (await listFiles(product.store)).find(
        (file) => file.startsWith(`backups/${backupId}/`) && pattern.test(file),
      )!;
      const repair = await damage(join(product.store, key));
      try {
        const verify = await product.cli(['backup', 'verify', backupId]);
        expect(verify.exit).toBe(4);
        expect(JSON.stringify(verify.json['problems'])).toContain(key.replace('.minisig', ''));
        const restore = await product.cli(['restore', backupId, '--drop-existing']);
        expect({ exit: restore.exit, error: restore.json['error'] }).toMatchObject({
          exit: 4,
          error: { hint: expect.stringMatching(/./) },
        });
        expect(await product.fingerprint()).toEqual(live);
        expect(await product.strayDatabases()).toEqual([]);
      } finally {
        await repair();
      }
      expect((await product.cli(['backup', 'verify', backupId])).json['problems']).toEqual([]);
    },
  );

  test('and another key open nothing: verify and restore say so, and the right key brings all back', async () => {
    const keyPath = product.env['BACKUP_ENCRYPTION_KEY_PATH']!;
    await rename(keyPath, `${keyPath}.right`);
    await product.succeed('key', 'generate');
    await product.worker.stop();
    await product.worker.start();
    const verify = await product.cli(['backup', 'verify', 'latest']);
    const restore = await product.cli(['restore', 'latest', '--drop-existing']);
    expect({ verify: verify.exit, restore: restore.exit, code: restore.json['error']?.code }).toEqual({
      verify: 4,
      restore: 4,
      code: 'KEY_MISMATCH',
    });
    expect(await product.fingerprint()).toEqual(live);

    await rm(keyPath);
    await rename(`${keyPath}.right`, keyPath);
    await product.worker.stop();
    await product.worker.start();
    await product.succeed('restore', 'latest', '--drop-existing');
    expect(await product.fingerprint()).toEqual(good);
  });
});
