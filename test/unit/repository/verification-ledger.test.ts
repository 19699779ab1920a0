import { join } from 'node:path';
import { ensureSigningKey } from '../../../src/encryption/signer.ts';
import { createRepository } from '../../../src/repository/create-repository.ts';
import { openRepository } from '../../../src/repository/open-repository.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { collect } from '../../support/collect.ts';
import { makeBackup, OPERATION, openPlace, openWriter, type MadeBackup, type TestPlace } from './fixture.ts';

let place: TestPlace;
let repository: Repository;
let made: MadeBackup;

beforeEach(async () => {
  place = await openPlace();
  repository = await openWriter(place);
  made = await makeBackup(repository);
});

afterEach(async () => {
  await place.remove();
});

async function entries(): Promise<{ readonly key: string; readonly bytes: Buffer }[]> {
  const found = [];
  for await (const { key } of place.store.list(`verified/${made.manifest.id}/`)) {
    found.push({ key, bytes: Buffer.concat(await collect(await place.store.get(key))) });
  }
  return found;
}

const verifiedAt = async (): Promise<string | null> => (await repository.list())[0]?.verifiedAt ?? null;

test('each verification adds an entry that says what was read, where, and what was found, and changes none', async () => {
  await repository.verify('latest', OPERATION);
  const [first] = await entries();
  await repository.verify('latest', OPERATION);
  const both = await entries();
  expect(both).toHaveLength(2);
  expect(both[0]).toEqual(first);
  const { document, signature } = JSON.parse(String(both[1]?.bytes)) as { document: object; signature: string };
  expect(document).toMatchObject({ backupId: made.manifest.id, store: 'memory:', objects: 6, problems: 0 });
  expect(signature).toContain(`verified:${made.manifest.id}`);
  expect(await verifiedAt()).toBe((document as { verifiedAt: string }).verifiedAt);
});

test('a verification that found damage is in the ledger, and the last sound one stays the one that counts', async () => {
  await repository.verify('latest', OPERATION);
  const sound = await verifiedAt();
  const object = made.manifest.components.redis?.artifacts[0]?.objects[0]?.key ?? '';
  await place.store.put(object, Buffer.from('damaged'));
  expect(await repository.verify('latest', OPERATION)).not.toEqual([]);
  const documents = (await entries()).map(
    ({ bytes }) => (JSON.parse(String(bytes)) as { document: { problems: number } }).document,
  );
  expect(documents.map(({ problems }) => problems)).toEqual([0, 1]);
  expect(await verifiedAt()).toBe(sound);
});

test('an entry that was altered, or that is signed by nobody who is trusted, counts for nothing', async () => {
  await repository.verify('latest', OPERATION);
  const [entry] = await entries();
  const altered = String(entry?.bytes).replace(/"verifiedAt":"20/, '"verifiedAt":"30');
  await place.store.put(entry?.key ?? '', Buffer.from(altered));
  expect(await verifiedAt()).toBeNull();

  const stranger = await ensureSigningKey(join(place.folder, 'keys/stranger.key'));
  const forging = await createRepository({
    store: place.store,
    group: 'default',
    keyring: place.keyring,
    signer: stranger,
    trustedKeys: [place.signer.publicKey],
  });
  await forging.verify('latest', OPERATION);
  expect(await verifiedAt()).toBeNull();
  expect((await forging.list())[0]?.verifiedAt).not.toBeNull();
});

test('an entry about another manifest, or moved from another backup, counts for nothing', async () => {
  await repository.verify('latest', OPERATION);
  const [entry] = await entries();
  const other = await makeBackup(repository, { createdAt: '2026-01-16T10:30:00.000Z' });
  const name = entry?.key.split('/').at(-1) ?? '';
  await place.store.put(`verified/${other.manifest.id}/${name}`, entry?.bytes ?? Buffer.alloc(0));
  expect((await repository.list()).map((backup) => backup.verifiedAt === null)).toEqual([true, false]);
});

test('a reader that trusts the key sees what the writer sees', async () => {
  await repository.verify('latest', OPERATION);
  const reader = await openRepository({ store: place.store, trustedKeys: [place.signer.publicKey] });
  expect((await reader.list())[0]?.verifiedAt).toBe(await verifiedAt());
});
