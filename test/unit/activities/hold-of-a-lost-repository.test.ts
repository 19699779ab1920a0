import { changeHold } from '../../../src/activities/cleanup/change-hold.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { caught } from '../../support/caught.ts';
import { makeBackup, OPERATION, openPlace, openWriter, PLAIN, type TestPlace } from '../repository/fixture.ts';

type Deps = Parameters<typeof changeHold>[0];

let place: TestPlace;
beforeEach(async () => void (place = await openPlace()));
afterEach(async () => place.remove());

test.each(['audit', null])(
  'a hold or release (%s) where the repository is lost is refused, and makes none',
  async (reason) => {
    const repository = await openWriter(place);
    const { manifest } = await makeBackup(repository, { codec: PLAIN });
    const vault = createMemoryStore();
    await repository.replicate(vault, { backup: 'all', check: 'size' }, OPERATION);
    const emptied = createMemoryStore();
    const target = { name: 'vault', repository: async () => openWriter({ ...place, store: vault }) };
    const lost = {
      repository: async () => openWriter({ ...place, store: emptied }),
      hasRepository: async () => (await emptied.head('lifeboat.json')) !== undefined,
      targets: [target],
    } as unknown as Deps;
    const request = { group: 'default', requestedBy: 'me@here', backup: manifest.id, reason };
    const at = new Date().toISOString();
    expect((await caught(() => changeHold(lost, request, at))).code).toBe('REPOSITORY_LOST');
    expect((await caught(() => changeHold({ ...lost, targets: [] }, request, at))).code).toBe('REPOSITORY_MISSING');
    const made: string[] = [];
    for await (const { key } of emptied.list('')) made.push(key);
    expect(made).toEqual([]);
    const here = { ...lost, repository: async () => repository, hasRepository: async () => true };
    expect((await changeHold(here, request, at)).backup.holds).toEqual(reason === null ? [] : [reason]);
  },
);
