import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WRITTEN_PREFIXES } from '../../../src/repository/layout.ts';
import { TEMPORARY_MARK } from '../../../src/storage/local-write.ts';
import { openPlace, openWriter, OPERATION, type TestPlace } from './fixture.ts';

/** Whatever in the code names a place in a store: text that begins with a word and a slash, other than what is imported. */
const PLACE = /(?<!from |import\()['"`]([a-z]+\/)/g;
/** Where objects are put. */
const FOLDER = 'repository';
const FILES = [
  'failover/epoch.ts',
  'cli/local/check-repository.ts',
  'storage/doctor/probe.ts',
  'storage/require-conditional-writes.ts',
];
/** Such text that is no place: the name of the program in a manifest. */
const NO_PLACES = ['lifeboat/'];
const SRC = join(import.meta.dirname, '../../../src');

test('every prefix that the code writes below is one that a cleanup passes over', async () => {
  const found = await readdir(join(SRC, FOLDER), { recursive: true });
  const paths = [...FILES, ...found.filter((name) => name.endsWith('.ts')).map((name) => `${FOLDER}/${name}`)];
  const used = new Map<string, string>();
  for (const path of paths) {
    for (const [, prefix = ''] of (await readFile(join(SRC, path), 'utf8')).matchAll(PLACE)) used.set(prefix, path);
  }
  for (const name of NO_PLACES) used.delete(name);
  const known: readonly string[] = WRITTEN_PREFIXES;
  expect([...used].filter(([prefix]) => !known.includes(prefix))).toEqual([]);
  // And the reverse, so that the question is known to find them.
  expect(known.filter((prefix) => !used.has(prefix))).toEqual([]);
});

describe('below every prefix', () => {
  let place: TestPlace;
  beforeEach(async () => void (place = await openPlace('disk')));
  afterEach(async () => place.remove());

  test('an unfinished write goes when it is old, and objects stay; of a probe that died nothing stays', async () => {
    const repository = await openWriter(place);
    for (const prefix of WRITTEN_PREFIXES) {
      const folder = join(place.folder, 'store', prefix, 'thing');
      await mkdir(folder, { recursive: true });
      await place.store.put(`${prefix}thing/record.json`, Buffer.from('{}'));
      await writeFile(join(folder, `other.json${TEMPORARY_MARK}1`), 'half');
    }
    const old = { nowMs: Date.now() + 3_600_000, olderThanMs: 60_000 };
    const young = await repository.cleanup.removeUnreferenced({ ...old, nowMs: Date.now() }, OPERATION);
    expect(young).toMatchObject({ unfinishedWrites: 0, leftovers: [] });
    const removed = await repository.cleanup.removeUnreferenced({ ...old, olderThanMs: 0 }, OPERATION);
    expect(removed).toMatchObject({
      unfinishedWrites: WRITTEN_PREFIXES.length,
      leftovers: [{ key: 'probe/thing/record.json' }],
    });
    const staying = WRITTEN_PREFIXES.filter((prefix) => prefix !== 'probe/').map(
      (prefix) => `${prefix}thing/record.json`,
    );
    for (const key of staying) expect(await place.store.head(key)).toBeDefined();
    expect(await place.store.head('probe/thing/record.json')).toBeUndefined();
  });
});
