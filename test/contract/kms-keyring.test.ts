// Goal: a key of AWS KMS wraps and opens as one of a file does, one can take the other's place without reading data, and what the
// service refuses is named.
// Method: moto, which encrypts for real and binds to the context; refusals of the protocol from a server that gives nothing else.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateEscrowKey } from '../../src/encryption/escrow-key.ts';
import { followKeyring } from '../../src/encryption/followed-keyring.ts';
import { generateKeyring, type Keyring, loadKeyring } from '../../src/encryption/keyring.ts';
import { ensureSigningKey } from '../../src/encryption/signer.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { freePort } from '../../src/platform/ports.ts';
import { caught } from '../support/caught.ts';
import { startKms, startRefusingKms, type TestKms } from '../support/kms-server.ts';
import { whenAvailable } from '../support/tools.ts';
import { ENCRYPTED, OPERATION } from '../unit/repository/fixture.ts';

const describeHere = await whenAvailable('kms');
const CONTEXT = { purpose: 'lifeboat-data-key', backupId: 'backup-1' };
const SECRET = new Uint8Array(32).fill(7);

describeHere('a key of AWS KMS', () => {
  let kms: TestKms;
  let refusing: Awaited<ReturnType<typeof startRefusingKms>>;
  let folder: string;
  let file: string;
  let escrow: string;
  const outer = { ...process.env };

  const places = (keyArn?: string, earlierKeyArns: readonly string[] = []): object => ({
    kms: { ...(keyArn === undefined ? {} : { keyArn }), earlierKeyArns, endpoint: kms.endpoint },
  });
  const open = async (keyArn?: string, earlier: readonly string[] = []): Promise<Keyring> =>
    followKeyring({ path: file, escrow: [`${escrow}.pub`], ...places(keyArn, earlier) });

  beforeAll(async () => {
    [kms, refusing] = await Promise.all([startKms(), startRefusingKms()]);
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-kms-'));
    file = join(folder, 'keyring.json');
    escrow = join(folder, 'escrow.pem');
    await Promise.all([generateKeyring(file), generateEscrowKey(escrow)]);
    Object.assign(process.env, kms.env);
  });
  afterAll(async () => {
    for (const name of Object.keys(kms?.env ?? {})) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, outer);
    await Promise.all([kms?.stop(), refusing?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  test('wraps for itself and the escrow key, each opens alone, and for its context only', async () => {
    const arn = await kms.createKey();
    const keyring = await open(arn);
    expect(keyring.keys.map(({ state }) => state)).toEqual(['active', 'decrypt-only']);
    const { keyId, message } = await keyring.wrap(SECRET, CONTEXT);
    expect(keyId).toBe(arn);
    const opened = await keyring.open(message, CONTEXT);
    expect(opened.secret).toEqual(SECRET);
    expect(opened.wrappedFor).toEqual([arn, ...keyring.escrowIds]);
    expect((await (await loadKeyring(escrow)).open(message, CONTEXT)).secret).toEqual(SECRET);
    expect((await caught(async () => keyring.open(message, { ...CONTEXT, backupId: 'backup-2' }))).code).toBe(
      'KEY_DAMAGED',
    );
    const damaged = Buffer.from(message);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
    expect((await caught(async () => keyring.open(damaged, CONTEXT))).code).toBe('KEY_MISMATCH');
    const elsewhere = await open(await kms.createKey());
    expect((await caught(async () => elsewhere.open(message, CONTEXT))).code).toBe('KEY_MISMATCH');
  });

  test('needs no key file, and its ARN stands for a keyring', async () => {
    const arn = await kms.createKey();
    const alone = await loadKeyring(join(folder, 'none.json'), places(arn));
    const { message } = await alone.wrap(SECRET, CONTEXT);
    process.env['AWS_ENDPOINT_URL_KMS'] = kms.endpoint;
    try {
      const named = await loadKeyring(arn);
      expect((await named.open(message, CONTEXT)).secret).toEqual(SECRET);
    } finally {
      delete process.env['AWS_ENDPOINT_URL_KMS'];
    }
  });

  test('named by an alias is the key behind it, also after the alias has moved', async () => {
    const [one, two] = [await kms.createKey(), await kms.createKey()];
    const alias = await kms.setAlias('lifeboat', one);
    const keyring = await open(alias);
    const { keyId, message } = await keyring.wrap(SECRET, CONTEXT);
    expect(keyId).toBe(one);
    await kms.setAlias('lifeboat', two);
    expect((await keyring.wrap(SECRET, CONTEXT)).keyId).toBe(two);
    expect((await caught(async () => keyring.open(message, CONTEXT))).code).toBe('KEY_MISMATCH');
    expect((await (await open(alias, [one])).open(message, CONTEXT)).secret).toEqual(SECRET);
  });

  test('takes the place of a key file, another takes its place, and the file takes it back', async () => {
    const [one, two] = [await kms.createKey(), await kms.createKey()];
    const store = createMemoryStore();
    const signer = await ensureSigningKey(join(folder, 'signing.key'));
    const using = async (keyring: Keyring): Promise<Repository> =>
      createRepository({ store, keyring, signer, group: 'default' });
    const createdAt = '2026-01-15T10:00:00.000Z';
    const first = await using(await open());
    const { backupId } = await first.beginBackup({ kind: 'full', createdAt, owner: 'a', codec: ENCRYPTED });
    expect((await first.keys.check(OPERATION)).problems).toEqual([]);

    const way: [Keyring, Keyring][] = [
      [await open(one), await loadKeyring(join(folder, 'none.json'), places(one))],
      [await open(two, [one]), await loadKeyring(join(folder, 'none.json'), places(two))],
      [await open(undefined, [two]), await loadKeyring(file)],
    ];
    for (const [keyring, alone] of way) {
      const repository = await using(keyring);
      const keyId = await repository.keys.activeId();
      expect(await repository.keys.rewrap(keyId, OPERATION)).toMatchObject({ keyId, rewrapped: 1, problems: [] });
      expect(await repository.keys.rewrap(keyId, OPERATION)).toMatchObject({ rewrapped: 0 });
      const check = await (await using(alone)).keys.check(OPERATION);
      expect(check).toMatchObject({ problems: [], opened: [{ name: backupId }] });
      expect(check.opened[0]?.wrappedFor).toEqual([keyId, ...keyring.escrowIds]);
    }
  });

  test('that is gone is a problem of what needs it; what could not be asked is an error of the whole look', async () => {
    const arn = await kms.createKey();
    const store = createMemoryStore();
    const signer = await ensureSigningKey(join(folder, 'signing.key'));
    const using = (keyring: Keyring): ReturnType<typeof createRepository> =>
      createRepository({ store, keyring, signer, group: 'default' });
    const createdAt = '2026-01-15T10:00:00.000Z';
    const repository = await using(await open(arn));
    const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: 'a', codec: ENCRYPTED });
    const elsewhere = async (): Promise<Repository> =>
      using(await loadKeyring(file, { kms: { keyArn: arn, earlierKeyArns: [], endpoint: refusing.endpoint } }));
    refusing.refuseWith(400, 'NotFoundException');
    expect((await (await elsewhere()).keys.check(OPERATION)).problems).toMatchObject([
      { backupId, code: 'KMS_KEY_UNKNOWN' },
    ]);
    refusing.refuseWith(400, 'AccessDeniedException');
    expect((await caught(async () => (await elsewhere()).keys.check(OPERATION))).code).toBe('KMS_DENIED');
  });

  test.each([
    [400, 'AccessDeniedException', 'KMS_DENIED', 8],
    [400, 'NotFoundException', 'KMS_KEY_UNKNOWN', 5],
    [400, 'NotFoundException: Invalid arn us-east-1', 'KMS_REGION_WRONG', 2],
    [400, 'DisabledException', 'KMS_KEY_UNUSABLE', 2],
    [400, 'KMSInvalidStateException', 'KMS_KEY_UNUSABLE', 2],
    [400, 'UnrecognizedClientException', 'KMS_CREDENTIALS_REFUSED', 8],
    [400, 'ExpiredTokenException', 'KMS_CREDENTIALS_REFUSED', 8],
    [500, 'KMSInternalException', 'KMS_BUSY', 7],
    [400, 'ValidationException', 'KMS_REFUSED', 1],
  ])('the answer %s %s is %s', async (status, answer, code, exit) => {
    const [type = '', message] = answer.split(': ');
    refusing.refuseWith(status, type, message);
    const keyArn = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555';
    const keyring = await loadKeyring(file, { kms: { keyArn, earlierKeyArns: [], endpoint: refusing.endpoint } });
    const error = await caught(async () => keyring.wrap(SECRET, CONTEXT));
    expect(error).toMatchObject({ code, details: { status, protocolCode: type } });
    expect([error.rule.exit, error.message.includes(keyArn)]).toEqual([exit, true]);
  });

  test('of another region, or of a service that does not answer, is refused before anything is written', async () => {
    const keyArn = await kms.createKey();
    const wrong = { kms: { keyArn, earlierKeyArns: [], region: 'us-east-1', endpoint: kms.endpoint } };
    expect((await caught(async () => loadKeyring(file, wrong))).code).toBe('KMS_REGION_WRONG');
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const nobody = await loadKeyring(file, { kms: { keyArn, earlierKeyArns: [], endpoint } });
    const error = await caught(async () => nobody.wrap(SECRET, CONTEXT));
    expect(error).toMatchObject({ code: 'KMS_UNREACHABLE', details: { systemCode: 'ECONNREFUSED' } });
    expect(error.rule.retry).toBe('transient');
  });
});
