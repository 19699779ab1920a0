import { JOURNAL_START } from '../../../src/domain/backup.ts';
import { type CopyMemory, createCopyMemory } from '../../../src/repository/replicate/copy-memory.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { collectBytes } from '../../support/collect.ts';
import { caught } from '../../support/caught.ts';
import { makeBackup, OPERATION, openPlace, openWriter, PLAIN, type TestPlace } from './fixture.ts';
import { openStream, openWal, putChunk, putPiece, streamDurable, walDurable } from './journal-fixture.ts';

const LATER = '2026-01-15T11:30:00.000Z';
const ALL = { backup: 'all', check: 'size' } as const;
const EVERY_BYTE = { backup: 'all', check: 'digest' } as const;

let place: TestPlace;
let to: ObjectStore;
beforeEach(async () => {
  place = await openPlace();
  to = createMemoryStore();
});
afterEach(async () => place.remove());

const openTarget = async (store = to): ReturnType<typeof openWriter> => openWriter({ ...place, store });

async function contents(store: ObjectStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of store.list('')) {
    if (!key.startsWith('verified/')) found[key] = (await collectBytes(await store.get(key))).toString('base64');
  }
  return found;
}

/** A store whose puts go through `change` first. */
function storeThat(put: ObjectStore['put']): ObjectStore {
  return { ...to, put };
}

test('a target gets backups and journals byte for byte, is sound by itself, and gets nothing a second time', async () => {
  const repository = await openWriter(place);
  await makeBackup(repository);
  const wal = await openWal(repository.journals);
  await putPiece(wal, 0, 70_000);
  await wal.commit(walDurable(70_000));
  const second = await makeBackup(repository, { createdAt: LATER });
  const first = await repository.replicate(to, ALL, OPERATION);
  expect([first.backups.length, first.present, first.problems]).toEqual([2, 0, []]);
  expect(await contents(to)).toEqual(await contents(place.store));
  const target = await openTarget();
  expect(await target.verify(second.manifest.id, OPERATION)).toEqual([]);
  expect(await target.verifyChain()).toEqual([]);
  expect(await target.journals.verify('postgres', OPERATION)).toEqual([]);
  for (const request of [ALL, EVERY_BYTE]) {
    const again = await repository.replicate(to, request, OPERATION);
    expect(again).toEqual({ backups: [], present: 2, objects: 0, bytes: 0, problems: [] });
  }
});

test('a backup brings those before it, not those after it', async () => {
  const repository = await openWriter(place);
  const { manifest } = await makeBackup(repository);
  const later = await makeBackup(repository, { createdAt: LATER });
  await repository.replicate(to, { backup: manifest.id, check: 'size' }, OPERATION);
  expect((await (await openTarget()).list()).map(({ id }) => id)).toEqual([manifest.id]);
  const { backups } = await repository.replicate(to, { backup: later.manifest.id, check: 'size' }, OPERATION);
  expect(backups).toEqual([later.manifest.id]);
});

test('a copy that breaks off anywhere lists nothing there, and goes on with what is missing', async () => {
  const repository = await openWriter(place);
  await makeBackup(repository);
  const whole = Object.keys(await contents(place.store)).length;
  for (let allowed = 0; allowed < whole; allowed += 1) {
    to = createMemoryStore();
    let puts = 0;
    const breaking = storeThat(async (...args) => {
      if ((puts += 1) > allowed) throw new Error('line cut');
      return to.put(...args);
    });
    await expect(repository.replicate(breaking, ALL, OPERATION)).rejects.toThrow('line cut');
    if (allowed > 0) expect(await (await openTarget()).list()).toEqual([]);
    const { objects } = await repository.replicate(to, ALL, OPERATION);
    expect(objects).toBeLessThanOrEqual(whole - Math.max(allowed, 1));
    expect(await contents(to)).toEqual(await contents(place.store));
  }
});

test('a target that drops the end of what it accepts is found by reading back, and lists no backup', async () => {
  const repository = await openWriter(place);
  await makeBackup(repository);
  const short = storeThat(async (key, body, options) => {
    const bytes = body instanceof Uint8Array ? body : await collectBytes(body);
    const { sizeBytes } = await to.put(key, key.endsWith('.esdk') ? bytes.subarray(0, -1) : bytes, options);
    return { sizeBytes: sizeBytes + 1 };
  });
  const error = await caught(() => repository.replicate(short, ALL, OPERATION));
  expect([error.code, error.rule.retry]).toEqual(['TARGET_COPY_WRONG', 'transient']);
  expect(await (await openTarget()).list()).toEqual([]);
});

