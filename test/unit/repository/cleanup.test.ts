import { purgeHidden } from '../../../src/activities/cleanup/hide-removed.ts';
import { LifeboatError } from '../../../src/domain/errors.ts';
import { caught } from '../../support/caught.ts';
import type { JournalEpoch } from '../../../src/domain/journal.ts';
import { backupIdAt } from '../../../src/repository/layout.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { collectBytes } from '../../support/collect.ts';
import { dyingAfter } from '../../support/dying-store.ts';
import {
  CREATED_AT,
  ENCRYPTED,
  makeBackup,
  type MadeBackup,
  openPlace,
  openWriter,
  OPERATION,
  PLAIN,
  type TestPlace,
} from './fixture.ts';
import { openWal, putPiece, SEGMENT_BYTES, walDurable } from './journal-fixture.ts';

const at = (minute: number): string => new Date(Date.parse(CREATED_AT) + minute * 60_000).toISOString();
const WHY = { removedAt: at(100), reasons: ['it is older than 7 days'] };

let place: TestPlace;
let repository: Repository;
beforeEach(async () => {
  place = await openPlace();
  repository = await openWriter(place);
});
afterEach(async () => place.remove());

async function make(count: number): Promise<MadeBackup[]> {
  const made: MadeBackup[] = [];
  for (let n = 0; n < count; n += 1) made.push(await makeBackup(repository, { createdAt: at(n) }));
  return made;
}

const idOf = ({ manifest }: MadeBackup): string => manifest.id;
const listed = async (): Promise<string[]> => (await repository.list()).map(({ id }) => id).toReversed();

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

async function replace(key: string, change: (text: string) => string): Promise<void> {
  const text = (await collectBytes(await place.store.get(key))).toString('utf8');
  await place.store.put(key, Buffer.from(change(text)));
}

/** A store that keeps some keys until it is told that their time is over. */
function lockStore(store: ObjectStore, isLocked: (key: string) => boolean): ObjectStore {
  return {
    ...store,
    remove: async (key) => {
      if (!isLocked(key)) return store.remove(key);
      throw new LifeboatError('STORE_LOCKED', `remove ${key}: locked`, { details: { until: at(900) } });
    },
  };
}

describe('a removal that meets a lock of the store', () => {
  test('names it and goes on with the others; what is half gone is found and completed when the lock is over', async () => {
    const [first, second] = (await make(2)) as [MadeBackup, MadeBackup];
    const ids = [idOf(first), idOf(second)];
    for (const id of ids) await repository.cleanup.hideBackup(id, WHY);
    let isOver = false;
    // The last that goes but one: everything before it is gone already.
    const store = lockStore(place.store, (key) => !isOver && key === `keys/${idOf(second)}.json`);
    const locking = await openWriter({ ...place, store });
    const due = { backupIds: ids, epochs: [] };
    const met = await purgeHidden(locking, due, OPERATION);
    expect(met).toMatchObject({ locked: [{ what: idOf(second), until: at(900) }] });
    expect((await locking.cleanup.hiddenBackups()).map(({ backupId }) => backupId)).toEqual([idOf(second)]);
    isOver = true;
    expect((await purgeHidden(locking, { backupIds: [idOf(second)], epochs: [] }, OPERATION)).locked).toEqual([]);
    expect(await keysOf(place.store, 'backups/')).toEqual([]);
    expect(await keysOf(place.store, 'keys/')).toEqual([]);
  });

  test('leaves what an interrupted run left to the next one, and counts it as not gone', async () => {
    const { backupId } = await repository.beginBackup({ kind: 'full', createdAt: at(0), owner: 'x', codec: ENCRYPTED });
    const age = { nowMs: Date.now() + 1_000_000, olderThanMs: 0 };
    const locking = await openWriter({ ...place, store: lockStore(place.store, (key) => key.includes(backupId)) });
    const met = await locking.cleanup.removeUnreferenced(age, OPERATION);
    expect(met).toMatchObject({ abandoned: [], locked: [{ what: backupId }] });
    const after = await repository.cleanup.removeUnreferenced(age, OPERATION);
    expect(after).toMatchObject({ abandoned: [{ backupId }], locked: [] });
  });
});

