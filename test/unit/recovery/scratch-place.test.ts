import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openScratchPlace, sweepScratch } from '../../../src/recovery/drill/scratch-place.ts';

const OWNER = { group: 'default', drillId: 'drill-1', runId: 'run' };

describe('a scratch place', () => {
  let parent: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'lifeboat-places-'));
  });
  afterEach(async () => rm(parent, { recursive: true, force: true }));

  /** Opens one and makes its mark say that somebody else did. */
  const orphan = async (
    change: Record<string, unknown>,
  ): Promise<{ folder: string; sockets: string; mark: string }> => {
    const { folder, sockets } = await openScratchPlace(parent, OWNER);
    await writeFile(join(folder, 'data'), 'x');
    const mark = `${folder}.lifeboat.json`;
    const marked = JSON.parse(await readFile(mark, 'utf8')) as Record<string, unknown>;
    await writeFile(mark, JSON.stringify({ ...marked, ...change }));
    return { folder, sockets, mark };
  };
  const DEAD = { owner: { pid: 1, startedAt: 'another boot:1' } };

  test('is made with its mark, and removed with it', async () => {
    const place = await openScratchPlace(parent, OWNER);
    expect(existsSync(place.sockets)).toBe(true);
    expect((await readdir(parent)).toSorted()).toHaveLength(2);
    await place.remove();
    await place.remove();
    expect(await readdir(parent)).toEqual([]);
    expect(existsSync(place.sockets)).toBe(false);
  });

  test('of a process that lives stays', async () => {
    const place = await openScratchPlace(parent, OWNER);
    expect(await sweepScratch(parent)).toEqual({ removed: [], left: [] });
    expect(existsSync(place.folder)).toBe(true);
    await place.remove();
  });

  test('of a process that is dead goes, with its folder for sockets', async () => {
    const { sockets } = await orphan(DEAD);
    expect(await sweepScratch(parent)).toEqual({ removed: ['drill-1'], left: [] });
    expect(await readdir(parent)).toEqual([]);
    expect(existsSync(sockets)).toBe(false);
  });

  test('of another host, or whose mark cannot be read, is left and named', async () => {
    const foreign = await orphan({ ...DEAD, host: 'elsewhere' });
    const broken = await orphan({});
    await writeFile(broken.mark, '{');
    const { removed, left } = await sweepScratch(parent);
    expect(removed).toEqual([]);
    expect(left.toSorted().map((line) => line.replace(/^drill-\w+/, 'drill'))).toEqual(
      expect.arrayContaining(['drill.lifeboat.json: of the host elsewhere', 'drill.lifeboat.json: cannot be read']),
    );
    expect([foreign, broken].every(({ folder }) => existsSync(folder))).toBe(true);
    for (const { sockets } of [foreign, broken]) await rm(sockets, { recursive: true });
  });

  test('is all that goes: what nobody marked stays, and so does what a mark only claims', async () => {
    const bystander = join(parent, 'drill-0123456789abcdef');
    await mkdir(bystander);
    const precious = join(parent, 'precious');
    await mkdir(precious);
    const { sockets } = await orphan({ ...DEAD, folder: precious, socketPlace: parent, drillId: '../precious' });
    await rm(sockets, { recursive: true });
    await sweepScratch(parent);
    expect((await readdir(parent)).toSorted()).toEqual(['drill-0123456789abcdef', 'precious']);
  });

  test('is looked for where nobody has ever drilled', async () => {
    expect(await sweepScratch(join(dirname(parent), 'never-made'))).toEqual({ removed: [], left: [] });
  });
});
