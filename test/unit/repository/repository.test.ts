import { generateKeyring } from '../../../src/encryption/keyring.ts';
import { createRepository } from '../../../src/repository/create-repository.ts';
import { openRepository } from '../../../src/repository/open-repository.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { collect, collectBytes } from '../../support/collect.ts';
import {
  chunks,
  CREATED_AT,
  ENCRYPTED,
  makeBackup,
  OBJECT_BYTES,
  openPlace,
  openWriter,
  OPERATION,
  PLAIN,
  POSTGRES_FACTS,
  REDIS_FACTS,
  type TestPlace,
} from './fixture.ts';
import { runs } from '../../support/property-runs.ts';

let place: TestPlace;
let repository: Repository;

beforeEach(async () => {
  place = await openPlace();
  repository = await openWriter(place);
});

afterEach(async () => {
  await place.remove();
});

const keysOf = async (store: ObjectStore, prefix = ''): Promise<string[]> =>
  (await collect(store.list(prefix))).map(({ key }) => key);

const begin = { kind: 'full', createdAt: CREATED_AT, codec: ENCRYPTED } as const;

describe('making and opening', () => {
  test('of many that make it at once all open the same repository', async () => {
    const store = createMemoryStore();
    const made = await Promise.all(Array.from({ length: 10 }, () => createRepository({ store, group: 'default' })));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await keysOf(store)).toEqual(['lifeboat.json']);
  });

  test('opening to read makes nothing', async () => {
    const store = createMemoryStore();
    await expect(openRepository({ store })).rejects.toMatchObject({ code: 'REPOSITORY_MISSING' });
    expect(await keysOf(store)).toEqual([]);
  });

  test('one that was opened and went away is missing, and not empty', async () => {
    const store = createMemoryStore();
    const repository = await createRepository({ store, group: 'default' });
    expect([await repository.list(), (await repository.journals.catalog('redis')).epochs]).toEqual([[], []]);
    await store.remove('lifeboat.json');
    const gone = { code: 'REPOSITORY_MISSING' };
    await expect(repository.list()).rejects.toMatchObject(gone);
    await expect(repository.journals.catalog('postgres')).rejects.toMatchObject(gone);
    await createRepository({ store, group: 'default' });
    await expect(repository.list()).rejects.toMatchObject(gone);
  });

  test('another group, a newer format and damage are told apart', async () => {
    const other = createRepository({ store: place.store, group: 'other' });
    await expect(other).rejects.toMatchObject({ code: 'REPOSITORY_GROUP_MISMATCH' });
    await place.store.put('lifeboat.json', Buffer.from('{"formatVersion":2}'));
    await expect(openRepository({ store: place.store })).rejects.toMatchObject({
      code: 'REPOSITORY_FORMAT_UNSUPPORTED',
    });
    await place.store.put('lifeboat.json', Buffer.from('{"formatVersion":1'));
    await expect(openRepository({ store: place.store })).rejects.toMatchObject({ code: 'REPOSITORY_INVALID' });
  });
});

