import { hideRemoved } from '../../../src/activities/cleanup/hide-removed.ts';
import { planAtTarget } from '../../../src/activities/cleanup/target-cleanup.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { makeBackup, OPERATION, openPlace, openWriter, PLAIN, type TestPlace } from './fixture.ts';

const DAY = 86_400_000;

let place: TestPlace;
beforeEach(async () => void (place = await openPlace()));
afterEach(async () => place.remove());

/** The same store, and how often each manifest was read from it. */
function counting(store: ObjectStore): { readonly store: ObjectStore; readonly reads: Map<string, number> } {
  const reads = new Map<string, number>();
  const get: ObjectStore['get'] = async (key, options) => {
    const [, id] = /^backups\/([^/]+)\/manifest\.json$/.exec(key) ?? [];
    if (id !== undefined) reads.set(id, (reads.get(id) ?? 0) + 1);
    return store.get(key, options);
  };
  return { store: { ...store, get }, reads };
}

async function make(repository: Awaited<ReturnType<typeof openWriter>>, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let day = count; day > 0; day -= 1) {
    const createdAt = new Date(Date.now() - day * DAY).toISOString();
    ids.push((await makeBackup(repository, { createdAt, codec: PLAIN })).manifest.id);
  }
  return ids;
}

test('a plan for a target lists it once: each manifest is read for the list, and for what lost attempts left', async () => {
  const repository = await openWriter(place);
  const ids = await make(repository, 3);
  const { store, reads } = counting(createMemoryStore());
  await repository.replicate(store, { backup: 'all', check: 'size' }, OPERATION);
  reads.clear();
  const retention = { days: 30, maxBackups: 100, minFull: 1, lockedMs: 0 };
  const gfs = { hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
  const target = {
    name: 'vault',
    region: null,
    delayMs: 0,
    cleanup: { retention: { ...retention, gfs }, graceMs: 0 },
    store: () => store,
    repository: async () => openWriter({ ...place, store }),
  };
  const settings = { postgres: {}, redis: {} } as Parameters<typeof planAtTarget>[0]['settings'];
  const deps = { repository: async () => repository, hasRepository: async () => true, targets: [target], settings };
  const { plan } = await planAtTarget(deps, { target: 'vault', includeDamaged: false, nowMs: Date.now() }, OPERATION);
  expect(plan?.kept.map(({ id }) => id).toSorted()).toEqual(ids);
  expect(ids.map((id) => reads.get(id))).toEqual([2, 2, 2]);
});

test('what manifests say of damaged ones is read once, however many are removed', async () => {
  const { store, reads } = counting(place.store);
  const repository = await openWriter({ ...place, store });
  const ids = await make(repository, 5);
  const damaged = [ids[0]!, ids[1]!, ids[2]!];
  for (const id of damaged) await store.put(`backups/${id}/manifest.json`, Buffer.from('{}'));
  reads.clear();
  const backups = damaged.map((id) => ({ id, keep: false, reasons: [{ code: 'damaged' as const, message: 'x' }] }));
  const at = new Date().toISOString();
  await hideRemoved(repository, { at, backups, epochs: [], includeDamaged: true }, OPERATION);
  // For the list that says what is needed still, and for what it says of those before it.
  expect(reads.get(ids[4]!)).toBe(2);
  expect((await repository.list()).map(({ id }) => id)).toEqual([ids[4], ids[3]]);
});
