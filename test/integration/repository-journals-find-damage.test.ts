// Goal: whatever happens to the files of a journal is found and named, and nothing that is wrong is ever used.
// Method: two epochs with sealed chapters in a directory, signed and encrypted, and plain; one change at a time; fixed seed.
import { cp, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JournalEpoch } from '../../src/domain/journal.ts';
import { planStreamReplay } from '../../src/domain/stream-replay.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import type { Journals, JournalWriter } from '../../src/repository/journals/journals.ts';
import { collectBytes } from '../support/collect.ts';
import { ENCRYPTED, openPlace, openWriter, OPERATION, PLAIN, type TestPlace } from '../unit/repository/fixture.ts';
import {
  openStream,
  putChunk,
  REPLID,
  signal,
  START_MS,
  streamBytes,
  streamDurable,
} from '../unit/repository/journal-fixture.ts';

const SEED = 20_260_115;
const FLIPS = 36;
/** Marks of one entry that make its chapter long enough to be sealed. */
const MANY_MARKS = 45_000;
const SECOND = `journals/redis/${REPLID}/00000002`;

let place: TestPlace;
let journals: Journals;
let root: string;

/** Numerical Recipes' linear congruence: the same places in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

async function filesBelow(...folders: string[]): Promise<string[]> {
  const lists = folders.map(async (folder) =>
    (await readdir(join(root, folder), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return (await Promise.all(lists)).flat().toSorted();
}

/** Sealed chapters of one big entry each, then an open one with three small ones. */
async function writeEpoch(writer: JournalWriter, start: number, sealed: number): Promise<number> {
  let at = start;
  for (let chapter = 0; chapter < sealed; chapter += 1) {
    const to = at + MANY_MARKS;
    const facts = { kind: 'chunk', timeline: 0, from: String(at), to: String(to) } as const;
    const marks = Array.from({ length: MANY_MARKS }, () => [1, 1] as const);
    const times = { fromMs: START_MS + at, toMs: START_MS + to, marks };
    await writer.put({ ...facts, ...times }, streamBytes('redis', at, to), signal);
    await writer.commit(streamDurable(to));
    at = to;
  }
  for (let chunk = 0; chunk < 3; chunk += 1, at += 1000) await putChunk(writer, at, at + 1000);
  await writer.commit(streamDurable(at));
  return at;
}

/** Does something to the store, looks, and puts everything back. */
async function withDamage<T>(damage: () => Promise<unknown>, look: () => Promise<T>): Promise<T> {
  const saved = join(place.folder, 'saved');
  await rm(saved, { recursive: true, force: true });
  await cp(root, saved, { recursive: true, preserveTimestamps: true });
  try {
    await damage();
    return await look();
  } finally {
    await rm(root, { recursive: true });
    await rename(saved, root);
  }
}

/** The same with one file, which is all that is saved. */
async function withFile(path: string, damage: () => Promise<unknown>): Promise<string[]> {
  const bytes = await readFile(path);
  try {
    await damage();
    return await verify();
  } finally {
    await writeFile(path, bytes);
  }
}

const verify = async (): Promise<string[]> =>
  (await journals.verify('redis', OPERATION)).map(({ code, key }) => `${code} ${key.slice(key.lastIndexOf('/') + 1)}`);

/** What a restore would read, compared with what was written; a restore that fails is as good. */
async function readsWrong(epochs: readonly JournalEpoch[]): Promise<boolean> {
  const { parts } = planStreamReplay(epochs, { replid: REPLID, offset: 0, timeMs: START_MS });
  for (const { epoch, entry } of parts) {
    try {
      const bytes = await collectBytes(journals.read(epoch, entry, OPERATION));
      if (!bytes.equals(streamBytes('redis', Number(entry.from), Number(entry.to)))) return true;
    } catch {
      // Refused: nothing wrong was given out as good.
      return false;
    }
  }
  return false;
}