describe('a backup', () => {
  test.each([
    ['encrypted and compressed', ENCRYPTED],
    ['encrypted only', { ...ENCRYPTED, compression: 'none' }],
    ['compressed only', { ...ENCRYPTED, encryption: 'none' }],
    ['neither', PLAIN],
  ] as const)('comes back byte for byte: %s', async (_what, codec) => {
    const { manifest, data } = await makeBackup(repository, { codec });
    const read = async (component: 'postgres' | 'redis', name: string): Promise<Buffer> =>
      collectBytes(repository.readArtifact(manifest, component, name, OPERATION));
    expect((await read('postgres', 'dump')).equals(data.dump)).toBe(true);
    expect((await read('postgres', 'globals')).equals(data.globals)).toBe(true);
    expect((await read('redis', 'snapshot')).equals(data.snapshot)).toBe(true);
    const dump = manifest.components.postgres?.artifacts[0];
    expect(dump?.objects.map(({ plainBytes }) => plainBytes)).toEqual([
      OBJECT_BYTES,
      OBJECT_BYTES,
      OBJECT_BYTES,
      OBJECT_BYTES / 2,
    ]);
    expect(await repository.verify(manifest.id, OPERATION)).toEqual([]);
    expect(await repository.verifyChain()).toEqual([]);
  });

  test('keeps what it was asked to keep, and nothing of the data in clear', async () => {
    const { manifest, data } = await makeBackup(repository);
    expect(await repository.load('latest')).toEqual(manifest);
    expect(manifest.components.postgres).toMatchObject(POSTGRES_FACTS);
    expect(manifest.components.redis).toMatchObject(REDIS_FACTS);
    expect(manifest.components.postgres?.bytes).toBe(data.dump.length + data.globals.length);
    for (const key of await keysOf(place.store)) {
      const stored = await collectBytes(await place.store.get(key));
      expect(stored.includes('CREATE ROLE')).toBe(false);
      expect(stored.includes(data.dump.subarray(0, 32))).toBe(false);
    }
  });

  test('an artifact of a producer that compressed already is not compressed again', async () => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const artifact = await repository.writeArtifact(
      {
        backupId,
        component: 'postgres',
        attempt: 1,
        name: 'dump',
        format: 'pg-dump-custom',
        codec: ENCRYPTED,
        producerCompression: 'zstd:3',
      },
      chunks(Buffer.alloc(OBJECT_BYTES)),
      OPERATION,
    );
    expect(artifact).toMatchObject({ compression: 'none', producerCompression: 'zstd:3' });
    expect(artifact.storedBytes).toBeGreaterThan(OBJECT_BYTES);
    expect(artifact.objects[0]?.key).toMatch(/\/dump-000001\.esdk$/);
  });

  test('an artifact whose size is a multiple of an object has no empty last object, an empty one has one', async () => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const request = { backupId, component: 'redis', attempt: 1, format: 'redis-rdb', codec: ENCRYPTED } as const;
    const even = chunks(Buffer.alloc(2 * OBJECT_BYTES));
    const two = await repository.writeArtifact({ ...request, name: 'even' }, even, OPERATION);
    const none = await repository.writeArtifact({ ...request, name: 'empty' }, chunks(Buffer.alloc(0)), OPERATION);
    expect(two.objects).toHaveLength(2);
    expect(none).toMatchObject({ plainBytes: 0, objects: [{ plainBytes: 0 }] });
  });

  test('a source that throws leaves no object of its own and rejects with its error', async () => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const failure = new Error('pg_dump ended with signal SIGKILL');
    for (const codec of [ENCRYPTED]) {
      for (const before of [0, 1000, OBJECT_BYTES - 1, OBJECT_BYTES + 1]) {
        async function* source(): AsyncGenerator<Buffer> {
          yield* chunks(Buffer.alloc(before, 1));
          throw failure;
        }
        const name = `broken-${before}`;
        const request = { backupId, component: 'postgres', attempt: 1, name, format: 'pg-dump-custom', codec } as const;
        await expect(repository.writeArtifact(request, source(), OPERATION)).rejects.toBe(failure);
        const whole = Math.floor(before / OBJECT_BYTES);
        const left = (await keysOf(place.store)).filter((key) => key.includes(`/${name}-`));
        expect(left).toHaveLength(whole);
      }
    }
  });

  test('an abort ends the writing of a hanging source with the reason', async () => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const abort = new AbortController();
    const reason = new Error('cancelled');
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(100_000);
      await new Promise(() => undefined);
    }
    setTimeout(() => abort.abort(reason), 100);
    const request = {
      backupId,
      component: 'redis',
      attempt: 1,
      name: 'snapshot',
      format: 'redis-rdb',
      codec: ENCRYPTED,
    } as const;
    const writing = repository.writeArtifact(request, source(), { ...OPERATION, signal: abort.signal });
    await expect(writing).rejects.toBe(reason);
  });

  test('progress comes with the bytes', async () => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const seen: number[] = [];
    const operation = { ...OPERATION, onProgress: ({ bytes }: { bytes: number }) => void seen.push(bytes) };
    const request = {
      backupId,
      component: 'redis',
      attempt: 1,
      name: 'snapshot',
      format: 'redis-rdb',
      codec: ENCRYPTED,
    } as const;
    await repository.writeArtifact(request, chunks(Buffer.alloc(100_000)), operation);
    expect(seen.at(-1)).toBe(100_000);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});

