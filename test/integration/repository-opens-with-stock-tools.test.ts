// Goal: a backup can be checked and read without Lifeboat, with the tools that docs/repository-format.md names.
// Method: minisign, the AWS Encryption SDK called directly, and the zstd program, on a backup that Lifeboat made.
import { execFile, spawn } from 'node:child_process';
import { access, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import type { Manifest } from '../../src/domain/backup.ts';
import { loadSigner } from '../../src/encryption/signer.ts';
import { loadPublicKey } from '../../src/encryption/minisign.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { collectBytes } from '../support/collect.ts';
import { type MadeBackup, makeBackup, openPlace, openWriter, type TestPlace } from '../unit/repository/fixture.ts';

const run = promisify(execFile);

/** Is the program there? Where CI must have it, its absence is a failure and no reason to skip. */
async function isInstalled(program: string): Promise<boolean> {
  const folders = String(process.env['PATH']).split(':');
  const looks = await Promise.allSettled(folders.map(async (folder) => access(join(folder, program))));
  const found = looks.some(({ status }) => status === 'fulfilled');
  if (!found && process.env['CI'] === 'true') throw new Error(`${program} is not installed`);
  return found;
}

const testWithMinisign = (await isInstalled('minisign')) ? test : test.skip;
const testWithZstd = (await isInstalled('zstd')) ? test : test.skip;

let place: TestPlace;
let made: MadeBackup;
let backupFolder: string;

beforeAll(async () => {
  place = await openPlace('disk');
  made = await makeBackup(await openWriter(place));
  backupFolder = join(place.folder, 'store/backups', made.manifest.id);
});

afterAll(async () => {
  await place.remove();
});

testWithMinisign('minisign (where installed) accepts the manifest, and refuses it once it is altered', async () => {
  const publicKey = join(place.folder, 'keys/signing.key.pub');
  const manifest = join(backupFolder, 'manifest.json');
  const { stdout } = await run('minisign', ['-V', '-m', manifest, '-p', publicKey]);
  expect(stdout).toContain('Signature and comment signature verified');
  expect(stdout).toContain(`backup:${made.manifest.id}`);

  const copy = join(place.folder, 'altered');
  await mkdir(copy);
  await cp(`${manifest}.minisig`, join(copy, 'manifest.json.minisig'));
  const altered = (await readFile(manifest, 'utf8')).replace('"keys":2', '"keys":3');
  await writeFile(join(copy, 'manifest.json'), altered);
  const refused = run('minisign', ['-V', '-m', join(copy, 'manifest.json'), '-p', publicKey]);
  await expect(refused).rejects.toMatchObject({ code: 1 });
});

testWithMinisign('a key that minisign (where installed) made signs for Lifeboat, and the other way round', async () => {
  const [secret, published, message] = ['m.key', 'm.pub', 'message'].map((name) => join(place.folder, name));
  await run('minisign', ['-G', '-W', '-s', String(secret), '-p', String(published)]);
  await writeFile(String(message), 'a message');
  const signer = await loadSigner(String(secret));
  expect(signer.publicKey.text).toBe((await loadPublicKey(String(published))).text);
  await writeFile(`${message}.minisig`, signer.sign(await readFile(String(message)), 'hello'));
  await run('minisign', ['-V', '-m', String(message), '-p', String(published)]);

  const own = join(place.folder, 'keys/signing.key');
  await run('minisign', ['-S', '-s', own, '-m', String(message), '-x', `${message}.own`]);
  await run('minisign', ['-V', '-m', String(message), '-x', `${message}.own`, '-p', `${own}.pub`]);
  const repository = await createRepository({
    store: createMemoryStore(),
    group: 'default',
    signer,
    keyring: place.keyring,
  });
  await makeBackup(repository);
  expect((await repository.list())[0]).toMatchObject({ signed: true, status: 'complete' });
});

testWithZstd('the Encryption SDK and zstd (where installed) alone give back what went in', async () => {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const keyringOf = (keyName: string, key: Buffer): RawAesKeyringNode =>
    new RawAesKeyringNode({
      keyNamespace: 'lifeboat',
      keyName,
      unencryptedMasterKey: new Uint8Array(key),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    });

  const keyFile = JSON.parse(await readFile(join(place.folder, 'keys/keyring.json'), 'utf8')) as {
    keys: { id: string; key: string }[];
  };
  const [kek = { id: '', key: '' }] = keyFile.keys;
  const wrapped = JSON.parse(await readFile(join(place.folder, 'store/keys', `${made.manifest.id}.json`), 'utf8')) as {
    wrapped: string;
  };
  const opened = await client.decrypt(keyringOf(kek.id, Buffer.from(kek.key, 'base64')), wrapped.wrapped, {
    encoding: 'base64',
  });
  expect({ ...opened.messageHeader.encryptionContext }).toEqual({
    purpose: 'lifeboat-data-key',
    backupId: made.manifest.id,
  });

  const manifest = JSON.parse(await readFile(join(backupFolder, 'manifest.json'), 'utf8')) as Manifest;
  const parts: Buffer[] = [];
  for (const object of manifest.components.postgres?.artifacts[0]?.objects ?? []) {
    const message = await readFile(join(place.folder, 'store', object.key));
    const decrypted = await client.decrypt(keyringOf('backup', opened.plaintext), message);
    expect({ ...decrypted.messageHeader.encryptionContext }).toEqual({
      backupId: made.manifest.id,
      object: object.key,
    });
    expect(decrypted.messageHeader.suiteId).toBe(0x0478);
    parts.push(await unzstd(decrypted.plaintext));
  }
  expect(parts).toHaveLength(4);
  expect(Buffer.concat(parts).equals(made.data.dump)).toBe(true);
});

async function unzstd(bytes: Buffer): Promise<Buffer> {
  const program = spawn('zstd', ['-dc'], { stdio: ['pipe', 'pipe', 'inherit'] });
  program.stdin.end(bytes);
  return collectBytes(program.stdout);
}
