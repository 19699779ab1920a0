import type { JournalEntry } from '../../../src/domain/journal.ts';
import { openRepository } from '../../../src/repository/open-repository.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { caught } from '../../support/caught.ts';
import { collect, collectBytes } from '../../support/collect.ts';
import { ENCRYPTED, openPlace, openWriter, OPERATION, PLAIN, type TestPlace } from './fixture.ts';
import {
  openStream,
  openWal,
  putChunk,
  putPiece,
  readBack,
  REPLID,
  SEGMENT_BYTES,
  signal,
  START_MS,
  streamBytes,
  streamDurable,
  SYSTEM,
  walDurable,
} from './journal-fixture.ts';

let place: TestPlace;
let repository: Repository;

beforeEach(async () => {
  place = await openPlace('memory');
  repository = await openWriter(place);
});

afterEach(async () => {
  await place.remove();
});

const verify = async (kind: 'postgres' | 'redis'): Promise<string[]> =>
  (await repository.journals.verify(kind, OPERATION)).map(({ code, key }) => `${code} ${key}`);

test.each([
  ['encrypted', ENCRYPTED],
  ['plain', PLAIN],
])('an %s journal gives back what went in, in the order it was written', async (_, codec) => {
  const writer = await openWal(repository.journals, { codec });
  await putPiece(writer, 0, 1000);
  await putPiece(writer, 1000, 70_000);
  await writer.commit(walDurable(70_000));
  await putPiece(writer, 0, SEGMENT_BYTES);
  await writer.commit(walDurable(SEGMENT_BYTES));

  const { epochs, problems } = await repository.journals.catalog('postgres');
  expect(problems).toEqual([]);
  const [epoch] = epochs;
  expect(epochs).toHaveLength(1);
  expect(epoch?.durable).toEqual(walDurable(SEGMENT_BYTES));
  expect(epoch?.entries.map(({ kind, from, to }) => [kind, from, to])).toEqual([
    ['piece', '0/0', '0/3E8'],
    ['piece', '0/3E8', '0/11170'],
    ['segment', '0/0', '0/100000'],
  ]);
  const ending = codec === PLAIN ? 'raw' : 'zst.esdk';
  expect(epoch?.entries.at(-1)?.key).toBe(`journals/postgres/${SYSTEM}/00000001/000000010000000000000000.${ending}`);
  const read = epoch && [...(await readBack(repository.journals, epoch)).values()];
  expect(read?.[1]?.equals(streamBytes('wal', 1000, 70_000))).toBe(true);
  expect(read?.[2]?.equals(streamBytes('wal', 0, SEGMENT_BYTES))).toBe(true);
  expect(await verify('postgres')).toEqual([]);
});

test('a redis journal keeps marks and the state of the stream', async () => {
  const writer = await openStream(repository.journals, { from: 100 });
  await putChunk(writer, 100, 250);
  const state = { database: 3, insideMulti: true, unfinishedBytes: 7 };
  await writer.commit(streamDurable(250), state);
  const [epoch] = (await repository.journals.catalog('redis')).epochs;
  expect(epoch).toMatchObject({ stream: state, closed: null, entries: [{ marks: [[150, 150]], timeline: 0 }] });
  await writer.close('handed over');
  expect((await repository.journals.catalog('redis')).epochs[0]).toMatchObject({
    closed: 'handed over',
    stream: state,
  });
  expect((await caught(() => writer.commit(streamDurable(250)))).code).toBe('INTERNAL');
});

test('long lists are sealed into chapters that chain, and an epoch of many reads back whole', async () => {
  const writer = await openStream(repository.journals, { codec: PLAIN });
  for (let at = 0; at < 300; at += 1) {
    await putChunk(writer, at * 10, at * 10 + 10);
    await writer.commit(streamDurable(at * 10 + 10));
  }
  const keys = (await collect(place.store.list('journals/'))).map(({ key }) => key);
  expect(keys.filter((key) => key.includes('chapter-'))).toHaveLength(2);
  const { epochs, problems } = await repository.journals.catalog('redis');
  expect(problems).toEqual([]);
  expect(epochs[0]?.entries.map(({ from }) => Number(from))).toEqual(Array.from({ length: 300 }, (_, at) => at * 10));
  expect(await verify('redis')).toEqual([]);
});

