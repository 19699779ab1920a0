// Goal: data keys can be wrapped again for a new key at any time, and whatever happens meanwhile, every backup stays readable.
// Method: a thousand real backups and a journal in a directory; a child process that rewraps is killed at random, again and again;
// then every backup is read to its last byte with a keyring in which the old key does not open anything.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rotateKeyring } from '../../src/encryption/change-keyring.ts';
import { generateEscrowKey } from '../../src/encryption/escrow-key.ts';
import { type Keyring, loadKeyring } from '../../src/encryption/keyring.ts';
import { mapBounded } from '../../src/repository/map-bounded.ts';
import { openRepository } from '../../src/repository/open-repository.ts';
import type { Repository, RepositoryReader } from '../../src/repository/repository.ts';
import { collectBytes } from '../support/collect.ts';
import {
  chunks,
  ENCRYPTED,
  OPERATION,
  openPlace,
  openWriter,
  REDIS_FACTS,
  type TestPlace,
} from '../unit/repository/fixture.ts';

const BACKUPS = 1000;
const KILLS = 4;
/** A minute on a quiet machine; on one with much other work it takes ten times as long, and that is no defect. */
const LIMIT_MS = 900_000;
const PROGRAM = fileURLToPath(new URL('../support/programs/rewrap-and-say.ts', import.meta.url));

let place: TestPlace;
let keyringPath: string;
const contents = new Map<string, Buffer>();

beforeAll(async () => {
  place = await openPlace('disk');
  keyringPath = join(place.folder, 'keys/keyring.json');
  const repository = await openWriter(place);
  await mapBounded(Array(BACKUPS).keys(), 8, async (index) => makeSmallBackup(repository, index));
  await repository.journals.open({
    kind: 'redis',
    history: 'f'.repeat(40),
    from: { timeline: 0, at: '1', timeMs: 0 },
    continues: null,
    gap: null,
    attributes: {},
    codec: ENCRYPTED,
    startedAt: '2026-01-15T10:30:00.000Z',
  });
}, LIMIT_MS);

afterAll(async () => {
  await place.remove();
});

async function makeSmallBackup(repository: Repository, index: number): Promise<void> {
  const createdAt = new Date(Date.UTC(2026, 0, 15, 10, index)).toISOString();
  const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: createdAt, codec: ENCRYPTED });
  const attempt = await repository.claimAttempt(backupId, 'redis');
  const of = { backupId, component: 'redis', attempt, codec: ENCRYPTED } as const;
  const bytes = randomBytes(100);
  const artifact = await repository.writeArtifact(
    { ...of, name: 'snapshot', format: 'redis-rdb' },
    chunks(bytes),
    OPERATION,
  );
  const component = await repository.writeComponent({ ...of, facts: REDIS_FACTS, artifacts: [artifact] });
  await repository.publish({
    backupId,
    kind: 'full',
    codec: ENCRYPTED,
    label: {},
    holds: [],
    components: [component],
    recoveryPoint: { time: createdAt },
    createdAt,
    finishedAt: createdAt,
    warnings: [],
  });
  contents.set(backupId, bytes);
}

/** Runs until it is done, and gives what it says then; nothing where it was killed at the key of this number. */
async function rewrap(killAt: number, escrow: readonly string[] = []): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, place.folder, String(killAt), ...escrow];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return (await collectBytes(child.stdout)).toString('utf8');
}

async function openWith(keyring: Keyring): Promise<RepositoryReader> {
  return openRepository({ store: place.store, keyring, trustedKeys: [place.signer.publicKey] });
}

/** Everything but the wrapped keys, byte for byte. */
async function everythingElse(): Promise<ReadonlyMap<string, string>> {
  const root = join(place.folder, 'store');
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const others = files.filter((file) => file.isFile() && !file.parentPath.startsWith(join(root, 'keys')));
  const read = await mapBounded(others, 16, async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path, (await readFile(path)).toString('base64')] as const;
  });
  return new Map(read);
}

/** Numbers from 0 to 1 that a failure can be repeated with. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

test(
  'a thousand backups whose keys are wrapped again under fire open with the new key, and none needs the old one',
  async () => {
    const before = await everythingElse();
    const { previousId, activeId } = await rotateKeyring(keyringPath);
    const seed = Date.now() % 2_147_483_646 || 1;
    console.log(`kills are drawn from seed ${seed}`);
    const random = randomOf(seed);
    const said: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      // Each run passes by what the ones before did: kills go further and further, and the last one leaves some.
      said.push(await rewrap(1 + Math.floor((random() * 0.9 + kill) * (BACKUPS / KILLS))));
    }
    // Half done: a keyring with both keys opens everything.
    const half = await (await openWith(await loadKeyring(keyringPath))).keys.check(OPERATION);
    expect(half).toMatchObject({ problems: [], opened: { length: BACKUPS + 1 } });
    expect(new Set(half.opened.flatMap(({ wrappedFor }) => wrappedFor))).toEqual(new Set([previousId, activeId]));
    expect(said.join('')).toBe('');
    const last = await rewrap(0);
    const { rewrapped, total, problems: left } = JSON.parse(last);
    expect({ total, left }).toEqual({ total: BACKUPS + 1, left: 0 });
    // Kills did leave work, and work was done before them.
    expect(rewrapped).toBeLessThan(total);

    const reader = await openWith(await loadKeyring(keyringPath, { without: previousId }));
    const { opened, problems } = await reader.keys.check(OPERATION);
    expect(problems).toEqual([]);
    expect(opened).toHaveLength(BACKUPS + 1);
    expect(new Set(opened.flatMap(({ wrappedFor }) => wrappedFor))).toEqual(new Set([activeId]));
    await mapBounded(contents, 8, async ([backupId, bytes]) => {
      const manifest = await reader.load(backupId);
      const read = await collectBytes(reader.readArtifact(manifest, 'redis', 'snapshot', OPERATION));
      expect(read.equals(bytes)).toBe(true);
    });
    expect(await everythingElse()).toEqual(before);
  },
  LIMIT_MS,
);

test(
  'a second run finds nothing to do',
  async () => {
    expect(await rewrap(0)).toBe(JSON.stringify({ rewrapped: 0, total: BACKUPS + 1, problems: 0 }));
  },
  LIMIT_MS,
);

test(
  'an escrow key that comes later opens everything by itself once all is wrapped again',
  async () => {
    const secret = join(place.folder, 'escrow.pem');
    await generateEscrowKey(secret);
    const done = await rewrap(0, [`${secret}.pub`]);
    expect(JSON.parse(done)).toMatchObject({ rewrapped: BACKUPS + 1 });
    const reader = await openWith(await loadKeyring(secret));
    expect((await reader.keys.check(OPERATION)).problems).toEqual([]);
    const [[backupId = '', bytes] = []] = contents;
    const manifest = await reader.load(backupId);
    const read = await collectBytes(reader.readArtifact(manifest, 'redis', 'snapshot', OPERATION));
    expect(read).toEqual(bytes);
  },
  LIMIT_MS,
);
