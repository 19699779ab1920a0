import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { rotateKeyring } from '../../../src/encryption/change-keyring.ts';
import { inspectDataKey, makeDataKey, openDataKey, rewrapDataKey } from '../../../src/encryption/data-key.ts';
import { generateEscrowKey, loadEscrowKey } from '../../../src/encryption/escrow-key.ts';
import { followKeyring } from '../../../src/encryption/followed-keyring.ts';
import { generateKeyring, loadKeyring, type Keyring } from '../../../src/encryption/keyring.ts';

const CONTEXT = { purpose: 'test' };
let folder: string;
let path: string;
let secret: string;
let escrowId: string;
let keyring: Keyring;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-escrow-'));
  path = join(folder, 'keyring.json');
  secret = join(folder, 'escrow.pem');
  await generateKeyring(path);
  escrowId = (await generateEscrowKey(secret)).id;
  keyring = await followKeyring({ path, escrow: [`${secret}.pub`] });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('what is wrapped for both opens with the keyring alone and with the escrow key alone, and is the same key', async () => {
  const wrapped = await makeDataKey(keyring, CONTEXT);
  expect(await inspectDataKey(keyring, wrapped, CONTEXT)).toEqual([keyring.activeId, escrowId]);
  const byEscrow = await openDataKey(await loadKeyring(secret), wrapped, CONTEXT);
  const byKeyring = await openDataKey(await loadKeyring(path), wrapped, CONTEXT);
  expect([byEscrow.checkValue, byKeyring.checkValue]).toEqual([wrapped.keyCheckValue, wrapped.keyCheckValue]);
});

test('an escrow key opens nothing that was not wrapped for it, and nothing of another context', async () => {
  const alone = await loadKeyring(path);
  const without = await makeDataKey(alone, CONTEXT);
  const escrow = await loadKeyring(secret);
  await expect(openDataKey(escrow, without, CONTEXT)).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
  const wrapped = await makeDataKey(keyring, CONTEXT);
  await expect(openDataKey(escrow, wrapped, { purpose: 'other' })).rejects.toMatchObject({ code: 'KEY_DAMAGED' });
});

test('wrapping again adds an escrow key that is new, and keeps it over a rotation', async () => {
  const without = await makeDataKey(await loadKeyring(path), CONTEXT);
  const withEscrow = await rewrapDataKey(keyring, without, CONTEXT);
  expect(await inspectDataKey(keyring, withEscrow, CONTEXT)).toEqual([keyring.activeId, escrowId]);
  const { activeId } = await rotateKeyring(path);
  const rotated = await rewrapDataKey(keyring, withEscrow, CONTEXT);
  expect(await inspectDataKey(keyring, rotated, CONTEXT)).toEqual([activeId, escrowId]);
  await openDataKey(await loadKeyring(secret), rotated, CONTEXT);
});

test('an escrow key wraps nothing', async () => {
  await expect(makeDataKey(await loadKeyring(secret), CONTEXT)).rejects.toMatchObject({ code: 'KEY_ONLY_OPENS' });
});

test('the private half is readable by its owner alone, and in nothing that could be printed', async () => {
  expect((await stat(secret)).mode & 0o777).toBe(0o600);
  const line = (await readFile(secret, 'utf8')).split('\n')[5] ?? '';
  expect(line).toHaveLength(64);
  const escrow = await loadKeyring(secret);
  expect(inspect(escrow, { depth: 10, showHidden: true }) + JSON.stringify(escrow)).not.toContain(line);
});

test('the private half, a small key, another kind of key and no key at all are refused where the public half belongs', async () => {
  const pem = (key: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer }): string =>
    String(key.export({ type: 'spki', format: 'pem' }));
  const wrong = [
    await readFile(secret, 'utf8'),
    pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey),
    pem(generateKeyPairSync('ed25519').publicKey),
    'no key',
  ];
  for (const text of wrong) {
    const file = join(folder, 'wrong.pem');
    await writeFile(file, text);
    await expect(loadEscrowKey(file)).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  }
  await expect(loadEscrowKey(join(folder, 'none'))).rejects.toMatchObject({ code: 'KEY_FILE_MISSING' });
});