test('objects that are put at once are listed in the order of the calls', async () => {
  const slow = createMemoryStore();
  const store: ObjectStore = {
    ...slow,
    async put(key, body, options) {
      const delayMs = key.includes('00000000000000000000-') ? 50 : 0;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return slow.put(key, body, options);
    },
  };
  const writer = await openStream((await openWriter({ ...place, store })).journals, { codec: PLAIN });
  const first = putChunk(writer, 0, 10);
  await putChunk(writer, 10, 20);
  // The second is durable and the first is not yet: the commit waits, for a list is in order or it is a lie.
  await writer.commit(streamDurable(20));
  await first;
  const [epoch] = (await (await openWriter({ ...place, store })).journals.catalog('redis')).epochs;
  expect(epoch?.entries.map(({ from }) => from)).toEqual(['0', '10']);
});

test('an object that could not be stored does not hold back the next ones', async () => {
  let broken = true;
  const inner = createMemoryStore();
  const store: ObjectStore = {
    ...inner,
    async put(key, body, options) {
      if (broken && key.includes('-00000000000000000010')) throw new Error('store away');
      return inner.put(key, body, options);
    },
  };
  const { journals } = await openWriter({ ...place, store });
  const writer = await openStream(journals, { codec: PLAIN });
  await expect(putChunk(writer, 0, 10)).rejects.toThrow('store away');
  broken = false;
  await putChunk(writer, 0, 10);
  await putChunk(writer, 10, 20);
  await writer.commit(streamDurable(20));
  const [epoch] = (await journals.catalog('redis')).epochs;
  expect(epoch?.entries.map(({ from }) => from)).toEqual(['0', '10']);
});

test('a put whose answer was lost can be repeated, a listed one too, and other bytes in its place are refused', async () => {
  const writer = await openStream(repository.journals);
  const key = `journals/redis/${REPLID}/00000001/${'0'.repeat(20)}-${'0'.repeat(18)}10.zst.esdk`;
  await place.store.put(key, Buffer.from('what an earlier try left'));
  await putChunk(writer, 0, 10);
  await writer.commit(streamDurable(10));
  await putChunk(writer, 0, 10);
  await writer.commit(streamDurable(10));
  expect((await repository.journals.catalog('redis')).epochs[0]?.entries).toHaveLength(1);
  const facts = { kind: 'chunk', timeline: 0, from: '0', to: '10', fromMs: 0, toMs: 0 } as const;
  expect((await caught(() => writer.put(facts, Buffer.alloc(10), signal))).code).toBe('JOURNAL_SEGMENT_EXISTS');
  expect(await verify('redis')).toEqual([]);
});

test('bytes that do not fit their positions are refused before anything is stored', async () => {
  const writer = await openStream(repository.journals);
  const before = await collect(place.store.list('journals/'));
  for (const to of ['9', '11', '0']) {
    const facts = { kind: 'chunk', timeline: 0, from: '0', to, fromMs: 0, toMs: 0 } as const;
    expect((await caught(() => writer.put(facts, Buffer.alloc(10), signal))).code).toBe('INTERNAL');
  }
  expect(await collect(place.store.list('journals/'))).toHaveLength(before.length);
});

test('a commit that failed anywhere can be repeated, and nothing is lost or named twice', async () => {
  let failures = 0;
  let shallFail = (_key: string): boolean => false;
  const inner = createMemoryStore();
  const store: ObjectStore = {
    ...inner,
    async put(key, body, options) {
      // The object is there, and the answer is lost: the worst of failures.
      const result = await inner.put(key, body, options);
      if (!shallFail(key)) return result;
      failures += 1;
      throw new Error('connection reset');
    },
  };
  const { journals } = await openWriter({ ...place, store });
  const writer = await openStream(journals, { codec: PLAIN });
  let calls = 0;
  shallFail = (key) => /(open|chapter-\d+)\.json$/.test(key) && (calls += 1) % 3 === 0;
  for (let at = 0; at < 280; at += 1) {
    await putChunk(writer, at, at + 1);
    await writer.commit(streamDurable(at + 1)).catch(() => undefined);
  }
  shallFail = () => false;
  await writer.commit(streamDurable(280));
  expect(failures).toBeGreaterThan(50);
  const { epochs, problems } = await journals.catalog('redis');
  expect(problems).toEqual([]);
  expect(epochs[0]?.entries.map(({ from }) => Number(from))).toEqual(Array.from({ length: 280 }, (_, at) => at));
  expect(await journals.verify('redis', OPERATION)).toEqual([]);
});