describe('taking an id', () => {
  test('the same owner gets its id again, another one the next millisecond', async () => {
    const first = await repository.beginBackup({ ...begin, owner: 'run-1' });
    expect(first.backupId).toBe('backup-2026-01-15T10-30-00-000Z');
    expect(await repository.beginBackup({ ...begin, owner: 'run-1' })).toEqual(first);
    const second = await repository.beginBackup({ ...begin, owner: 'run-2' });
    expect(second.backupId).toBe('backup-2026-01-15T10-30-00-001Z');
    expect(await repository.beginBackup({ ...begin, owner: 'run-2' })).toEqual(second);
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, run) => repository.beginBackup({ ...begin, owner: `other-${run}` })),
    );
    expect(new Set(all.map(({ backupId }) => backupId)).size).toBe(8);
  });

  test('a repeated begin keeps the data key', async () => {
    await repository.beginBackup({ ...begin, owner: 'run-1' });
    const key = await collectBytes(await place.store.get('keys/backup-2026-01-15T10-30-00-000Z.json'));
    await repository.beginBackup({ ...begin, owner: 'run-1' });
    const again = await collectBytes(await place.store.get('keys/backup-2026-01-15T10-30-00-000Z.json'));
    expect(again.equals(key)).toBe(true);
  });

  test('encryption without a keyring is refused', async () => {
    const keyless = await createRepository({ store: createMemoryStore(), group: 'default' });
    await expect(keyless.beginBackup({ ...begin, owner: 'a' })).rejects.toMatchObject({ code: 'KEY_REQUIRED' });
  });

  test('attempts get numbers of their own', async () => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const numbers = await Promise.all(Array.from({ length: 6 }, () => repository.claimAttempt(backupId, 'postgres')));
    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await repository.claimAttempt(backupId, 'redis')).toBe(1);
    const nothing = repository.claimAttempt('backup-2026-01-15T10-30-00-999Z', 'redis');
    await expect(nothing).rejects.toMatchObject({ code: 'BACKUP_NOT_BEGUN' });
  });

  test('writing without a begin, or with another codec, is refused', async () => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const request = { backupId, component: 'redis', attempt: 1, name: 'snapshot', format: 'redis-rdb' } as const;
    const plain = repository.writeArtifact({ ...request, codec: PLAIN }, chunks(Buffer.from('x')), OPERATION);
    await expect(plain).rejects.toMatchObject({ code: 'BACKUP_CODEC_MISMATCH' });
    await repository.discard(backupId);
    const late = repository.writeArtifact({ ...request, codec: ENCRYPTED }, chunks(Buffer.from('x')), OPERATION);
    await expect(late).rejects.toMatchObject({ code: 'BACKUP_NOT_BEGUN' });
  });

  test.each(['', 'UPPER', 'a/b', '../x', 'index'])('an artifact cannot be called %j', async (name) => {
    const { backupId } = await repository.beginBackup({ ...begin, owner: 'a' });
    const request = { backupId, component: 'redis', attempt: 1, name, format: 'redis-rdb', codec: ENCRYPTED } as const;
    const writing = repository.writeArtifact(request, chunks(Buffer.from('x')), OPERATION);
    await expect(writing).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' });
  });
});

