import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freeSpaceBytes, withPrivateFolder, writeFileAtomic } from '../../../src/platform/files.ts';
import { withLock } from '../../../src/platform/lock.ts';
import { freePort, freePortNear, isPortFree } from '../../../src/platform/ports.ts';
import { endProcessGroup, identifyProcess, isRunning } from '../../../src/platform/process-identity.ts';
import { parsePasswd } from '../../../src/platform/unprivileged-user.ts';

describe('an atomic write', () => {
  test('replaces the file, for this user only, and leaves nothing beside it', async () => {
    await withPrivateFolder('test', async (folder) => {
      const file = join(folder, 'state.json');
      await writeFile(file, 'old');
      await writeFileAtomic(file, 'new');
      expect(await readFile(file, 'utf8')).toBe('new');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await readdir(folder)).toEqual(['state.json']);
    });
  });

  test('that cannot be finished leaves the old file and no scraps', async () => {
    await withPrivateFolder('test', async (folder) => {
      const file = join(folder, 'taken');
      await writeFileAtomic(join(folder, 'other'), 'x');
      await mkdir(join(file, 'by-a-folder'), { recursive: true });
      await expect(writeFileAtomic(file, 'new')).rejects.toMatchObject({
        code: expect.stringMatching(/EISDIR|ENOTEMPTY/),
      });
      expect((await readdir(folder)).toSorted()).toEqual(['other', 'taken']);
    });
  });
});

test('a private folder is closed to others and gone afterwards', async () => {
  let seen = '';
  await withPrivateFolder('test', async (folder) => {
    seen = folder;
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await freeSpaceBytes(folder)).toBeGreaterThan(0);
  });
  await expect(stat(seen)).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('a lock', () => {
  test('lets one in at a time', async () => {
    let inside = 0;
    const seen: number[] = [];
    const work = async (): Promise<void> => {
      inside += 1;
      seen.push(inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    const name = `/test/lock/${process.pid}`;
    await Promise.all([withLock(name, work), withLock(name, work), withLock(name, work)]);
    expect(seen).toEqual([1, 1, 1]);
  });

  test('that stays held is reported, not waited for without end', async () => {
    const name = `/test/held/${process.pid}`;
    let waited = 0;
    await withLock(name, async () => {
      const second = withLock(name, async () => 'in', { limitMs: 50, onWait: () => (waited += 1) });
      await expect(second).rejects.toMatchObject({ code: 'LOCK_HELD' });
    });
    expect(waited).toBe(1);
    expect(await withLock(name, async () => 'in')).toBe('in');
  });
});

test('a free port is free, and a taken one is passed over', async () => {
  const port = await freePort();
  expect(await isPortFree(port)).toBe(true);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await isPortFree(port)).toBe(false);
  expect(await freePortNear(port)).not.toBe(port);
  await new Promise((resolve) => server.close(resolve));
});

test('a process with a recycled pid is not the one that was remembered, and is not ended', async () => {
  const self = await identifyProcess(process.pid);
  expect(self).toBeDefined();
  expect(await isRunning(self!)).toBe(true);
  const stranger = { pid: process.pid, startedAt: 'another boot:1' };
  expect(await isRunning(stranger)).toBe(false);
  expect(await endProcessGroup(stranger, { signal: 'SIGKILL', graceMs: 0 })).toBe(true);
});

test('accounts are read from passwd, and lines that are none are skipped', () => {
  const text = 'root:x:0:0:root:/root:/bin/sh\n+::::::\n\n#x\nnobody:x:65534:65533:n:/:/bin/false\n';
  expect(parsePasswd(text)).toEqual([
    { name: 'root', uid: 0, gid: 0 },
    { name: 'nobody', uid: 65_534, gid: 65_533 },
  ]);
});