test('who opens takes the next number over all histories, and every older writer is fenced at its next commit', async () => {
  const first = await openStream(repository.journals);
  await putChunk(first, 0, 10);
  await first.commit(streamDurable(10));
  const second = await openStream(repository.journals, { history: 'b'.repeat(40), from: 10 });
  expect([first.epoch, second.epoch]).toEqual([1, 2]);
  await putChunk(first, 10, 20);
  const fenced = await caught(() => first.commit(streamDurable(20)));
  expect(fenced.code).toBe('JOURNAL_FENCED');
  expect((await caught(() => first.close('late'))).code).toBe('JOURNAL_FENCED');
  await putChunk(second, 10, 30);
  await second.commit(streamDurable(30));
  const wal = await openWal(repository.journals);
  expect(wal.epoch).toBe(1);
});

test('of many that open at once each gets a number of its own, and only the highest can commit', async () => {
  const writers = await Promise.all(
    Array.from({ length: 8 }, async (_, index) =>
      openStream(repository.journals, { history: String(index % 3).repeat(40), codec: PLAIN }).catch(
        (error: unknown) => error,
      ),
    ),
  );
  const opened = writers.filter(
    (writer): writer is Awaited<ReturnType<typeof openStream>> => 'epoch' in Object(writer),
  );
  // One that was overtaken while it opened says so; it is never left believing that it may write.
  const others = writers.filter((writer) => !('epoch' in Object(writer)));
  expect(others.every((error) => Object(error).code === 'JOURNAL_FENCED')).toBe(true);
  expect(new Set(opened.map(({ epoch }) => epoch)).size).toBe(opened.length);
  const results = await Promise.allSettled(opened.map(async (writer) => writer.commit(streamDurable(0))));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect((await repository.journals.catalog('redis')).problems).toEqual([]);
});

test('an epoch whose writer died before its first commit is empty and no problem', async () => {
  const writer = await openStream(repository.journals, { from: 5, fromMs: START_MS + 5 });
  const keys = (await collect(place.store.list('journals/redis/a'))).map(({ key }) => key);
  await place.store.remove(keys.find((key) => key.endsWith('open.json')) ?? '');
  const { epochs, problems } = await repository.journals.catalog('redis');
  expect(problems).toEqual([]);
  expect(epochs).toMatchObject([{ entries: [], durable: streamDurable(5), closed: null }]);
  expect(await verify('redis')).toEqual([]);
  expect(writer.epoch).toBe(1);
});

test('what was put and not committed is no problem; what lies before the durable position and is not named is one', async () => {
  const writer = await openStream(repository.journals, { codec: PLAIN });
  await putChunk(writer, 0, 10);
  await writer.commit(streamDurable(10));
  await putChunk(writer, 10, 20);
  expect(await verify('redis')).toEqual([]);
  const strange = `journals/redis/${REPLID}/00000001/${'0'.repeat(20)}-${'0'.repeat(19)}5.raw`;
  await place.store.put(strange, Buffer.alloc(5));
  await place.store.put(`journals/redis/${REPLID}/00000001/notes.txt`, Buffer.alloc(5));
  await place.store.put('journals/redis/elsewhere/x.json', Buffer.alloc(5));
  expect(await verify('redis')).toEqual([
    `OBJECT_UNEXPECTED ${strange}`,
    `OBJECT_UNEXPECTED journals/redis/${REPLID}/00000001/notes.txt`,
    'OBJECT_UNEXPECTED journals/redis/elsewhere/x.json',
  ]);
});

test('holes are named: between entries, before the first, before what is durable, and a timeline without its history', async () => {
  const writer = await openWal(repository.journals, { codec: PLAIN });
  await putPiece(writer, 0, 100);
  await putPiece(writer, 200, 300);
  await writer.commit(walDurable(400));
  const holes = await verify('postgres');
  expect(holes.map((hole) => hole.split(' ')[0])).toEqual(['JOURNAL_GAP', 'JOURNAL_GAP']);

  const promoted = await openWal(repository.journals, { codec: PLAIN, from: 400, history: '99' });
  await putPiece(promoted, 0, 500);
  await putPiece(promoted, 450, 600, 2);
  await promoted.commit(walDurable(600, 2));
  const messages = (await repository.journals.verify('postgres', OPERATION)).map(({ message }) => message);
  expect(messages.at(-1)).toContain('timeline 2 without its history file');
  expect(messages).toHaveLength(3);

  const led = await openWal(repository.journals, { codec: PLAIN, from: 400, history: '100' });
  const history = { kind: 'history', timeline: 2, from: '', to: '', fromMs: START_MS, toMs: START_MS } as const;
  await putPiece(led, 0, 500);
  await led.put(history, Buffer.from('1\t0/1C2\tno recovery target specified\n'), signal);
  await putPiece(led, 450, 600, 2);
  await led.commit(walDurable(600, 2));
  expect(await verify('postgres')).toHaveLength(3);
});