test('objects of a target that were swapped and cut are named by verification and put right by a copy of every byte', async () => {
  const repository = await openWriter(place);
  const { manifest } = await makeBackup(repository);
  await repository.replicate(to, ALL, OPERATION);
  const [one, other, third] = manifest.components.postgres!.artifacts[0]!.objects.map(({ key }) => key);
  const [first, second, cut] = await Promise.all(
    [one!, other!, third!].map(async (key) => collectBytes(await to.get(key))),
  );
  await Promise.all([to.put(one!, second!), to.put(other!, first!), to.put(third!, cut!.subarray(1))]);
  const target = await openTarget();
  const named = (await target.verify(manifest.id, OPERATION)).map(({ key }) => key);
  expect(new Set(named)).toEqual(new Set([one, other, third]));
  expect((await repository.replicate(to, EVERY_BYTE, OPERATION)).backups).toEqual([manifest.id]);
  expect(await target.verify(manifest.id, OPERATION)).toEqual([]);
});

test('another repository at the place of a target is refused and left as it is', async () => {
  const other = await openPlace();
  await makeBackup(await openWriter(other));
  const repository = await openWriter(place);
  await makeBackup(repository);
  const before = await contents(other.store);
  const error = await caught(() => repository.replicate(other.store, ALL, OPERATION));
  expect(error.code).toBe('TARGET_FOREIGN');
  expect(await contents(other.store)).toEqual(before);
  await other.remove();
});

test('what is damaged in the repository is named, and holds up nothing else', async () => {
  const repository = await openWriter(place);
  const { manifest } = await makeBackup(repository);
  const later = await makeBackup(repository, { createdAt: LATER });
  const { key } = manifest.components.redis!.artifacts[0]!.objects[0]!;
  await place.store.remove(key);
  const { backups, problems } = await repository.replicate(to, ALL, OPERATION);
  expect(backups).toEqual([later.manifest.id]);
  expect(problems).toMatchObject([{ backupId: manifest.id, key, code: 'OBJECT_MISSING' }]);
});

test('a journal is copied while it goes on, across sealed chapters, and its end never goes back', async () => {
  const repository = await openWriter(place);
  const writer = await openStream(repository.journals, { codec: PLAIN });
  const writeTo = async (from: number, end: number): Promise<void> => {
    for (let at = from; at < end; at += 1) {
      await putChunk(writer, at * 10, at * 10 + 10);
      await writer.commit(streamDurable(at * 10 + 10));
    }
  };
  const target = async (): Promise<string> => {
    const { journals } = await openTarget();
    expect(await journals.verify('redis', OPERATION)).toEqual([]);
    return String((await journals.catalog('redis')).epochs[0]?.durable.at);
  };
  await writeTo(0, 100);
  await repository.replicate(to, ALL, OPERATION);
  expect(await target()).toBe('1000');
  const early = Object.fromEntries(
    await Promise.all(Object.keys(await contents(to)).map(async (key) => [key, await collectBytes(await to.get(key))])),
  );
  await writeTo(100, 300);
  await repository.replicate(to, ALL, OPERATION);
  expect(await target()).toBe('3000');
  const open = Object.keys(early).find((key) => key.endsWith('/open.json'))!;
  // A run that looked before the others and arrives after them.
  const late: ObjectStore = {
    ...place.store,
    get: async (key, options) => (key === open ? lateOpen(early[open]) : place.store.get(key, options)),
  };
  await (await openWriter({ ...place, store: late })).replicate(to, ALL, OPERATION);
  expect(await target()).toBe('3000');
});

async function lateOpen(bytes: Buffer): ReturnType<ObjectStore['get']> {
  const store = createMemoryStore();
  await store.put('open', bytes);
  return store.get('open');
}

describe('what was removed from the repository', () => {
  const WHY = { removedAt: '2026-03-01T00:00:00.000Z', reasons: ['it is older than 7 days'] };

  test('stays listed at a target that has it, and is explained to one that never had it', async () => {
    const repository = await openWriter(place);
    const { manifest } = await makeBackup(repository);
    const old = createMemoryStore();
    await repository.replicate(old, ALL, OPERATION);
    await repository.cleanup.hideBackup(manifest.id, WHY);
    await repository.cleanup.purgeBackup(manifest.id, OPERATION);
    const later = await makeBackup(repository, { createdAt: LATER });
    for (const store of [old, to]) await repository.replicate(store, ALL, OPERATION);
    const [before, after] = [await openTarget(old), await openTarget()];
    expect((await before.list()).map(({ id }) => id)).toEqual([later.manifest.id, manifest.id]);
    expect((await after.list()).map(({ id }) => id)).toEqual([later.manifest.id]);
    for (const target of [before, after]) expect(await target.verifyChain()).toEqual([]);
  });

  test('is listed at a target again once it was called back', async () => {
    const repository = await openWriter(place);
    const { manifest } = await makeBackup(repository);
    await repository.cleanup.hideBackup(manifest.id, WHY);
    await makeBackup(repository, { createdAt: LATER });
    await repository.replicate(to, ALL, OPERATION);
    expect(await (await openTarget()).list()).toHaveLength(1);
    await repository.cleanup.recallBackup(manifest.id);
    await repository.replicate(to, ALL, OPERATION);
    expect(await (await openTarget()).list()).toHaveLength(2);
    expect(await (await openTarget()).verifyChain()).toEqual([]);
  });
});

