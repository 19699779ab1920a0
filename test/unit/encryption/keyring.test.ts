import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { generateKeyring, loadKeyring } from '../../../src/encryption/keyring.ts';

const CONTEXT = { purpose: 'test' };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-keyring-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function keyFile(text: string, mode = 0o600): Promise<string> {
  const path = join(folder, `key-${randomBytes(4).toString('hex')}`);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

test('a generated keyring is readable by its owner alone and is never overwritten', async () => {
  const path = join(folder, 'new/keyring.json');
  const keyring = await generateKeyring(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await expect(generateKeyring(path)).rejects.toMatchObject({ code: 'KEY_FILE_EXISTS' });
  expect((await loadKeyring(path)).activeId).toBe(keyring.activeId);
  const file: unknown = JSON.parse(await readFile(path, 'utf8'));
  expect(file).toMatchObject({ version: 1, active: keyring.activeId, keys: [{ alg: 'A256GCM', state: 'active' }] });
});

test('a bare key in hex or base64 is the same key, and keeps its id in a keyring', async () => {
  const key = randomBytes(32);
  const hex = await loadKeyring(await keyFile(`${key.toString('hex')}\n`));
  const base64 = await loadKeyring(await keyFile(key.toString('base64')));
  const entry = { id: hex.activeId, created: '2026-01-01T00:00:00Z', alg: 'A256GCM', key: key.toString('base64') };
  const json = await loadKeyring(
    await keyFile(JSON.stringify({ version: 1, active: entry.id, keys: [{ ...entry, state: 'active' }] })),
  );
  const { keyId, message } = await hex.wrap(randomBytes(32), CONTEXT);
  expect(keyId).toBe(base64.activeId);
  expect(await json.open(message, CONTEXT)).toEqual(await base64.open(message, CONTEXT));
});

test('a key that was active before still opens, a retired one does not', async () => {
  const keys = ['old', 'new'].map((id) => ({
    id,
    created: '2026-01-01T00:00:00Z',
    alg: 'A256GCM',
    key: randomBytes(32).toString('base64'),
  }));
  const ring = async (states: readonly string[], active: string) =>
    loadKeyring(
      await keyFile(JSON.stringify({ version: 1, active, keys: keys.map((key, i) => ({ ...key, state: states[i] })) })),
    );
  const secret = new Uint8Array(randomBytes(32));
  const { message } = await (await ring(['active', 'active'], 'old')).wrap(secret, CONTEXT);
  const opened = await (await ring(['decrypt-only', 'active'], 'new')).open(message, CONTEXT);
  expect(opened).toEqual({ secret, wrappedFor: ['old'] });
  const retired = await ring(['retired', 'active'], 'new');
  await expect(retired.open(message, CONTEXT)).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
});

test.each([0o644, 0o640, 0o604, 0o660])('a file of mode %o is refused', async (mode) => {
  const path = await keyFile(randomBytes(32).toString('hex'), mode);
  await expect(loadKeyring(path)).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
});

const asRoot = process.geteuid?.() === 0 ? test : test.skip;
asRoot('a file of another user is refused (needs root to make one)', async () => {
  const path = await keyFile(randomBytes(32).toString('hex'));
  await chown(path, 65_534, 65_534);
  await expect(loadKeyring(path)).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
});

test('a missing file has its own error', async () => {
  await expect(loadKeyring(join(folder, 'none'))).rejects.toMatchObject({ code: 'KEY_FILE_MISSING' });
});

test('what is no key is refused without repeating it', async () => {
  const secret = randomBytes(32).toString('base64');
  const key = { id: 'a', created: '2026-01-01T00:00:00Z', alg: 'A256GCM', key: secret, state: 'active' };
  const wrong = [
    '',
    'secret words',
    secret.slice(0, 20),
    `{"key":"${secret}`,
    JSON.stringify({ version: 2, active: 'a', keys: [key] }),
    JSON.stringify({ version: 1, active: 'b', keys: [key] }),
    JSON.stringify({ version: 1, active: 'a', keys: [key, key] }),
    JSON.stringify({ version: 1, active: 'a', keys: [{ ...key, state: 'retired' }] }),
    JSON.stringify({ version: 1, active: 'a', keys: [{ ...key, key: secret.slice(4) }] }),
    JSON.stringify({ version: 1, active: 'a', keys: [{ ...key, colour: secret }] }),
  ];
  for (const text of wrong) {
    const refusal: unknown = await loadKeyring(await keyFile(text)).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'KEY_FILE_INVALID' });
    expect(inspect(refusal, { depth: 10 })).not.toContain(secret.slice(0, 12));
  }
});

test('the key material is in nothing that could be printed', async () => {
  const path = join(folder, 'keyring.json');
  const keyring = await generateKeyring(path);
  const key = /"key": "([^"]+)"/.exec(await readFile(path, 'utf8'))?.[1] ?? '';
  expect(key).toHaveLength(44);
  expect(inspect(keyring, { depth: 10, showHidden: true }) + JSON.stringify(keyring)).not.toContain(key);
});