describe('a backup that is removed', () => {
  test('is listed no more, and can be read until its objects go; then nothing is left but the record', async () => {
    const [first, second, third] = (await make(3)) as [MadeBackup, MadeBackup, MadeBackup];
    await repository.cleanup.hideBackup(idOf(second), WHY);
    await repository.cleanup.hideBackup(idOf(second), WHY);
    expect(await listed()).toEqual([idOf(first), idOf(third)]);
    const read = repository.readArtifact(await repository.load(idOf(second)), 'redis', 'snapshot', OPERATION);
    expect(await collectBytes(read)).toEqual(second.data.snapshot);
    const [hidden] = await repository.cleanup.hiddenBackups();
    expect(hidden?.backupId).toBe(idOf(second));
    // The later of two clocks: the record says 2026, the store wrote it now.
    expect(hidden?.hiddenMs).toBeGreaterThanOrEqual(Math.max(Date.parse(WHY.removedAt), Date.now() - 60_000));

    const size = await repository.cleanup.sizeOf({ backupId: idOf(second) });
    expect(await repository.cleanup.purgeBackup(idOf(second), OPERATION)).toBeLessThanOrEqual(size);
    expect(await repository.cleanup.purgeBackup(idOf(second), OPERATION)).toBe(0);
    expect((await keysOf(place.store, '')).filter((key) => key.includes(idOf(second)))).toEqual([
      `removals/${idOf(second)}.json`,
    ]);
    expect(await repository.cleanup.hiddenBackups()).toEqual([]);
    expect(await repository.verifyChain()).toEqual([]);
    for (const id of await listed()) expect(await repository.verify(id, OPERATION)).toEqual([]);
  });

  test('comes back when it is recalled before its objects go, and not afterwards', async () => {
    const [first, second] = (await make(2)) as [MadeBackup, MadeBackup];
    await repository.cleanup.hideBackup(idOf(first), WHY);
    await repository.cleanup.recallBackup(idOf(first));
    expect(await listed()).toEqual([idOf(first), idOf(second)]);
    await repository.cleanup.hideBackup(idOf(first), WHY);
    await repository.cleanup.purgeBackup(idOf(first), OPERATION);
    expect((await caught(() => repository.cleanup.recallBackup(idOf(first)))).code).toBe('BACKUP_NOT_FOUND');
    expect(await repository.verifyChain()).toEqual([]);
  });

  test('that was the newest is not `latest`, and gives its id to nobody', async () => {
    const [first, second] = (await make(2)) as [MadeBackup, MadeBackup];
    await repository.cleanup.hideBackup(idOf(second), WHY);
    expect((await repository.load('latest')).id).toBe(idOf(first));
    await repository.cleanup.purgeBackup(idOf(second), OPERATION);
    const again = await makeBackup(repository, { createdAt: at(1) });
    expect(idOf(again)).toBe(idOf(second).replace('000Z', '001Z'));
    expect(await listed()).toContain(idOf(again));
  });

  test('and those removed before it are explained as a chain; one that somebody took away is not', async () => {
    const made = await make(5);
    for (const one of made.slice(1, 4)) await repository.cleanup.hideBackup(idOf(one), WHY);
    for (const one of made.slice(1, 4)) await repository.cleanup.purgeBackup(idOf(one), OPERATION);
    expect(await repository.verifyChain()).toEqual([]);
    for (const key of await keysOf(place.store, `backups/${idOf(made[0]!)}/`)) await place.store.remove(key);
    expect(await repository.verifyChain()).toMatchObject([{ backupId: idOf(made[0]!), code: 'MANIFEST_CHAIN_BROKEN' }]);
  });

  test('needs a record that a trusted key signed: another one hides nothing, removes nothing, explains nothing', async () => {
    const [first, second] = (await make(2)) as [MadeBackup, MadeBackup];
    await repository.cleanup.hideBackup(idOf(first), WHY);
    const key = `removals/${idOf(first)}.json`;
    const genuine = await collectBytes(await place.store.get(key));
    const forgeries = [
      (text: string) => text.replace('7 days', '9 days'),
      (text: string) => text.replace(/"signature":"[^"]*"/, '"signature":null'),
    ];
    for (const forge of forgeries) {
      await place.store.put(key, genuine);
      await replace(key, forge);
      expect(await listed()).toEqual([idOf(first), idOf(second)]);
      expect((await caught(() => repository.cleanup.purgeBackup(idOf(first), OPERATION))).code).toBe('RECORD_DAMAGED');
      expect(await repository.verifyChain()).toMatchObject([{ key, code: 'RECORD_DAMAGED' }]);
    }
    // A genuine record in the place of another.
    await place.store.remove(key);
    await place.store.put(`removals/${idOf(second)}.json`, genuine);
    expect(await listed()).toEqual([idOf(first), idOf(second)]);
    await place.store.remove(`removals/${idOf(second)}.json`);
    expect((await caught(() => repository.cleanup.purgeBackup(idOf(second), OPERATION))).code).toBe(
      'BACKUP_NOT_REMOVED',
    );
    expect(await repository.verifyChain()).toEqual([]);
  });

  test('is removed as a whole whenever the removal dies and is done again, and no other is touched', async () => {
    const deaths: number[] = [];
    for (let steps = 0; ; steps += 1) {
      const own = await openPlace();
      try {
        const healthy = await openWriter(own);
        const made: MadeBackup[] = [];
        for (let n = 0; n < 2; n += 1) made.push(await makeBackup(healthy, { createdAt: at(n), codec: PLAIN }));
        const id = idOf(made[0]!);
        const mortal = await openWriter({ ...own, store: dyingAfter(own.store, steps) });
        const work = async (on: Repository): Promise<void> => {
          await on.cleanup.hideBackup(id, WHY);
          await on.cleanup.purgeBackup(id, OPERATION);
        };
        const died = await work(mortal).then(
          () => false,
          () => true,
        );
        if (died) deaths.push(steps);
        // What is listed is whole at that moment, too.
        for (const one of await healthy.list()) expect(await healthy.verify(one.id, OPERATION)).toEqual([]);
        expect(await healthy.verifyChain()).toEqual([]);
        // Whoever comes next goes on from what it finds.
        const isListed = (await healthy.list()).some((one) => one.id === id);
        if (isListed) await work(healthy);
        for (const { backupId } of await healthy.cleanup.hiddenBackups())
          await healthy.cleanup.purgeBackup(backupId, OPERATION);
        expect((await keysOf(own.store, '')).filter((key) => key.includes(id))).toEqual([`removals/${id}.json`]);
        expect(await healthy.verifyChain()).toEqual([]);
        if (!died) break;
      } finally {
        await own.remove();
      }
    }
    expect(deaths.length).toBeGreaterThan(15);
  });
});

