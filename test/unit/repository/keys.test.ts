import { join } from 'node:path';
import { rotateKeyring } from '../../../src/encryption/change-keyring.ts';
import { followKeyring } from '../../../src/encryption/followed-keyring.ts';
import { createRepository } from '../../../src/repository/create-repository.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { collectBytes } from '../../support/collect.ts';
import { ENCRYPTED, makeBackup, OPERATION, openPlace, PLAIN, type TestPlace } from './fixture.ts';

const DAYS = ['2026-01-15T10:30:00.000Z', '2026-01-16T10:30:00.000Z', '2026-01-17T10:30:00.000Z'];

let place: TestPlace;
let keyringPath: string;
let repository: Repository;
let ids: string[];

async function open(store: ObjectStore = place.store): Promise<Repository> {
  const keyring = await followKeyring({ path: keyringPath, escrow: [] });
  return createRepository({ store, keyring, signer: place.signer, group: 'default', objectBytes: 64 * 1024 });
}

beforeEach(async () => {
  place = await openPlace();
  keyringPath = join(place.folder, 'keys/keyring.json');
  repository = await open();
  ids = [];
  for (const createdAt of DAYS) ids.push((await makeBackup(repository, { createdAt })).manifest.id);
});

afterEach(async () => {
  await place.remove();
});

const keyOf = (day: number): string => `keys/${ids[day]}.json`;
const bytesOf = async (key: string): Promise<Buffer> => collectBytes(await place.store.get(key));
const codes = (problems: readonly { code: string; key: string }[]): string[] =>
  problems.map(({ code, key }) => `${code} ${key}`);

test('every key is opened and told with the key that it needs; a backup without encryption has none', async () => {
  await makeBackup(repository, { createdAt: '2026-01-18T10:30:00.000Z', codec: PLAIN });
  const { activeId } = place.keyring;
  const opened = ids.map((name) => ({ name, wrappedFor: [activeId] }));
  expect(await repository.keys.check(OPERATION)).toEqual({ opened, problems: [] });
});

test('a key that is missing, altered, or of another backup is named, and the others are opened', async () => {
  await place.store.remove(keyOf(0));
  await place.store.put(keyOf(1), await bytesOf(keyOf(2)));
  const { opened, problems } = await repository.keys.check(OPERATION);
  expect(codes(problems)).toEqual([`KEY_MISSING ${keyOf(0)}`, `KEY_DAMAGED ${keyOf(1)}`]);
  expect(opened.map(({ name }) => name)).toEqual([ids[2]]);
});

test('a key that opens but is not the one of the manifest is named', async () => {
  const [createdAt = ''] = DAYS;
  await place.store.remove(keyOf(0));
  // The seat is still there: the same owner that asks again has another key made.
  await repository.beginBackup({ kind: 'full', createdAt, owner: createdAt, codec: ENCRYPTED });
  const { problems } = await repository.keys.check(OPERATION);
  expect(codes(problems)).toEqual([`KEY_MISMATCH ${keyOf(0)}`]);
});

test('what is damaged is left as it is and named, and the rest is wrapped again', async () => {
  const damaged = Buffer.from('{}');
  await place.store.put(keyOf(1), damaged);
  const { activeId } = await rotateKeyring(keyringPath);
  const report = await repository.keys.rewrap(activeId, OPERATION);
  expect(report).toMatchObject({ keyId: activeId, total: 3, rewrapped: 2 });
  expect(codes(report.problems)).toEqual([`KEY_DAMAGED ${keyOf(1)}`]);
  expect(await bytesOf(keyOf(1))).toEqual(damaged);
});

test('a key that is replaced by somebody else at the same moment is read again, and never lost', async () => {
  const { activeId } = await rotateKeyring(keyringPath);
  const rival = await open();
  let raced = false;
  const refusals: unknown[] = [];
  const store: ObjectStore = {
    ...place.store,
    async put(key, body, options) {
      if (options?.ifMatch !== undefined && !raced) {
        raced = true;
        await rival.keys.rewrap(activeId, OPERATION);
      }
      return place.store.put(key, body, options).catch((error: unknown) => {
        refusals.push(error);
        throw error;
      });
    },
  };
  const report = await (await open(store)).keys.rewrap(activeId, OPERATION);
  expect([raced, report.problems]).toEqual([true, []]);
  expect(refusals).toContainEqual(expect.objectContaining({ code: 'STORE_KEY_CHANGED' }));
  expect(report.rewrapped).toBeLessThan(3);
  expect((await repository.keys.check(OPERATION)).opened.every(({ wrappedFor }) => wrappedFor[0] === activeId)).toBe(
    true,
  );
});

test('a run for a key that is not active any more ends, and what it would have wrapped stays as it was', async () => {
  const { activeId } = await rotateKeyring(keyringPath);
  await rotateKeyring(keyringPath);
  const before = await bytesOf(keyOf(0));
  await expect(repository.keys.rewrap(activeId, OPERATION)).rejects.toMatchObject({ code: 'KEY_NOT_ACTIVE' });
  expect(await bytesOf(keyOf(0))).toEqual(before);
});

test('without a keyring nothing is said about keys, and a store that is away is not an empty one', async () => {
  const { store, signer } = place;
  const without = await createRepository({ store, signer, group: 'default' });
  await expect(without.keys.check(OPERATION)).rejects.toMatchObject({ code: 'KEY_REQUIRED' });
  await expect(without.keys.activeId()).rejects.toMatchObject({ code: 'KEY_REQUIRED' });
  await store.remove('lifeboat.json');
  await expect(repository.keys.check(OPERATION)).rejects.toMatchObject({ code: 'REPOSITORY_MISSING' });
});
