import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPublicKey, parseSignature, signerOf } from '../../../src/encryption/minisign.ts';
import { ensureSigningKey, loadSigner } from '../../../src/encryption/signer.ts';

const MESSAGE = Buffer.from('{"id":"backup-1"}\n');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-minisign-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('a signing key is made once, for its owner alone, with its public key beside it', async () => {
  const path = join(folder, 'keys/signing.key');
  const signers = await Promise.all(Array.from({ length: 8 }, () => ensureSigningKey(path)));
  expect(new Set(signers.map(({ publicKey }) => publicKey.id)).size).toBe(1);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const published = await loadPublicKey(`${path}.pub`);
  expect(published.text).toBe(signers[0]?.publicKey.text);
  expect((await loadPublicKey(published.text)).id).toBe(published.id);
  expect((await loadPublicKey(await readFile(`${path}.pub`, 'utf8'))).id).toBe(published.id);
});

test('a signature is found good for its message and its key only', async () => {
  const signer = await ensureSigningKey(join(folder, 'a.key'));
  const other = await ensureSigningKey(join(folder, 'b.key'));
  const signature = parseSignature(signer.sign(MESSAGE, 'timestamp:1'));
  if (signature === undefined) throw new Error('own signature not parsed');
  expect(signerOf(MESSAGE, signature, [other.publicKey, signer.publicKey])?.id).toBe(signer.publicKey.id);
  expect(signerOf(MESSAGE, signature, [other.publicKey])).toBeUndefined();
  expect(signerOf(Buffer.from('{}'), signature, [signer.publicKey])).toBeUndefined();
  expect(signerOf(MESSAGE, { ...signature, trustedComment: 'timestamp:2' }, [signer.publicKey])).toBeUndefined();
});

test('the same message and comment give the same signature', async () => {
  const signer = await ensureSigningKey(join(folder, 'a.key'));
  expect(signer.sign(MESSAGE, 'x')).toBe((await loadSigner(join(folder, 'a.key'))).sign(MESSAGE, 'x'));
});

test('each changed character of a signature is noticed, but for the comment that nobody signs', async () => {
  const signer = await ensureSigningKey(join(folder, 'a.key'));
  const text = signer.sign(MESSAGE, 'timestamp:1');
  const signedFrom = text.indexOf('\n') + 1;
  for (let position = signedFrom; position < text.length - 1; position += 1) {
    const changed = text.slice(0, position) + (text[position] === 'A' ? 'B' : 'A') + text.slice(position + 1);
    const signature = parseSignature(changed);
    const found = signature && signerOf(MESSAGE, signature, [signer.publicKey]);
    expect({ position, found: found?.id }).toEqual({ position, found: undefined });
  }
});

test('what is no key is refused', async () => {
  await writeFile(join(folder, 'not.key'), 'untrusted comment: x\nRWQAAA==\n', { mode: 0o600 });
  await expect(loadSigner(join(folder, 'not.key'))).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  await expect(loadPublicKey(join(folder, 'not.key'))).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  await expect(loadPublicKey('neither key nor file')).rejects.toMatchObject({ code: 'KEY_FILE_MISSING' });
});