describe('a damaged backup that is removed', () => {
  const damage = async (id: string): Promise<void> => replace(`backups/${id}/manifest.json`, (text) => `${text} `);

  test('is proven to be damaged by its successor, leaves no trace, and breaks no chain', async () => {
    const [first, second, third] = (await make(3)) as [MadeBackup, MadeBackup, MadeBackup];
    await damage(idOf(second));
    const { cleanup } = repository;
    expect([...(await cleanup.provenDamaged([idOf(second), idOf(first)]))]).toEqual([idOf(second)]);
    await cleanup.hideDamaged(idOf(second), { ...WHY, force: false, digests: await cleanup.knownDigests() });
    expect(await listed()).toEqual([idOf(first), idOf(third)]);
    expect(await cleanup.purgeBackup(idOf(second), OPERATION)).toBeGreaterThan(0);
    expect(await repository.verifyChain()).toEqual([]);
    expect(await listed()).toEqual([idOf(first), idOf(third)]);
  });

  test('that nobody follows, or that was only signed by a key that is not trusted, is removed by force alone', async () => {
    const [first, second] = (await make(2)) as [MadeBackup, MadeBackup];
    await damage(idOf(second));
    const { cleanup } = repository;
    const hide = async (id: string, force: boolean): Promise<void> =>
      cleanup.hideDamaged(id, { ...WHY, force, digests: await cleanup.knownDigests() });
    expect([...(await repository.cleanup.provenDamaged([idOf(first), idOf(second)]))]).toEqual([]);
    for (const one of [first, second])
      expect((await caught(() => hide(idOf(one), false))).code).toBe('BACKUP_STILL_NEEDED');
    await hide(idOf(second), true);
    expect(await listed()).toEqual([idOf(first)]);
    expect(await repository.verifyChain()).not.toContainEqual(
      expect.objectContaining({ code: 'MANIFEST_CHAIN_BROKEN' }),
    );
  });
});