describe('publishing', () => {
  test('again with the same content is a success and changes nothing, also with a later end time', async () => {
    const { manifest, request } = await makeBackup(repository);
    const key = `backups/${manifest.id}/manifest.json`;
    const before = await collectBytes(await place.store.get(key));
    expect(await repository.publish(request)).toEqual(manifest);
    expect(await repository.publish({ ...request, finishedAt: '2026-01-15T11:00:00.000Z' })).toEqual(manifest);
    expect((await collectBytes(await place.store.get(key))).equals(before)).toBe(true);
  });

  test('again with other content is a conflict', async () => {
    const { request } = await makeBackup(repository);
    const other = repository.publish({ ...request, label: { by: 'somebody else' } });
    await expect(other).rejects.toMatchObject({ code: 'MANIFEST_CONFLICT' });
  });

  test('again after a later backup still succeeds', async () => {
    const { manifest, request } = await makeBackup(repository);
    await makeBackup(repository, { createdAt: '2026-01-16T10:30:00.000Z' });
    expect(await repository.publish(request)).toEqual(manifest);
  });

  test('two attempts at once with different end times leave one manifest with its signature', async () => {
    const { manifest, request } = await makeBackup(repository);
    for (let round = 0; round < runs(10); round += 1) {
      await place.store.remove(`backups/${manifest.id}/manifest.json`);
      await place.store.remove(`backups/${manifest.id}/manifest.json.minisig`);
      const ends = Array.from({ length: 4 }, (_, attempt) => `2026-01-15T10:31:0${attempt}.000Z`);
      await Promise.allSettled(ends.map((finishedAt) => repository.publish({ ...request, finishedAt })));
      const settled = await repository.publish(request);
      expect(ends).toContain(settled.finishedAt);
      expect(await repository.verify(manifest.id, OPERATION)).toEqual([]);
    }
  });

  test('a manifest that stands there unsigned is signed only when it names the chain of the store', async () => {
    await makeBackup(repository);
    const { manifest, request } = await makeBackup(repository, { createdAt: '2026-01-16T10:30:00.000Z' });
    const key = `backups/${manifest.id}/manifest.json`;
    const bytes = await collectBytes(await place.store.get(key));
    await place.store.remove(`${key}.minisig`);
    const forged = bytes.toString('utf8').replace(manifest.previousManifest?.sha256 ?? '', '0'.repeat(64));
    await place.store.put(key, Buffer.from(forged));
    await expect(repository.publish(request)).rejects.toMatchObject({ code: 'MANIFEST_CONFLICT' });
    await place.store.put(key, bytes);
    expect(await repository.publish(request)).toEqual(manifest);
  });

  test('is refused when an object is gone or an index was changed', async () => {
    const { manifest, request } = await makeBackup(repository);
    await place.store.remove(`backups/${manifest.id}/manifest.json`);
    const object = manifest.components.redis?.artifacts[0]?.objects[0]?.key ?? '';
    const bytes = await collectBytes(await place.store.get(object));
    await place.store.put(object, bytes.subarray(1));
    await expect(repository.publish(request)).rejects.toMatchObject({ code: 'OBJECT_SIZE_MISMATCH' });
    await place.store.remove(object);
    await expect(repository.publish(request)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    await place.store.put(object, bytes);
    await place.store.put(request.components[0]?.key ?? '', Buffer.from('{}\n'));
    await expect(repository.publish(request)).rejects.toMatchObject({ code: 'COMPONENT_INDEX_INVALID' });
    expect(await repository.list()).toEqual([]);
  });

  test('artifacts of another attempt are not taken', async () => {
    const { manifest } = await makeBackup(repository);
    const artifacts = manifest.components.redis?.artifacts ?? [];
    const place = { backupId: manifest.id, component: 'redis', facts: REDIS_FACTS } as const;
    for (const wrong of [
      { ...place, attempt: 2, artifacts },
      { ...place, attempt: 1, artifacts: [...artifacts, ...artifacts] },
      { ...place, attempt: 1, artifacts: [] },
    ]) {
      await expect(repository.writeComponent(wrong)).rejects.toMatchObject({ code: 'ARTIFACT_INVALID' });
    }
  });
});

describe('discarding', () => {
  test('takes everything of an unpublished backup, and can be repeated', async () => {
    const { manifest, request } = await makeBackup(repository);
    await place.store.remove(`backups/${manifest.id}/manifest.json`);
    await repository.discard(request.backupId);
    await repository.discard(request.backupId);
    expect(await keysOf(place.store)).toEqual(['lifeboat.json']);
  });

  test('a published backup is not touched', async () => {
    const { manifest } = await makeBackup(repository);
    const before = await keysOf(place.store);
    await expect(repository.discard(manifest.id)).rejects.toMatchObject({ code: 'BACKUP_PUBLISHED' });
    expect(await keysOf(place.store)).toEqual(before);
  });
});

describe('listing', () => {
  test('is newest first, leaves out what is not published and names what cannot be trusted', async () => {
    const old = await makeBackup(repository);
    const bad = await makeBackup(repository, { createdAt: '2026-01-16T10:30:00.000Z' });
    const young = await makeBackup(repository, { createdAt: '2026-01-17T10:30:00.000Z' });
    await repository.beginBackup({ ...begin, createdAt: '2026-01-18T10:30:00.000Z', owner: 'running' });
    const key = `backups/${bad.manifest.id}/manifest.json`;
    const altered = (await collectBytes(await place.store.get(key))).toString('utf8').replace('18.6', '18.7');
    await place.store.put(key, Buffer.from(altered));

    const records = await repository.list();
    expect(records.map(({ id, status }) => [id, status])).toEqual([
      [young.manifest.id, 'complete'],
      [bad.manifest.id, 'damaged'],
      [old.manifest.id, 'complete'],
    ]);
    expect(records[1]).toMatchObject({ createdAt: '2026-01-16T10:30:00.000Z', components: {}, signed: false });
    expect(records[0]).toMatchObject({ signed: true, encrypted: true, durationMs: 9000, label: { by: 'test' } });
    expect(records[0]?.components.postgres).not.toHaveProperty('artifacts');
    expect(await repository.record(young.manifest)).toEqual(records[0]);
    await expect(repository.load(bad.manifest.id)).rejects.toMatchObject({ code: 'MANIFEST_SIGNATURE_INVALID' });
  });

  test('latest is the newest published one, and is not passed over when it is damaged', async () => {
    await expect(repository.load('latest')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await makeBackup(repository);
    const { manifest } = await makeBackup(repository, { createdAt: '2026-01-16T10:30:00.000Z' });
    expect((await repository.load('latest')).id).toBe(manifest.id);
    await place.store.put(`backups/${manifest.id}/manifest.json`, Buffer.from('{}\n'));
    await expect(repository.load('latest')).rejects.toMatchObject({ code: 'MANIFEST_SIGNATURE_INVALID' });
  });

  test.each(['', 'nonsense', '../../etc', 'backup-2026-01-15T10-30-00-000Z'])('%j is not found', async (id) => {
    await expect(repository.load(id)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await expect(repository.verify(id, OPERATION)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
  });

  test('the time of a clean verification is told', async () => {
    await makeBackup(repository);
    expect((await repository.list())[0]?.verifiedAt).toBeNull();
    await repository.verify('latest', OPERATION);
    const verifiedAt = (await repository.list())[0]?.verifiedAt ?? '';
    expect(Date.now() - Date.parse(verifiedAt)).toBeLessThan(60_000);
  });

  test('an artifact that is not there is not found', async () => {
    const { manifest } = await makeBackup(repository);
    const reading = collectBytes(repository.readArtifact(manifest, 'redis', 'dump', OPERATION));
    await expect(reading).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
  });
});

describe('who is trusted', () => {
  test('a reader with the public key trusts, one with another key does not, one without any cannot tell', async () => {
    const { manifest } = await makeBackup(repository);
    const stranger = await openPlace();
    const open = (trustedKeys: readonly TestPlace['signer'][]) =>
      openRepository({
        store: place.store,
        keyring: place.keyring,
        trustedKeys: trustedKeys.map(({ publicKey }) => publicKey),
      });
    expect((await (await open([place.signer])).list())[0]?.signed).toBe(true);
    expect((await (await open([stranger.signer, place.signer])).list())[0]?.signed).toBe(true);
    expect((await (await open([])).list())[0]).toMatchObject({ signed: false, status: 'complete' });
    const wary = await open([stranger.signer]);
    expect((await wary.list())[0]?.status).toBe('damaged');
    await expect(wary.load(manifest.id)).rejects.toMatchObject({ code: 'MANIFEST_SIGNATURE_INVALID' });
    await stranger.remove();
  });

  test('a backup of another repository is not taken for one of this', async () => {
    const other = await openPlace();
    const foreign = await makeBackup(await createRepository({ ...other, group: 'default', signer: place.signer }));
    for (const { key } of await collect(other.store.list('backups/'))) {
      await place.store.put(key, await other.store.get(key));
    }
    await expect(repository.load(foreign.manifest.id)).rejects.toMatchObject({ code: 'MANIFEST_FOREIGN' });
    await other.remove();
  });

  test('the wrong keyring is named as such, a missing one too', async () => {
    const { manifest } = await makeBackup(repository);
    const wrong = await generateKeyring(`${place.folder}/wrong.json`);
    for (const [keyring, code] of [
      [wrong, 'KEY_MISMATCH'],
      [undefined, 'KEY_REQUIRED'],
    ] as const) {
      const options = keyring === undefined ? {} : { keyring };
      const reader = await openRepository({ store: place.store, ...options, trustedKeys: [place.signer.publicKey] });
      const reading = collectBytes(reader.readArtifact(manifest, 'redis', 'snapshot', OPERATION));
      await expect(reading).rejects.toMatchObject({ code });
      expect((await reader.verify(manifest.id, OPERATION)).map((problem) => problem.code)).toEqual([code]);
    }
  });
});

test('a restore record is kept once and comes back as it was', async () => {
  const record = { restoreId: 'restore-1', undo: { database: 'auth__replaced' }, at: CREATED_AT };
  await repository.keepRestore(record);
  await repository.keepRestore(record);
  await expect(repository.keepRestore({ restoreId: 'restore-1' })).rejects.toMatchObject({ code: 'STORE_KEY_EXISTS' });
  expect(await repository.loadRestore('restore-1')).toEqual(record);
  await expect(repository.loadRestore('restore-2')).rejects.toMatchObject({ code: 'RESTORE_NOT_FOUND' });
  await expect(repository.loadRestore('../lifeboat')).rejects.toMatchObject({ code: 'RESTORE_NOT_FOUND' });
});
