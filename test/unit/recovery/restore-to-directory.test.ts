import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DirectoryPlan, WrittenDirectory } from '../../../src/domain/directory-plan.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import { restoreToDirectory } from '../../../src/recovery/directory/restore-to-directory.ts';
import type { ReplaySources } from '../../../src/recovery/replay/replay-sources.ts';

const operation: Operation = { signal: new AbortController().signal, onProgress: () => undefined };
const nothing = async (): Promise<never> => {
  throw new Error('nothing is read');
};
const sources: ReplaySources = {
  repository: nothing,
  physical: nothing,
  serverTools: nothing,
  jobs: 1,
  components: [],
};
const context = { sources, user: 'postgres' };
const written: WrittenDirectory = { postgres: null, redis: null, checks: [] };

describe('a restore into a directory that is there already', () => {
  let root: string;
  let plan: DirectoryPlan;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'lifeboat-directory-'));
    const recoveryPoint = { time: '2026-01-02T03:04:05.678Z' };
    const directory = join(root, 'copy');
    plan = {
      restoreId: 'restore-1',
      backupId: 'backup-1',
      directory,
      recoveryPoint,
      encrypted: false,
      postgres: null,
      redis: null,
      steps: [],
    };
  });
  afterEach(async () => rm(root, { recursive: true, force: true }));

  it('gives what an earlier attempt of itself wrote, and writes nothing', async () => {
    await restoreToDirectory(context, plan, operation);
    expect(await readdir(root)).toEqual(['copy']);
    const later = { ...plan, redis: { snapshotId: 'x', target: null, server: '', keys: 0, bytes: 0 } };
    expect(await restoreToDirectory(context, later, operation)).toEqual(written);
  });

  it('is refused where another restore, or somebody else, has written', async () => {
    await restoreToDirectory(context, plan, operation);
    const refused = { code: 'RESTORE_DIRECTORY_NOT_EMPTY' };
    const other = { ...plan, restoreId: 'restore-2' };
    await expect(restoreToDirectory(context, other, operation)).rejects.toMatchObject(refused);
    const strange = { ...plan, directory: join(root, 'strange') };
    await mkdir(strange.directory);
    await writeFile(join(strange.directory, 'restored.json'), 'not of ours');
    await expect(restoreToDirectory(context, strange, operation)).rejects.toMatchObject(refused);
  });
});
