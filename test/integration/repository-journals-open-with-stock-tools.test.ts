// Goal: a journal can be checked and read without Lifeboat, with the tools that docs/repository-format.md names.
// Method: jq, minisign, the AWS Encryption SDK called directly, and the zstd program, on a WAL segment that Lifeboat stored.
import { execFile, spawn } from 'node:child_process';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import type { JournalChapter } from '../../src/domain/journal.ts';
import { collectBytes } from '../support/collect.ts';
import { openPlace, openWriter, type TestPlace } from '../unit/repository/fixture.ts';
import {
  openWal,
  putPiece,
  SEGMENT_BYTES,
  streamBytes,
  SYSTEM,
  walDurable,
} from '../unit/repository/journal-fixture.ts';

const run = promisify(execFile);
const EPOCH = `journals/postgres/${SYSTEM}/00000001`;

/** Are the programs there? Where CI must have them, their absence is a failure and no reason to skip. */
async function areInstalled(...programs: string[]): Promise<boolean> {
  const folders = String(process.env['PATH']).split(':');
  const isThere = async (program: string): Promise<boolean> => {
    const looks = await Promise.allSettled(folders.map(async (folder) => access(join(folder, program))));
    return looks.some(({ status }) => status === 'fulfilled');
  };
  const found = await Promise.all(programs.map(isThere));
  const missing = programs.filter((_, index) => found[index] === false);
  if (missing.length > 0 && process.env['CI'] === 'true') throw new Error(`${missing.join(', ')}: not installed`);
  return missing.length === 0;
}

const testWithMinisign = (await areInstalled('minisign', 'jq')) ? test : test.skip;
const testWithZstd = (await areInstalled('zstd')) ? test : test.skip;

let place: TestPlace;
let epoch: string;

beforeAll(async () => {
  place = await openPlace('disk');
  const writer = await openWal((await openWriter(place)).journals);
  await putPiece(writer, 0, SEGMENT_BYTES);
  await putPiece(writer, SEGMENT_BYTES, SEGMENT_BYTES + 5000);
  await writer.commit(walDurable(SEGMENT_BYTES + 5000));
  epoch = join(place.folder, 'store', EPOCH);
});

afterAll(async () => {
  await place.remove();
});

testWithMinisign(
  'jq and minisign (where installed) accept begin.json and a chapter, and refuse altered ones',
  async () => {
    const publicKey = join(place.folder, 'keys/signing.key.pub');
    for (const name of ['begin.json', 'open.json']) {
      const document = join(place.folder, name);
      const take = async (filter: string, ...flags: string[]): Promise<string> =>
        (await run('jq', [...flags, filter, join(epoch, name)])).stdout;
      const signed = await take('.document', '-cS');
      await writeFile(document, signed);
      await writeFile(`${document}.minisig`, await take('.signature', '-rj'));
      const { stdout } = await run('minisign', ['-V', '-m', document, '-p', publicKey]);
      expect(stdout).toContain('Signature and comment signature verified');
      expect(stdout).toContain(`journal:${EPOCH}`);
      await writeFile(document, signed.replace('"epoch":1', '"epoch":2'));
      await expect(run('minisign', ['-V', '-m', document, '-p', publicKey])).rejects.toMatchObject({ code: 1 });
    }
  },
);

testWithZstd('the Encryption SDK and zstd (where installed) alone give back a segment', async () => {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const keyringOf = (keyName: string, key: Buffer): RawAesKeyringNode =>
    new RawAesKeyringNode({
      keyNamespace: 'lifeboat',
      keyName,
      unencryptedMasterKey: new Uint8Array(key),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    });
  const readJson = async <T>(path: string): Promise<T> =>
    JSON.parse(await readFile(join(place.folder, path), 'utf8')) as T;

  const { keys } = await readJson<{ keys: { id: string; key: string }[] }>('keys/keyring.json');
  const [kek = { id: '', key: '' }] = keys;
  const { wrapped } = await readJson<{ wrapped: string }>(`store/keys/${EPOCH}.json`);
  const opened = await client.decrypt(keyringOf(kek.id, Buffer.from(kek.key, 'base64')), wrapped, {
    encoding: 'base64',
  });
  expect({ ...opened.messageHeader.encryptionContext }).toEqual({ purpose: 'lifeboat-data-key', journal: EPOCH });

  const { document } = await readJson<{ document: JournalChapter }>(`store/${EPOCH}/open.json`);
  const [segment, piece] = document.entries;
  expect(segment?.key).toBe(`${EPOCH}/000000010000000000000000.zst.esdk`);
  for (const [entry, from, to] of [
    [segment, 0, SEGMENT_BYTES],
    [piece, SEGMENT_BYTES, SEGMENT_BYTES + 5000],
  ] as const) {
    const message = await readFile(join(place.folder, 'store', entry?.key ?? ''));
    const decrypted = await client.decrypt(keyringOf('backup', opened.plaintext), message);
    expect({ ...decrypted.messageHeader.encryptionContext }).toEqual({ backupId: EPOCH, object: entry?.key });
    const program = spawn('zstd', ['-dc'], { stdio: ['pipe', 'pipe', 'inherit'] });
    program.stdin.end(decrypted.plaintext);
    expect((await collectBytes(program.stdout)).equals(streamBytes('wal', from, to))).toBe(true);
  }
});
