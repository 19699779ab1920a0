import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rotateKeyring, setKeyState } from '../../../src/encryption/change-keyring.ts';
import { makeDataKey, openDataKey, rewrapDataKey } from '../../../src/encryption/data-key.ts';
import { followKeyring } from '../../../src/encryption/followed-keyring.ts';
import { generateKeyring, loadKeyring } from '../../../src/encryption/keyring.ts';

const CONTEXT = { purpose: 'test' };
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-keys-'));
  path = join(folder, 'keyring.json');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('a rotated keyring wraps with the new key, opens what the old one wrapped, and stays closed to others', async () => {
  const before = await generateKeyring(path);
  const old = await makeDataKey(before, CONTEXT);
  const rotated = await rotateKeyring(path);
  expect(rotated.previousId).toBe(before.activeId);
  const after = await loadKeyring(path);
  expect(after.keys.map(({ id, state }) => [id, state])).toEqual([
    [rotated.activeId, 'active'],
    [before.activeId, 'decrypt-only'],
  ]);
  expect((await makeDataKey(after, CONTEXT)).keyId).toBe(rotated.activeId);
  await openDataKey(after, old, CONTEXT);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a data key that is wrapped again opens with the new key alone, and stays the same key', async () => {
  const old = await makeDataKey(await generateKeyring(path), CONTEXT);
  const { previousId } = await rotateKeyring(path);
  const again = await rewrapDataKey(await loadKeyring(path), old, CONTEXT);
  const newAlone = await loadKeyring(path, { without: previousId });
  expect((await openDataKey(newAlone, again, CONTEXT)).checkValue).toBe(old.keyCheckValue);
  await expect(openDataKey(newAlone, old, CONTEXT)).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
});

test('a bare key becomes a keyring of two, and keeps its id', async () => {
  await writeFile(path, randomBytes(32).toString('hex'), { mode: 0o600 });
  const bare = await loadKeyring(path);
  const wrapped = await makeDataKey(bare, CONTEXT);
  const { previousId } = await rotateKeyring(path);
  expect(previousId).toBe(bare.activeId);
  await openDataKey(await loadKeyring(path), wrapped, CONTEXT);
});

test('ten rotations at once lose no key', async () => {
  await generateKeyring(path);
  const made = await Promise.all(Array.from({ length: 10 }, async () => (await rotateKeyring(path)).activeId));
  const { keys } = await loadKeyring(path);
  expect(keys).toHaveLength(11);
  expect(made.every((id) => keys.some((key) => key.id === id))).toBe(true);
});

test('a retirement is taken back with the key that the file still holds; the active key is never retired', async () => {
  const wrapped = await makeDataKey(await generateKeyring(path), CONTEXT);
  const { activeId, previousId } = await rotateKeyring(path);
  await setKeyState(path, previousId, 'retired');
  await expect(openDataKey(await loadKeyring(path), wrapped, CONTEXT)).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
  await setKeyState(path, previousId, 'decrypt-only');
  await openDataKey(await loadKeyring(path), wrapped, CONTEXT);
  await expect(setKeyState(path, activeId, 'retired')).rejects.toMatchObject({ code: 'KEY_IN_USE' });
  await expect(setKeyState(path, 'key-none', 'retired')).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
});

test('a link to the keyring stays a link', async () => {
  await generateKeyring(path);
  const link = join(folder, 'link');
  await symlink(path, link);
  const { activeId } = await rotateKeyring(link);
  expect((await loadKeyring(path)).activeId).toBe(activeId);
});

test('a keyring that others may read is not rotated', async () => {
  await generateKeyring(path);
  await chmod(path, 0o644);
  const before = await readFile(path, 'utf8');
  await expect(rotateKeyring(path)).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('a followed keyring takes the new key without being opened again, and says when its file is gone', async () => {
  await generateKeyring(path);
  const followed = await followKeyring({ path, escrow: [] });
  const { activeId } = await rotateKeyring(path);
  expect((await makeDataKey(followed, CONTEXT)).keyId).toBe(activeId);
  expect(followed.activeId).toBe(activeId);
  await rm(path);
  await expect(makeDataKey(followed, CONTEXT)).rejects.toMatchObject({ code: 'KEY_FILE_MISSING' });
});
