import { cleanAtTarget, planAtTarget } from '../../../src/activities/cleanup/target-cleanup.ts';
import type { CleanupPlan } from '../../../src/contract/cleanup.ts';
import { oneCopyAtATime } from '../../../src/activities/one-copy-at-a-time.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { caught } from '../../support/caught.ts';
import { dyingAfter } from '../../support/dying-store.ts';
import { makeBackup, OPERATION, openPlace, openWriter, PLAIN, type TestPlace } from './fixture.ts';
import { openStream, openWal, putPiece, SEGMENT_BYTES, walDurable } from './journal-fixture.ts';

const DAY = 86_400_000;
const NO_GFS = { hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
const ALL = { backup: 'all', check: 'size' } as const;

let place: TestPlace;
let repository: Repository;
let to: ObjectStore;
beforeEach(async () => {
  place = await openPlace();
  repository = await openWriter(place);
  to = createMemoryStore();
});
afterEach(async () => place.remove());

const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString();
const openTarget = async (store = to): Promise<Repository> => openWriter({ ...place, store });
const idsAt = async (of: Repository): Promise<string[]> => (await of.list()).map(({ id }) => id).toSorted();

async function take(days: number): Promise<string> {
  const { manifest } = await makeBackup(repository, { createdAt: daysAgo(days), codec: PLAIN });
  expect(await repository.verify(manifest.id, OPERATION)).toEqual([]);
  return manifest.id;
}

type Deps = Parameters<typeof planAtTarget>[0];

/** One target `vault` that keeps two days, and the repository. */
function deps(store = to, own: Partial<Deps> = {}): Deps {
  const retention = { days: 2, maxBackups: 100, minFull: 1, gfs: NO_GFS, lockedMs: 0 };
  const target = {
    name: 'vault',
    region: null,
    delayMs: 0,
    cleanup: { retention, graceMs: 0 },
    store: () => store,
    repository: async (through = (own: ObjectStore) => own) => openTarget(through(store)),
  };
  const settings = { postgres: {}, redis: {} } as Deps['settings'];
  return { repository: async () => repository, hasRepository: async () => true, targets: [target], settings, ...own };
}

async function planAt(of: Deps, nowMs = Date.now()): Promise<CleanupPlan> {
  const { plan } = await planAtTarget(of, { target: 'vault', includeDamaged: false, nowMs }, OPERATION);
  if (plan === null) throw new Error('nothing was copied');
  return plan;
}

/** A whole cleanup at the target, as its workflow does it; gives the ids that it hid. */
async function cleanUp(of = deps()): Promise<string[]> {
  const { at, hide, purge } = await planAt(of);
  await cleanAtTarget(of, { target: 'vault', at, hide, purge, includeDamaged: false }, OPERATION);
  return hide.backups.map(({ id }) => id);
}

const copy = async (of: Repository = repository, store = to): Promise<void> => {
  const { problems } = await of.replicate(store, ALL, OPERATION);
  expect(problems).toEqual([]);
};

/** What is listed is whole, and the chain of manifests is explained. */
async function requireSound(of: Repository): Promise<void> {
  for (const id of await idsAt(of)) expect(await of.verify(id, OPERATION)).toEqual([]);
  expect(await of.verifyChain()).toEqual([]);
}

test('what the rules of a target do not keep goes there in two halves, does not come again, and stays in the repository', async () => {
  const [old, young] = [await take(5), await take(1)];
  await copy();
  expect(await cleanUp()).toEqual([old]);
  const target = await openTarget();
  expect(await idsAt(target)).toEqual([young]);
  await copy();
  expect(await cleanUp()).toEqual([]);
  await copy();
  const left: string[] = [];
  for await (const { key } of to.list('')) if (key.includes(old)) left.push(key);
  expect(left).toEqual([`removals/${old}.json`]);
  expect([await idsAt(target), await idsAt(repository)]).toEqual([[young], [old, young]]);
  await requireSound(target);
});

test.each([0, 1])(
  'a hold in the repository brings a backup back to the target after %s more cleanups',
  async (more) => {
    const [old, young] = [await take(5), await take(1)];
    await copy();
    await cleanUp();
    for (let n = 0; n < more; n += 1) await cleanUp();
    await repository.cleanup.writeHolds(old, { holds: ['audit'], changedAt: daysAgo(0), changedBy: 'me@here' });
    // Its objects stay where they are; it is the copy that brings it back.
    expect(await cleanUp()).toEqual([]);
    await copy();
    const target = await openTarget();
    expect(await idsAt(target)).toEqual([old, young]);
    await requireSound(target);
    expect(await cleanUp()).toEqual([]);
  },
);

test('a hold that came between plan and removal counts, though the target does not know it yet', async () => {
  const old = await take(5);
  await take(1);
  await copy();
  const { at, hide, purge } = await planAt(deps());
  await repository.cleanup.writeHolds(old, { holds: ['audit'], changedAt: daysAgo(0), changedBy: 'me@here' });
  const input = { target: 'vault', at, hide, purge, includeDamaged: false };
  expect((await caught(() => cleanAtTarget(deps(), input, OPERATION))).code).toBe('BACKUP_STILL_NEEDED');
  expect(await idsAt(await openTarget())).toContain(old);
});

test('without its repository a target may be the only copy: nothing is decided or removed there', async () => {
  await take(5);
  await take(1);
  await copy();
  const before = await idsAt(await openTarget());
  const gone = deps(to, { hasRepository: async () => false });
  const away = deps(to, {
    repository: async () => {
      throw new Error('connection refused');
    },
  });
  for (const broken of [gone, away]) {
    expect((await caught(() => planAt(broken))).code).toBe('TARGET_ONLY_COPY');
    const input = { target: 'vault', at: daysAgo(0), hide: { backups: [], epochs: [] }, includeDamaged: false };
    const purge = { backupIds: before, epochs: [] };
    expect((await caught(() => cleanAtTarget(broken, { ...input, purge }, OPERATION))).code).toBe('TARGET_ONLY_COPY');
  }
  expect(await idsAt(await openTarget())).toEqual(before);
});

test('what was begun at a target and is still to be copied is never abandoned, however old it is', async () => {
  const id = await take(1);
  let puts = 0;
  const breaking: ObjectStore = {
    ...to,
    put: async (...args) => {
      if ((puts += 1) > 5) throw new Error('line cut');
      return to.put(...args);
    },
  };
  await expect(repository.replicate(breaking, ALL, OPERATION)).rejects.toThrow('line cut');
  const inAWeek = await planAt(deps(), Date.now() + 7 * DAY);
  expect(inAWeek.abandoned).toEqual([]);
  // Once the repository has removed it, nobody will finish it.
  await repository.cleanup.hideBackup(id, { removedAt: daysAgo(0), reasons: ['x'] });
  await repository.cleanup.purgeBackup(id, OPERATION);
  expect((await planAt(deps(), Date.now() + 7 * DAY)).abandoned).toEqual([id]);
});

test('epochs that the rules of a target removed do not come again, and leave its journal sound', async () => {
  const { journals } = repository;
  const numbers = async (): Promise<number[]> =>
    (await (await openTarget()).journals.catalog('postgres')).epochs.map(({ begin }) => begin.epoch);
  for (let n = 0; n < 4; n += 1) {
    const writer = await openWal(journals, { codec: PLAIN, from: n * SEGMENT_BYTES, continues: null });
    await putPiece(writer, n * SEGMENT_BYTES, (n + 1) * SEGMENT_BYTES);
    await writer.commit(walDurable((n + 1) * SEGMENT_BYTES));
  }
  await openStream(journals, { codec: PLAIN });
  await take(1);
  await copy();
  expect(await numbers()).toEqual([1, 2, 3, 4]);
  const [first] = (await journals.catalog('postgres')).epochs;
  const target = await openTarget();
  await target.cleanup.hideEpoch(first!, { removedAt: daysAgo(0), scope: 'target' });
  await copy();
  expect(await numbers()).toEqual([2, 3, 4]);
  await target.cleanup.purgeEpoch(first!.begin, OPERATION);
  await copy();
  expect(await numbers()).toEqual([2, 3, 4]);
  expect(await target.journals.verify('postgres', OPERATION)).toEqual([]);
});

test('a cleanup at a target that dies at any step is done by the next one, and what is listed is whole meanwhile', async () => {
  const [old, young] = [await take(5), await take(1)];
  const deaths: number[] = [];
  for (let steps = 0; ; steps += 3) {
    const store = createMemoryStore();
    await copy(repository, store);
    const mortal = dyingAfter(store, steps);
    const died = await cleanUp(deps(mortal))
      .then(async () => cleanUp(deps(mortal)))
      .then(
        () => false,
        () => true,
      );
    if (died) deaths.push(steps);
    await requireSound(await openTarget(store));
    await copy(repository, store);
    await cleanUp(deps(store));
    await cleanUp(deps(store));
    expect(await idsAt(await openTarget(store))).toEqual([young]);
    if (!died) break;
  }
  expect(deaths.length).toBeGreaterThan(5);
  expect(await idsAt(repository)).toEqual([old, young]);
});

/** Lets others go first, for a while that a seed decides: what runs at once is mixed in another way with each. */
function shuffled(store: ObjectStore, random: () => number): ObjectStore {
  const pause = async (): Promise<void> => {
    for (let turns = Math.floor(random() * 6); turns > 0; turns -= 1) await Promise.resolve();
    if (random() < 0.2) await new Promise((resolve) => void setImmediate(resolve));
  };
  return {
    ...store,
    put: async (...args) => (await pause(), store.put(...args)),
    get: async (...args) => (await pause(), store.get(...args)),
    head: async (key) => (await pause(), store.head(key)),
    remove: async (key) => (await pause(), store.remove(key)),
  };
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test.each([1, 2, 3])(
  'two cleanups, two copies and a hold at once leave only whole backups, and all that is wanted (seed %i)',
  async (seed) => {
    const random = randomOf(seed);
    const old = [await take(6), await take(5), await take(4)];
    await copy();
    const young = await take(1);
    const store = shuffled(to, random);
    const copyThere = async (): Promise<unknown> =>
      oneCopyAtATime({ target: deps(store).targets[0]!, repository, wait: true }, OPERATION, (turn) =>
        repository.replicate(turn.fence(store), ALL, turn.operation),
      );
    const hold = async (): Promise<void> =>
      repository.cleanup.writeHolds(old[1]!, { holds: ['audit'], changedAt: daysAgo(0), changedBy: 'me@here' });
    const mixed = await Promise.allSettled([
      cleanUp(deps(store)),
      copyThere(),
      cleanUp(deps(store)),
      hold(),
      copyThere(),
      cleanUp(deps(store)),
    ]);
    // A cleanup may find out that a backup was held since it planned; then it has removed nothing that is held.
    const codes = mixed.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code?: string }).code] : []));
    expect(codes.filter((code) => code !== 'BACKUP_STILL_NEEDED')).toEqual([]);
    await requireSound(await openTarget());
    await requireSound(repository);
    await copy();
    await cleanUp();
    await cleanUp();
    const target = await openTarget();
    expect(await idsAt(target)).toEqual([old[1], young]);
    expect(await idsAt(repository)).toEqual([...old, young]);
    await requireSound(target);
  },
);
