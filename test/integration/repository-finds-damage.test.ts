// Goal: whatever happens to the bytes of a stored backup is found and named, by verify and by a restore that reads them.
// Method: a published, encrypted, signed backup in a directory; one change at a time, verified, undone; fixed seed.
import { chmod, cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Problem } from '../../src/domain/backup.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { collectBytes } from '../support/collect.ts';
import {
  type MadeBackup,
  makeBackup,
  openPlace,
  openWriter,
  OPERATION,
  type TestPlace,
} from '../unit/repository/fixture.ts';

const SEED = 20_260_115;
const FLIPS = 200;

let place: TestPlace;
let repository: Repository;
let made: MadeBackup;
let root: string;
let files: string[];

beforeAll(async () => {
  place = await openPlace('disk');
  repository = await openWriter(place);
  root = join(place.folder, 'store');
  await makeBackup(repository, { createdAt: '2026-01-14T10:30:00.000Z' });
  made = await makeBackup(repository);
  await makeBackup(repository, { createdAt: '2026-01-16T10:30:00.000Z' });
  const { id } = made.manifest;
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  files = all
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes(`/backups/${id}/`) || path.endsWith(`keys/${id}.json`))
    .toSorted();
});

afterAll(async () => {
  await place.remove();
});

/** Numerical Recipes' linear congruence: the same places in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
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

const verify = async (): Promise<Problem[]> => repository.verify(made.manifest.id, OPERATION);
const verifyChain = async (): Promise<Problem[]> => repository.verifyChain();
const codes = (problems: readonly Problem[]): string[] => problems.map(({ code }) => code);
const fileOf = (ending: string): string => files.find((path) => path.endsWith(ending)) ?? 'no such file';
const objectFiles = (): string[] => files.filter((path) => path.endsWith('.esdk'));

test('the untouched backup is sound, and so is the chain', async () => {
  expect(await verify()).toEqual([]);
  expect(await verifyChain()).toEqual([]);
  expect(files).toHaveLength(14);
});

test(`each of ${FLIPS} flipped bits, anywhere in its files, is found`, async () => {
  const random = createRandom(SEED);
  const missed: string[] = [];
  const sizes = await Promise.all(files.map(async (path) => (await readFile(path)).length));
  for (let flip = 0; flip < FLIPS; flip += 1) {
    // Half of them by size, so that they hit data; half of them evenly over the files, so that they hit the small ones.
    const path = files[flip % 2 === 0 ? pickBySize(sizes, random) : random(files.length)] ?? '';
    const original = await readFile(path);
    const changed = Buffer.from(original);
    const position = random(changed.length);
    changed[position] = (changed[position] ?? 0) ^ (1 << random(8));
    await writeFile(path, changed);
    if ((await verify()).length === 0) missed.push(`${path} at ${position}`);
    await writeFile(path, original);
  }
  expect(missed).toEqual([]);
  expect(await verify()).toEqual([]);
});

function pickBySize(sizes: readonly number[], random: (below: number) => number): number {
  let place = random(sizes.reduce((sum, size) => sum + size, 0));
  return sizes.findIndex((size) => (place -= size) < 0);
}

test('a flipped byte in an object names the object, and a restore that reads it fails', async () => {
  for (const path of objectFiles()) {
    const size = (await readFile(path)).length;
    for (const position of [0, 100, Math.floor(size / 2), size - 1]) {
      await withDamage(
        async () => {
          const bytes = await readFile(path);
          bytes[position] = (bytes[position] ?? 0) ^ 0x80;
          await writeFile(path, bytes);
        },
        async () => {
          const [problem, ...others] = await verify();
          expect(others).toEqual([]);
          expect(problem?.code).toBe('OBJECT_DIGEST_MISMATCH');
          expect(path.endsWith(problem?.key ?? '-')).toBe(true);
          const [, component = '', name = ''] = /(postgres|redis)\/attempt-1\/([a-z]+)-/.exec(path) ?? [];
          const reading = collectBytes(
            repository.readArtifact(made.manifest, component === 'redis' ? 'redis' : 'postgres', name, OPERATION),
          );
          await expect(reading).rejects.toMatchObject({ code: 'OBJECT_DIGEST_MISMATCH' });
        },
      );
    }
  }
});

test('an object that is cut, or longer, has another size', async () => {
  const path = fileOf('dump-000002.zst.esdk');
  const size = (await readFile(path)).length;
  for (const cut of [0, 1, 200, size - 1]) {
    expect(codes(await withDamage(async () => truncate(path, cut), verify))).toEqual(['OBJECT_SIZE_MISMATCH']);
  }
  for (const tail of [Buffer.from('x'), await readFile(path)]) {
    const problems = await withDamage(async () => writeFile(path, tail, { flag: 'a' }), verify);
    expect(codes(problems)).toEqual(['OBJECT_SIZE_MISMATCH']);
  }
});

test('two objects that changed places are both named', async () => {
  const [first, second] = [fileOf('dump-000001.zst.esdk'), fileOf('dump-000002.zst.esdk')];
  const problems = await withDamage(async () => {
    await rename(first, `${first}.x`);
    await rename(second, first);
    await rename(`${first}.x`, second);
  }, verify);
  expect(codes(problems)).toEqual(['OBJECT_MISPLACED', 'OBJECT_MISPLACED']);
});

test('an object that is missing is named, whichever it is', async () => {
  for (const path of objectFiles()) {
    const problems = await withDamage(async () => rm(path), verify);
    expect(problems).toMatchObject([{ code: 'OBJECT_MISSING', backupId: made.manifest.id }]);
    expect(path.endsWith(problems[0]?.key ?? '-')).toBe(true);
  }
});

test('the small files are missed, too', async () => {
  const expected = [
    ['postgres/attempt-1/index.json', 'OBJECT_MISSING'],
    ['/begin.json', 'OBJECT_DIGEST_MISMATCH'],
    ['manifest.json.minisig', 'MANIFEST_SIGNATURE_INVALID'],
    [`keys/${made.manifest.id}.json`, 'KEY_MISSING'],
  ] as const;
  for (const [ending, code] of expected) {
    const path = ending === '/begin.json' ? join(root, 'backups', made.manifest.id, 'begin.json') : fileOf(ending);
    expect(codes(await withDamage(async () => rm(path), verify))).toEqual([code]);
  }
});

test('an added object is named, but not what an earlier attempt left', async () => {
  const folder = join(root, 'backups', made.manifest.id);
  const added = ['extra', 'redis/attempt-1/snapshot-000002.zst.esdk', 'redis/attempt-9/snapshot-000001.zst.esdk'];
  for (const name of added) {
    const add = async (): Promise<void> => {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), 'x');
    };
    const expected = [{ code: 'OBJECT_UNEXPECTED', key: `backups/${made.manifest.id}/${name}` }];
    expect(await withDamage(add, verify)).toMatchObject(expected);
    expect(await withDamage(add, verifyChain)).toMatchObject(expected);
  }

  const { backupId } = await repository.beginBackup({
    kind: 'full',
    createdAt: '2026-01-17T10:30:00.000Z',
    owner: 'late',
    codec: made.request.codec,
  });
  expect(await repository.claimAttempt(backupId, 'redis')).toBe(1);
  expect(await verifyChain()).toEqual([]);
});

test('every changed field of the manifest is noticed', async () => {
  const path = fileOf('manifest.json');
  const text = await readFile(path, 'utf8');
  const changes: [string, string][] = [
    ['"plainBytes":5000', '"plainBytes":5001'],
    ['"lsn":"0/16B3748"', '"lsn":"0/16B3749"'],
    ['"kind":"full"', '"kind":"incremental"'],
    ['"by":"test"', '"by":"me"'],
    [made.manifest.previousManifest?.sha256 ?? '-', '0'.repeat(64)],
    ['{"codec"', '{ "codec"'],
  ];
  for (const [from, to] of changes) {
    expect(text).toContain(from);
    const problems = await withDamage(async () => writeFile(path, text.replace(from, to)), verify);
    expect(codes(problems)).toEqual(['MANIFEST_SIGNATURE_INVALID']);
  }
});

test('a manifest with its signature under another id is refused', async () => {
  const other = join(root, 'backups/backup-2026-01-14T10-30-00-000Z');
  const problems = await withDamage(async () => {
    for (const name of ['manifest.json', 'manifest.json.minisig']) await cp(join(other, name), fileOf(name));
  }, verify);
  expect(codes(problems)).toEqual(['MANIFEST_INVALID']);
});

test('a removed or replaced manifest breaks the chain', async () => {
  const removed = await withDamage(
    async () => rm(join(root, 'backups', made.manifest.id), { recursive: true }),
    verifyChain,
  );
  expect(removed).toMatchObject([{ code: 'MANIFEST_CHAIN_BROKEN', backupId: made.manifest.id }]);
  const first = 'backup-2026-01-14T10-30-00-000Z';
  const firstRemoved = await withDamage(async () => rm(join(root, 'backups', first), { recursive: true }), verifyChain);
  expect(firstRemoved).toMatchObject([{ code: 'MANIFEST_CHAIN_BROKEN', backupId: first }]);

  // Signed by the right key, but not the one that the next manifest saw.
  const replaced = await withDamage(async () => {
    await rm(join(root, 'backups', made.manifest.id), { recursive: true });
    await makeBackup(repository);
  }, verifyChain);
  expect(codes(replaced)).toContain('MANIFEST_CHAIN_BROKEN');
});

test('the data key of another backup does not open this one', async () => {
  const keys = join(root, 'keys');
  const swapped = await withDamage(
    async () => cp(join(keys, 'backup-2026-01-14T10-30-00-000Z.json'), join(keys, `${made.manifest.id}.json`)),
    verify,
  );
  expect(codes(swapped)).toEqual(['KEY_DAMAGED']);
});

test('an object of another backup in the place of one is named', async () => {
  const path = fileOf('snapshot-000001.zst.esdk');
  const from = path.replace(made.manifest.id, 'backup-2026-01-14T10-30-00-000Z');
  const problems = await withDamage(async () => cp(from, path), verify);
  expect(codes(problems)).toEqual([expect.stringMatching(/^OBJECT_(SIZE|DIGEST)_MISMATCH$/)]);
});

test('without encryption the digests alone find flips, swaps, cuts and additions', async () => {
  const plain = await openPlace('disk');
  const unencrypted = await openWriter(plain);
  const { manifest } = await makeBackup(unencrypted, { codec: { ...made.request.codec, encryption: 'none' } });
  const look = async (): Promise<string[]> => codes(await unencrypted.verify(manifest.id, OPERATION));
  expect(await look()).toEqual([]);
  const folder = join(plain.folder, 'store/backups', manifest.id, 'postgres/attempt-1');
  const [first, second] = ['dump-000001.zst', 'dump-000002.zst'].map((name) => join(folder, name)) as [string, string];
  const bytes = await readFile(first);
  const random = createRandom(SEED);
  for (let flip = 0; flip < 20; flip += 1) {
    const changed = Buffer.from(bytes);
    const position = random(changed.length);
    changed[position] = (changed[position] ?? 0) ^ (1 << random(8));
    await writeFile(first, changed);
    expect(await look()).toEqual(['OBJECT_DIGEST_MISMATCH']);
  }
  await writeFile(first, bytes.subarray(0, -1));
  expect(await look()).toEqual(['OBJECT_SIZE_MISMATCH']);
  await writeFile(first, await readFile(second));
  await writeFile(second, bytes);
  expect(await look()).toEqual(['OBJECT_DIGEST_MISMATCH', 'OBJECT_DIGEST_MISMATCH']);
  await plain.remove();
});

const asOtherThanRoot = process.geteuid?.() === 0 ? test.skip : test;
asOtherThanRoot('a store that may not be read is an error, not damage (needs a user other than root)', async () => {
  const path = fileOf('snapshot-000001.zst.esdk');
  await withDamage(
    async () => chmod(path, 0o000),
    async () => expect(verify()).rejects.toMatchObject({ code: 'STORE_DENIED' }),
  );
});
