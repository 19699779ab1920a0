/**
 * Goal: a key is replaced while everything runs, no key that is needed can be retired, and when the keyring is lost an escrow key brings
 * everything back by itself. What was verified longest ago is verified next.
 * Method: a real product with an escrow key; rotation beside its running worker; then the keyring is deleted, both databases are
 * destroyed, and rescue gets nothing but the store and the private half of the escrow key.
 */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadKeyring } from '../../src/encryption/keyring.ts';
import { startKms } from '../support/kms-server.ts';
import { startProduct, type Product } from '../support/product.ts';
import { whenAvailable } from '../support/tools.ts';

const describeKeys = await whenAvailable('temporal', 'postgres 18', 'redis 7', 'kms');

describeKeys('keys of a product that runs', () => {
  let product: Product;
  let keyring: string;
  const backups: string[] = [];
  const keys: string[] = [];

  const takeBackup = async (): Promise<string> => (await product.succeed('backup', 'full'))['backup'].id;
  const wrappedFor = async (backupId: string): Promise<string> => {
    const text = await readFile(join(product.store, 'keys', `${backupId}.json`), 'utf8');
    return (JSON.parse(text) as { keyId: string }).keyId;
  };

  beforeAll(async () => {
    product = await startProduct({
      redisVersion: '7',
      encrypted: true,
      config: { encryption: { escrow: ['keys/escrow.pem.pub'] } },
      env: { AWS_ACCESS_KEY_ID: 'AKIALIFEBOATKMS', AWS_SECRET_ACCESS_KEY: 'of-nobody' },
    });
    keyring = join(product.folder, 'keys', 'encryption.key');
    const made = await product.succeed('key', 'generate', '--escrow-key', 'keys/escrow.pem');
    expect(made['keys']).toEqual([
      expect.objectContaining({ purpose: 'escrow', publicKeyPath: 'keys/escrow.pem.pub' }),
    ]);
    keys.push((await loadKeyring(keyring)).activeId);
    backups.push(await takeBackup());
  });
  afterAll(async () => product?.stop());

  test('a worker that runs takes the new key for the next backup, and the one before opens with the old one', async () => {
    const rotated = await product.succeed('key', 'rotate');
    expect(rotated['previousId']).toBe(keys[0]);
    keys.push(rotated['activeId']);
    backups.push(await takeBackup());
    expect([await wrappedFor(backups[0] ?? ''), await wrappedFor(backups[1] ?? '')]).toEqual(keys);
    const listed = await product.succeed('key', 'list');
    expect(listed['keys'].map(({ purpose, state }: Record<string, string>) => `${purpose} ${state}`)).toEqual([
      'encryption active',
      'encryption decrypt-only',
      'escrow active',
      'signing active',
    ]);
  });

  test('verification says how many data keys need each key, and a key that one needs is not retired', async () => {
    const verified = await product.succeed('key', 'verify');
    expect(verified['problems']).toEqual([]);
    expect(verified['keys'].map(({ dataKeys }: { dataKeys: number }) => dataKeys)).toEqual([1, 1, 2]);
    const refused = await product.cli(['key', 'retire', keys[0] ?? '']);
    expect([refused.exit, refused.json['error']]).toMatchObject([
      2,
      { code: 'KEY_IN_USE', details: { needing: [backups[0]] } },
    ]);
    const active = await product.cli(['key', 'retire', keys[1] ?? '']);
    expect([active.exit, active.json['error']]).toMatchObject([2, { code: 'KEY_IN_USE' }]);
    expect((await loadKeyring(keyring)).keys.map(({ state }) => state)).toEqual(['active', 'decrypt-only']);
  });

  test('after everything is wrapped again the old key is retired, and every backup is read to its last byte', async () => {
    const first = await product.succeed('key', 'rewrap');
    expect(first).toMatchObject({ keyId: keys[1], total: 2, rewrapped: 1, problems: [] });
    expect(await product.succeed('key', 'rewrap')).toMatchObject({ total: 2, rewrapped: 0 });
    expect(await product.succeed('key', 'retire', keys[0] ?? '')).toMatchObject({ opened: 2 });
    const verified = await product.succeed('backup', 'verify', 'all');
    expect(verified).toMatchObject({ problems: [], verified: expect.arrayContaining(backups) });
  });

  test('a key of AWS KMS takes over from the keyring and gives back to it, beside the escrow key, and reads no data', async () => {
    const kms = await startKms();
    const configure = async (section: object): Promise<void> => {
      const encryption = { escrow: ['keys/escrow.pem.pub'], kms: { ...section, endpoint: kms.endpoint } };
      await writeFile(join(product.folder, 'config', 'backup.json'), JSON.stringify({ encryption }));
      await product.worker.stop();
      await product.worker.start();
    };
    try {
      const keyArn = await kms.createKey();
      await configure({ keyArn });
      const validated = await product.succeed('config', 'validate');
      expect(validated['checks']).toContainEqual(expect.objectContaining({ name: 'encryption key', status: 'pass' }));
      expect(await product.succeed('key', 'rewrap')).toMatchObject({ keyId: keyArn, total: 2, rewrapped: 2 });
      expect(await wrappedFor(backups[1] ?? '')).toBe(keyArn);
      await rename(keyring, `${keyring}.away`);
      const verified = await product.succeed('backup', 'verify', 'all');
      expect(verified).toMatchObject({ problems: [], verified: expect.arrayContaining(backups) });
      const rotated = await product.cli(['key', 'rotate']);
      expect([rotated.exit, rotated.json['error']?.code]).toEqual([2, 'KMS_KEY_NOT_OURS']);

      await rename(`${keyring}.away`, keyring);
      await configure({ earlierKeyArns: [keyArn] });
      const needed = await product.cli(['key', 'retire', keyArn]);
      expect([needed.exit, needed.json['error']?.code]).toEqual([2, 'KEY_IN_USE']);
      expect(await product.succeed('key', 'rewrap')).toMatchObject({ keyId: keys[1], rewrapped: 2, problems: [] });
      expect(await product.succeed('key', 'retire', keyArn)).toMatchObject({ opened: 2 });
    } finally {
      await kms.stop();
    }
    const { keys: counted } = await product.succeed('key', 'verify', '--key', keyring);
    expect(counted[0]).toMatchObject({ id: keys[1], dataKeys: 2 });
  });

  test('within a budget the backup that was read back longest ago is read, and the list says when', async () => {
    const times = async (): Promise<(string | null)[]> => {
      const { backups: listed } = await product.succeed('backup', 'list');
      return backups.map((id) => listed.find((backup: { id: string }) => backup.id === id).verifiedAt);
    };
    const [first, second] = await times();
    expect(String(first) < String(second)).toBe(true);
    const budget = ['backup', 'verify', 'all', '--budget-bytes', '1KiB'];
    const one = await product.succeed(...budget);
    expect(one).toMatchObject({ verified: [backups[0]], problems: [], remaining: 1, oldest: second });
    expect((await times())[1]).toBe(second);
    expect(await product.succeed(...budget)).toMatchObject({ verified: [backups[1]], remaining: 1 });
    const all = await product.succeed('backup', 'verify', 'all', '--oldest-first');
    expect(all).toMatchObject({ verified: backups, remaining: 0, oldest: null });
    const wrong = await product.cli(['backup', 'verify', 'latest', '--budget-time', '1h']);
    expect([wrong.exit, wrong.json['error']?.code]).toEqual([2, 'USAGE_INVALID']);
  });

  test('with the keyring lost, the escrow key alone opens everything and brings it back', async () => {
    const good = await product.fingerprint();
    await product.worker.stop();
    await rename(keyring, join(product.folder, 'lost'));
    await rm(join(product.folder, 'keys', 'escrow.pem.pub'));
    await product.destroy();
    const escrow = join(product.folder, 'keys', 'escrow.pem');
    expect(await readdir(join(product.folder, 'keys'))).not.toContain('encryption.key');

    expect(await product.succeed('key', 'verify', '--key', escrow)).toMatchObject({ problems: [], opened: [{}, {}] });
    const rescue = ['--store', product.store, '--key', escrow, '--trusted-key', 'keys/signing.key.pub'];
    expect(await product.succeed('rescue', 'verify', 'all', ...rescue)).toMatchObject({ problems: [] });
    const { port, password } = product.postgres.target;
    const restored = await product.cli(
      ['rescue', 'restore', backups[0] ?? '', ...rescue].concat(
        ['--target-postgres', `postgres://postgres@127.0.0.1:${port}`],
        ['--target-redis', `redis://127.0.0.1:${product.redis.port}`],
      ),
      { env: { PGPASSWORD: password ?? '', PATH: `${product.postgres.binDir}:${process.env['PATH']}` } },
    );
    expect([restored.exit, restored.json['error']]).toEqual([0, undefined]);
    expect(await product.fingerprint()).toEqual(good);
  });

  test('a keyring that opens nothing is told from one that does, before it is needed', async () => {
    await product.succeed('key', 'generate', '--encryption-key', 'keys/other.key');
    const other = await product.cli(['key', 'verify', '--key', 'keys/other.key']);
    expect([other.exit, other.json['error']?.code]).toEqual([4, 'KEYS_NOT_OPENED']);
    expect(other.json['problems'].map(({ backupId, code }: Record<string, string>) => `${code} ${backupId}`)).toEqual(
      backups.map((id) => `KEY_MISMATCH ${id}`),
    );
  });
});