describe('journals that go on', () => {
  const pass = async (repository: Repository, memory: CopyMemory): ReturnType<Repository['replicateJournals']> =>
    repository.replicateJournals(to, { memory, operation: OPERATION });
  const durableAt = async (): Promise<(string | undefined)[]> =>
    (await (await openTarget()).journals.catalog('redis')).epochs.map(({ durable }) => durable.at);

  test('are at a target after each pass, which costs what is new', async () => {
    const repository = await openWriter(place);
    const memory = createCopyMemory();
    const first = await openStream(repository.journals, { codec: PLAIN });
    await putChunk(first, 0, 10);
    await first.commit(streamDurable(10));
    await pass(repository, memory);
    expect(await durableAt()).toEqual(['10']);
    const second = await openStream(repository.journals, {
      codec: PLAIN,
      from: 10,
      continues: (await repository.journals.catalog('redis')).epochs[0]!,
    });
    await putChunk(second, 10, 20);
    await second.commit(streamDurable(20));
    // An epoch that another one follows is looked at twice more, and then not any more.
    for (let n = 0; n < 2; n += 1) await pass(repository, memory);
    expect(await durableAt()).toEqual(['10', '20']);
    const asked: string[] = [];
    const watched: ObjectStore = {
      ...place.store,
      get: async (key, options) => (asked.push(key), place.store.get(key, options)),
    };
    await putChunk(second, 20, 30);
    await second.commit(streamDurable(30));
    const { objects, problems } = await pass(await openWriter({ ...place, store: watched }), memory);
    expect([objects, problems]).toEqual([2, []]);
    expect(asked.filter((key) => key.includes('/00000001/'))).toEqual([]);
    expect(await durableAt()).toEqual(['10', '30']);
    expect(await (await openTarget()).journals.verify('redis', OPERATION)).toEqual([]);
  });

  test('bring the snapshot that they begin with, and no other backup', async () => {
    const repository = await openWriter(place);
    await makeBackup(repository);
    const start = await makeBackup(repository, { createdAt: LATER, label: { reason: JOURNAL_START } });
    await openStream(repository.journals, { codec: PLAIN });
    await pass(repository, createCopyMemory());
    expect((await (await openTarget()).list()).map(({ id }) => id)).toEqual([start.manifest.id]);
  });

  test('reach a target whichever of two runs is first: the end never goes back', async () => {
    const repository = await openWriter(place);
    const writer = await openStream(repository.journals, { codec: PLAIN });
    const held = { open: async (): Promise<void> => {} };
    const slow: ObjectStore = {
      ...to,
      put: async (key, body, options) => {
        if (key.endsWith('/open.json')) await held.open();
        return to.put(key, body, options);
      },
    };
    await putChunk(writer, 0, 10);
    await writer.commit(streamDurable(10));
    await repository.replicate(to, ALL, OPERATION);
    await putChunk(writer, 10, 20);
    await writer.commit(streamDurable(20));
    // A run that has looked, and is about to write; and another one that is further, and faster.
    held.open = async () => {
      held.open = async () => {};
      await putChunk(writer, 20, 30);
      await writer.commit(streamDurable(30));
      await repository.replicate(to, ALL, OPERATION);
    };
    await repository.replicate(slow, ALL, OPERATION);
    expect(await durableAt()).toEqual(['30']);
  });

  test('of which one is damaged hold up the other not', async () => {
    const repository = await openWriter(place);
    const wal = await openWal(repository.journals, { codec: PLAIN });
    await putPiece(wal, 0, 70_000);
    await wal.commit(walDurable(70_000));
    const stream = await openStream(repository.journals, { codec: PLAIN });
    await putChunk(stream, 0, 10);
    await stream.commit(streamDurable(10));
    const [epoch] = (await repository.journals.catalog('postgres')).epochs;
    await place.store.remove(epoch!.entries[0]!.key);
    const { problems } = await pass(repository, createCopyMemory());
    expect(problems).toMatchObject([{ backupId: 'journals/postgres', code: 'OBJECT_MISSING' }]);
    expect(await durableAt()).toEqual(['10']);
  });
});

test('every object that an interrupted copy left is read back before its backup is listed, and the ledger of the target says when', async () => {
  const repository = await openWriter(place);
  const { manifest } = await makeBackup(repository);
  const { key, storedBytes } = manifest.components.redis!.artifacts[0]!.objects[0]!;
  // It died between writing and reading back, and the store had kept something else.
  await to.put(key, Buffer.alloc(storedBytes));
  await repository.replicate(to, ALL, OPERATION);
  const target = await openTarget();
  const [copy] = await target.list();
  expect(Date.parse(String(copy?.verifiedAt))).toBeGreaterThan(Date.now() - 60_000);
  expect(await target.verify(manifest.id, OPERATION)).toEqual([]);
});
