import { withCopies } from '../../../src/activities/read-copies.ts';
import { readTargets } from '../../../src/activities/read-targets.ts';
import type { TargetFacts } from '../../../src/domain/target-facts.ts';
import { LifeboatError } from '../../../src/domain/errors.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { makeBackup, OPERATION, openPlace, openWriter, PLAIN, type TestPlace } from '../repository/fixture.ts';
import { openStream, putChunk, streamDurable } from '../repository/journal-fixture.ts';

const ALL = { backup: 'all', check: 'size' } as const;

let place: TestPlace;
let repository: Repository;
beforeEach(async () => {
  place = await openPlace();
  repository = await openWriter(place);
});
afterEach(async () => place.remove());

type Deps = Parameters<typeof readTargets>[0];
type Target = Deps['targets'][number];

function targetIn(store: ObjectStore, open = async (): Promise<Repository> => openWriter({ ...place, store })): Target {
  const opened = async (): Promise<Repository> => {
    // As the product opens one: nothing is made where there is none.
    if ((await store.head('lifeboat.json')) === undefined) throw new LifeboatError('REPOSITORY_MISSING', 'none there');
    return open();
  };
  return { name: 'vault', region: null, store: () => store, repository: opened } as Target;
}

const depsOf = (target: Target, more: Partial<Deps> = {}): Deps => ({
  repository: async () => repository,
  hasRepository: async () => true,
  targets: [target],
  settings: { postgres: null, redis: {} } as Deps['settings'],
  ...more,
});

const look = async (deps: Deps): Promise<TargetFacts> => (await readTargets(deps, OPERATION))[0]!;

test('a target is not in sync with a repository that cannot be read, or that is gone', async () => {
  const to = createMemoryStore();
  const { manifest } = await makeBackup(repository, { codec: PLAIN });
  await repository.replicate(to, ALL, OPERATION);
  expect(await look(depsOf(targetIn(to)))).toMatchObject({ state: 'in-sync', backups: 1, lastError: null });
  const refused = async (): Promise<never> => {
    throw new LifeboatError('STORE_IO', 'head lifeboat.json: connection refused');
  };
  const away = [{ hasRepository: async () => false }, { hasRepository: refused }, { repository: refused }];
  for (const more of away) {
    const facts = await look(depsOf(targetIn(to), more));
    expect(facts).toMatchObject({ state: 'unknown', backups: 1, pending: null, lagSeconds: null, journals: null });
    expect(facts.lastError).toContain('the repository itself cannot be read');
  }
  expect(manifest.id).toContain('backup-');
});

test('the lag of the journals is told in seconds and bytes, and counts nothing that the target removed itself', async () => {
  const to = createMemoryStore();
  const writer = await openStream(repository.journals, { codec: PLAIN });
  await putChunk(writer, 0, 5_000);
  await writer.commit(streamDurable(5_000));
  const lag = async (): Promise<unknown[]> => {
    const { journals } = await look(depsOf(targetIn(to)));
    return [journals?.lagSeconds, journals?.bytesBehind];
  };
  expect(await lag()).toEqual([5, 5_000]);
  await repository.replicate(to, ALL, OPERATION);
  expect(await lag()).toEqual([0, 0]);
  await putChunk(writer, 5_000, 12_000);
  await writer.commit(streamDurable(12_000));
  expect(await lag()).toEqual([7, 7_000]);
  const target = await openWriter({ ...place, store: to });
  const [epoch] = (await target.journals.catalog('redis')).epochs;
  await target.cleanup.hideEpoch(epoch!, { removedAt: new Date().toISOString(), scope: 'target' });
  expect((await lag())[1]).toBe(0);
});

test('each backup says what each target has of it, and when it was read back there', async () => {
  const to = createMemoryStore();
  const first = (await makeBackup(repository, { codec: PLAIN })).manifest.id;
  await repository.replicate(to, ALL, OPERATION);
  const second = (await makeBackup(repository, { codec: PLAIN, createdAt: '2026-01-15T11:30:00.000Z' })).manifest.id;
  const copiesWith = async (target: Target): Promise<unknown> => {
    const backups = await withCopies({ targets: [target] }, repository.id, await repository.list());
    return Object.fromEntries(
      backups.map(({ id, copies }) => [id, copies.map(({ state, verifiedAt }) => [state, verifiedAt !== null])]),
    );
  };
  expect(await copiesWith(targetIn(to))).toEqual({ [first]: [['present', true]], [second]: [['missing', false]] });
  const target = await openWriter({ ...place, store: to });
  await target.cleanup.hideBackup(first, { removedAt: new Date().toISOString(), reasons: ['x'], scope: 'target' });
  expect(await copiesWith(targetIn(to))).toEqual({ [first]: [['removed', false]], [second]: [['missing', false]] });
  const dead = targetIn(to, async (): Promise<never> => {
    throw new LifeboatError('STORE_IO', 'connection refused');
  });
  expect(await copiesWith(dead)).toEqual({ [first]: [['unknown', false]], [second]: [['unknown', false]] });
  const other = createMemoryStore();
  await openWriter({ ...place, store: other });
  const foreign = targetIn(other);
  expect(await copiesWith(foreign)).toEqual({ [first]: [['unknown', false]], [second]: [['unknown', false]] });
});