describe.each([
  ['signed and encrypted', ENCRYPTED],
  ['neither signed nor encrypted', PLAIN],
])('of a journal that is %s', (name, codec) => {
  beforeAll(async () => {
    place = await openPlace('disk');
    root = join(place.folder, 'store');
    const { store } = place;
    const repository = codec === PLAIN ? await createRepository({ store, group: 'default' }) : await openWriter(place);
    ({ journals } = repository);
    const at = await writeEpoch(await openStream(journals, { codec }), 0, 0);
    const [first] = (await journals.catalog('redis')).epochs;
    const writer = await openStream(journals, { codec, from: at, fromMs: START_MS + at, continues: first ?? null });
    const end = await writeEpoch(writer, at, 2);
    const [, second] = (await journals.catalog('redis')).epochs;
    const last = { codec, from: end, fromMs: START_MS + end, continues: second ?? null };
    await openStream(journals, last);
  }, 60_000);

  afterAll(async () => {
    await place.remove();
  });

  test('the untouched one is sound', async () => {
    expect(await verify()).toEqual([]);
    expect((await filesBelow(SECOND)).map((path) => path.slice(path.lastIndexOf('/') + 1))).toHaveLength(9);
  });

  test(`each of ${FLIPS} flipped bits, anywhere in its files, is found, and none gives other bytes`, async () => {
    const random = createRandom(SEED);
    const files = await filesBelow(SECOND, ...(codec === PLAIN ? [] : ['keys/journals']));
    const missed: string[] = [];
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const path = files[flip % files.length] ?? '';
      const original = await readFile(path);
      const changed = Buffer.from(original);
      const position = random(changed.length);
      changed[position] = (changed[position] ?? 0) ^ (1 << random(8));
      await writeFile(path, changed);
      // A process that has not seen the files before.
      const { store, signer, keyring } = place;
      const keys = codec === PLAIN ? {} : { signer, keyring };
      ({ journals } = await createRepository({ store, group: 'default', ...keys }));
      const found = await verify();
      if (found.length === 0) missed.push(`${path} at ${position}`);
      if (flip % 5 === 0 && (await readsWrong((await journals.catalog('redis')).epochs))) missed.push(`${path} read`);
      await writeFile(path, original);
    }
    expect({ name, missed }).toEqual({ name, missed: [] });
    expect(await verify()).toEqual([]);
  }, 300_000);

  test('each file that is removed, cut, or put in the place of another is named', async () => {
    const files = await filesBelow(SECOND);
    for (const [index, path] of files.entries()) {
      const file = path.slice(path.lastIndexOf('/') + 1);
      const removed = await withFile(path, async () => rm(path));
      expect({ file, removed }).toMatchObject({ removed: expect.arrayContaining([expect.stringContaining(file)]) });
      const cut = await withFile(path, async () => truncate(path, Math.floor((await stat(path)).size / 2)));
      expect({ file, cut }).toMatchObject({ cut: expect.arrayContaining([expect.stringContaining(file)]) });
      const other = files[(index + 1) % files.length] ?? '';
      const swapped = await withFile(path, async () => cp(other, path));
      expect({ file, swapped }).toMatchObject({ swapped: expect.arrayContaining([expect.stringContaining(file)]) });
      const foreign = path.replace('/00000002/', '/00000001/');
      const moved = await withFile(path, async () => cp(foreign, path).catch(async () => rm(path)));
      expect({ file, moved }).toMatchObject({ moved: expect.arrayContaining([expect.stringContaining(file)]) });
    }
  }, 300_000);

  test('a lost chapter takes only its own entries along: what is before and behind it is still listed', async () => {
    const { problems, epochs } = await withDamage(
      () => rm(join(root, SECOND, 'chapter-000001.json')),
      async () => (await fresh()).catalog('redis'),
    );
    expect(problems).toMatchObject([{ code: 'JOURNAL_DAMAGED', key: `${SECOND}/chapter-000001.json` }]);
    expect(epochs.map(({ entries }) => entries.length)).toEqual([3, 4, 0]);
    const { offset, next } = planStreamReplay(epochs, { replid: REPLID, offset: 0, timeMs: START_MS });
    const end = Number(epochs[0]?.durable.at);
    expect([offset, next]).toEqual([end, end + MANY_MARKS]);
  });

  test('a file that was added is named and never read; whole epochs that vanish are missed by the next', async () => {
    const add = async (file: string): Promise<string[]> =>
      withDamage(async () => {
        await mkdir(dirname(join(root, SECOND, file)), { recursive: true });
        await writeFile(join(root, SECOND, file), 'x');
      }, verify);
    expect(await add('notes.txt')).toEqual(['OBJECT_UNEXPECTED notes.txt']);
    expect(await add('chapter-000007.json')).toEqual(['OBJECT_UNEXPECTED chapter-000007.json']);
    expect(await add('deeper/x.json')).toEqual(['OBJECT_UNEXPECTED x.json']);
    const gone = await withDamage(() => rm(join(root, SECOND), { recursive: true }), verify);
    expect(gone).toEqual(['JOURNAL_DAMAGED open.json']);
  });

  async function fresh(): Promise<Journals> {
    const { store, signer, keyring } = place;
    const keys = codec === PLAIN ? {} : { signer, keyring };
    return (await createRepository({ store, group: 'default', ...keys })).journals;
  }
});