describe('a hold', () => {
  test('stands in the list in place of what the manifest says, and what cannot be trusted holds', async () => {
    const [first] = (await make(1)) as [MadeBackup];
    const holds = async (): Promise<readonly string[] | undefined> => (await repository.list())[0]?.holds;
    const change = (...reasons: string[]): Promise<void> =>
      repository.cleanup.writeHolds(idOf(first), { holds: reasons, changedAt: at(9), changedBy: 'me@here' });
    expect(await holds()).toEqual([]);
    await change('audit', 'audit', 'law');
    expect(await holds()).toEqual(['audit', 'law']);
    expect((await repository.record(first.manifest)).holds).toEqual(['audit', 'law']);
    await change();
    expect(await holds()).toEqual([]);
    await replace(`holds/${idOf(first)}.json`, (text) => text.replace('me@here', 'he@here'));
    expect(await holds()).toEqual([expect.stringContaining('cannot be trusted')]);
    expect(await repository.verifyChain()).toMatchObject([{ code: 'RECORD_DAMAGED' }]);
  });
});

describe('what nobody will read', () => {
  const future = { nowMs: Date.now() + 3_600_000, olderThanMs: 60_000 };

  test('is removed when it is old enough: backups that were never published, and lost attempts', async () => {
    // The same run again: the attempt that it lost is below the backup that it publishes.
    await repository.beginBackup({ kind: 'full', createdAt: at(0), owner: at(0), codec: ENCRYPTED });
    await repository.claimAttempt(backupIdAt(new Date(at(0))), 'postgres');
    const [first] = (await make(1)) as [MadeBackup];
    const lost = `backups/${idOf(first)}/postgres/attempt-1/begin.json`;
    const { backupId } = await repository.beginBackup({
      kind: 'full',
      createdAt: at(5),
      owner: 'dead',
      codec: ENCRYPTED,
    });
    await repository.claimAttempt(backupId, 'postgres');
    const young = { nowMs: Date.now(), olderThanMs: 60_000 };
    expect(await repository.cleanup.removeUnreferenced(young, OPERATION)).toMatchObject({
      abandoned: [],
      leftovers: [],
    });
    expect(await keysOf(place.store, `backups/${backupId}/`)).not.toEqual([]);
    const back = { nowMs: Date.now() - 400 * 86_400_000, olderThanMs: 60_000 };
    expect(await repository.cleanup.removeUnreferenced(back, OPERATION)).toMatchObject({ abandoned: [] });
    expect(await repository.cleanup.removeUnreferenced(future, OPERATION)).toMatchObject({
      abandoned: [{ backupId }],
      leftovers: [{ key: lost }],
    });
    expect(await place.store.head(lost)).toBeUndefined();
    expect((await keysOf(place.store, '')).filter((key) => key.includes(backupId))).toEqual([]);
    expect(await repository.verify(idOf(first), OPERATION)).toEqual([]);
  });
});

describe('an epoch of a journal that is removed', () => {
  test('is in no catalog, breaks no verification, and goes with its key; its successor stays sound', async () => {
    const { journals, cleanup } = repository;
    const epochs: JournalEpoch[] = [];
    for (let n = 0; n < 3; n += 1) {
      const writer = await openWal(journals, { from: n * SEGMENT_BYTES, continues: epochs.at(-1) ?? null });
      await putPiece(writer, n * SEGMENT_BYTES, (n + 1) * SEGMENT_BYTES);
      await writer.commit(walDurable((n + 1) * SEGMENT_BYTES));
      epochs.push((await journals.catalog('postgres')).epochs.at(-1)!);
    }
    await cleanup.hideEpoch(epochs[0]!, { removedAt: WHY.removedAt });
    const numbers = async (): Promise<number[]> =>
      (await journals.catalog('postgres')).epochs.map(({ begin }) => begin.epoch);
    expect(await numbers()).toEqual([2, 3]);
    expect(await journals.verify('postgres', OPERATION)).toEqual([]);
    const [hidden] = await cleanup.hiddenEpochs('postgres');
    expect(await cleanup.purgeEpoch(hidden!, OPERATION)).toBeGreaterThan(0);
    expect(await journals.verify('postgres', OPERATION)).toEqual([]);
    expect(await numbers()).toEqual([2, 3]);
    const left = (await keysOf(place.store, '')).filter((key) => key.includes(`${epochs[0]!.begin.history}/00000001`));
    expect(left).toEqual([`removals/journals/postgres/${epochs[0]!.begin.history}/00000001.json`]);

    // Without the record it is one that somebody took away.
    await place.store.remove(left[0]!);
    expect(await journals.verify('postgres', OPERATION)).toMatchObject([{ code: 'JOURNAL_DAMAGED' }]);
  });
});