test('an open chapter that is put back to an older state is given away by what goes on from it', async () => {
  const openKey = `journals/redis/${REPLID}/00000001/open.json`;
  const writer = await openStream(repository.journals);
  await putChunk(writer, 0, 10);
  await writer.commit(streamDurable(10));
  const older = await collectBytes(await place.store.get(openKey));
  await putChunk(writer, 10, 20);
  await writer.commit(streamDurable(20));
  const [before] = (await repository.journals.catalog('redis')).epochs;
  await openStream(repository.journals, { from: 20, fromMs: START_MS + 20, continues: before ?? null });
  expect(await verify('redis')).toEqual([]);
  await place.store.put(openKey, older);
  expect(await verify('redis')).toEqual([`JOURNAL_DAMAGED ${openKey}`]);
});

describe('where trusted keys are configured', () => {
  test('a journal that nobody signed, or that another key signed, is named and used for nothing', async () => {
    const unsigned = await openStream((await openUnsigned()).journals, { codec: PLAIN });
    await putChunk(unsigned, 0, 10);
    await unsigned.commit(streamDurable(10));
    const { epochs, problems } = await repository.journals.catalog('redis');
    expect(epochs).toEqual([]);
    expect(problems).toMatchObject([{ code: 'JOURNAL_DAMAGED', message: expect.stringContaining('not signed') }]);

    const other = await openPlace('memory');
    const stranger = await openWriter({ ...place, signer: other.signer });
    const foreign = await openStream(stranger.journals, { codec: PLAIN });
    await foreign.commit(streamDurable(0));
    const named = (await repository.journals.catalog('redis')).problems;
    expect(named[1]?.message).toContain(`signed by key ${other.signer.publicKey.id}, which is not trusted`);
    await other.remove();
  });

  test('a reader without keys of any kind reads what it can, and an encrypted entry says what is missing', async () => {
    const writer = await openStream(repository.journals);
    await putChunk(writer, 0, 10);
    await writer.commit(streamDurable(10));
    const reader = await openRepository({ store: place.store });
    const { epochs, problems } = await reader.journals.catalog('redis');
    expect(problems).toEqual([]);
    const [epoch] = epochs;
    const entry = epoch?.entries[0];
    if (epoch === undefined || entry === undefined) throw new Error('no entry');
    expect((await caught(() => collectBytes(reader.journals.read(epoch, entry, OPERATION)))).code).toBe('KEY_REQUIRED');
  });

  async function openUnsigned(): Promise<Repository> {
    const { createRepository } = await import('../../../src/repository/create-repository.ts');
    return createRepository({ store: place.store, group: 'default', keyring: place.keyring });
  }
});

test('an entry read as another entry, or for another epoch, is refused', async () => {
  const writer = await openStream(repository.journals);
  await putChunk(writer, 0, 10);
  await putChunk(writer, 10, 20);
  await writer.commit(streamDurable(20));
  const [epoch] = (await repository.journals.catalog('redis')).epochs;
  const [first, second] = epoch?.entries ?? [];
  if (epoch === undefined || first === undefined || second === undefined) throw new Error('no entries');
  const bytes = await collectBytes(await place.store.get(first.key));
  await place.store.put(second.key, bytes);
  const swapped: JournalEntry = { ...second, sha256: first.sha256, storedBytes: first.storedBytes };
  expect((await caught(() => collectBytes(repository.journals.read(epoch, swapped, OPERATION)))).code).toBe(
    'OBJECT_MISPLACED',
  );
});

test('a writer whose store was replaced by an empty place commits nothing more, and none is begun there', async () => {
  const writer = await openWal(repository.journals);
  await putPiece(writer, 0, 1000);
  await writer.commit(walDurable(1000));
  const kept = new Map<string, Uint8Array>();
  for await (const { key } of place.store.list('')) {
    kept.set(key, await collectBytes(await place.store.get(key)));
    await place.store.remove(key);
  }

  await putPiece(writer, 1000, 2000);
  expect(await caught(() => writer.commit(walDurable(2000)))).toMatchObject({ code: 'REPOSITORY_MISSING' });
  expect(await caught(() => openWal(repository.journals))).toMatchObject({ code: 'REPOSITORY_MISSING' });

  for (const [key, bytes] of kept) await place.store.put(key, bytes);
  await writer.commit(walDurable(2000));
  const [epoch] = (await repository.journals.catalog('postgres')).epochs;
  expect(epoch?.durable).toEqual(walDurable(2000));
});
