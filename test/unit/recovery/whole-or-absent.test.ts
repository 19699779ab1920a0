import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { clearBeside, requireFreeDirectory, wholeOrAbsent } from '../../../src/recovery/directory/whole-or-absent.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lifeboat-whole-'));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

const fill = async (folder: string): Promise<string> => {
  await writeFile(join(folder, 'data'), 'whole');
  return folder;
};

describe('a directory that is filled', () => {
  it('is whole, with nothing left beside it', async () => {
    const directory = join(root, 'new', 'copy');
    const folder = await wholeOrAbsent(directory, fill);
    expect(basename(folder)).toMatch(/^\.copy\.restoring-/);
    expect(await readFile(join(directory, 'data'), 'utf8')).toBe('whole');
    expect(await readdir(join(root, 'new'))).toEqual(['copy']);
  });

  it('takes the place of an empty one, and of none that holds something by then', async () => {
    const directory = join(root, 'copy');
    await mkdir(directory);
    await wholeOrAbsent(directory, fill);
    await expect(wholeOrAbsent(directory, fill)).rejects.toMatchObject({ code: 'RESTORE_DIRECTORY_NOT_EMPTY' });
    expect(await readdir(root)).toEqual(['copy']);
  });

  it('is absent when filling it fails, and what a dead attempt left is removed', async () => {
    const directory = join(root, 'copy');
    await mkdir(join(root, '.copy.restoring-dead', 'half'), { recursive: true });
    await mkdir(join(root, '.copy2.restoring-other'));
    const failing = wholeOrAbsent(directory, async (folder) => {
      await fill(folder);
      throw new Error('the disk is full');
    });
    await expect(failing).rejects.toThrow('the disk is full');
    expect(existsSync(directory)).toBe(false);
    expect(await readdir(root)).toEqual(['.copy2.restoring-other']);
    await clearBeside(join(root, 'missing', 'copy'));
  });
});

describe('a directory that may be filled', () => {
  it('is new or empty; a link leads to it', async () => {
    await mkdir(join(root, 'empty'));
    await symlink(join(root, 'empty'), join(root, 'link'));
    expect(await requireFreeDirectory(join(root, 'link'))).toBe(join(root, 'empty'));
    expect(await requireFreeDirectory(join(root, 'not', 'yet', 'there'))).toBe(join(root, 'not', 'yet', 'there'));
    expect(await readdir(root)).toEqual(['empty', 'link']);
  });

  it('holds nothing, is no file, and is below no file', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(requireFreeDirectory(root)).rejects.toMatchObject({
      code: 'RESTORE_DIRECTORY_NOT_EMPTY',
      message: expect.stringContaining('file'),
    });
    const unusable = { code: 'RESTORE_DIRECTORY_UNUSABLE' };
    await expect(requireFreeDirectory(join(root, 'file'))).rejects.toMatchObject(unusable);
    await expect(requireFreeDirectory(join(root, 'file', 'below'))).rejects.toMatchObject(unusable);
  });
});
