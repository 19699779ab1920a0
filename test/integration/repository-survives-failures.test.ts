// Goal: a crash, a full disk or a read-only store never leaves a backup that lies, and what is whole stays usable.
// Method: a writer in a process of its own, ended by SIGKILL at many moments; small tmpfs mounts (root only).
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createRepository } from '../../src/repository/create-repository.ts';
import { openRepository } from '../../src/repository/open-repository.ts';
import { createLocalStore } from '../../src/storage/local-store.ts';
import { collect, collectBytes } from '../support/collect.ts';
import {
  chunks,
  ENCRYPTED,
  makeBackup,
  openPlace,
  openWriter,
  OPERATION,
  PLAIN,
  type TestPlace,
} from '../unit/repository/fixture.ts';

const run = promisify(execFile);
const WRITER = join(import.meta.dirname, '../support/repository-writer.ts');

let place: TestPlace;

beforeEach(async () => {
  place = await openPlace('disk');
});

afterEach(async () => {
  await place.remove();
});

/** Starts the writer and kills it some time after its first sign of life. */
async function killWriter(mode: 'endless' | 'many', afterMs: number): Promise<void> {
  const writer = spawn(process.execPath, [WRITER, place.folder, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(writer, 'exit');
  await once(writer.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  writer.kill('SIGKILL');
  expect((await ended)[1]).toBe('SIGKILL');
}

test('a worker killed while it writes leaves no backup; the next attempt, and a discard, find their way', async () => {
  await killWriter('endless', 100);
  const repository = await openWriter(place);
  expect(await repository.list()).toEqual([]);
  expect(await repository.verifyChain()).toEqual([]);

  const createdAt = '2026-01-15T10:30:00.000Z';
  const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: 'run-1', codec: ENCRYPTED });
  expect(backupId).toBe('backup-2026-01-15T10-30-00-000Z');
  expect(await repository.claimAttempt(backupId, 'postgres')).toBe(2);
  await repository.discard(backupId);
  const { stdout } = await run('find', [join(place.folder, 'store'), '-type', 'f']);
  expect(stdout.trim().split('\n')).toEqual([join(place.folder, 'store/lifeboat.json')]);
});

test('a worker killed at any moment leaves only whole backups, and the chain holds', async () => {
  for (const afterMs of [40, 130, 220, 310, 400, 490]) {
    await killWriter('many', afterMs);
    const repository = await openWriter(place);
    const records = await repository.list();
    for (const { id, status } of records) {
      expect(status).toBe('complete');
      expect(await repository.verify(id, OPERATION)).toEqual([]);
    }
    expect(await repository.verifyChain()).toEqual([]);
  }
  const repository = await openWriter(place);
  const { manifest } = await makeBackup(repository, { createdAt: '2026-01-16T00:00:00.000Z' });
  expect(await repository.verify(manifest.id, OPERATION)).toEqual([]);
});

// Mounting needs root; elsewhere the two promises below stay unproven on this machine.
const asRoot = process.geteuid?.() === 0 ? describe : describe.skip;

asRoot('on a small file system of its own (needs root to mount one)', () => {
  let mount: string;

  beforeEach(async () => {
    mount = join(place.folder, 'mount');
    await mkdir(mount);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'lifeboat-test', mount]);
  });

  afterEach(async () => {
    await run('umount', ['-l', mount]);
  });

  test('a full disk rejects with STORE_FULL, leaves no object, and writing goes on when there is space', async () => {
    const store = createLocalStore({ root: join(mount, 'store') });
    const repository = await createRepository({ ...place, store, group: 'default' });
    const createdAt = '2026-01-15T10:30:00.000Z';
    const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: 'a', codec: PLAIN });
    const request = {
      backupId,
      component: 'redis',
      attempt: 1,
      name: 'snapshot',
      format: 'redis-rdb',
      codec: PLAIN,
    } as const;
    const big = Buffer.alloc(4_000_000, 1);
    const writing = repository.writeArtifact(request, chunks(big), OPERATION);
    await expect(writing).rejects.toMatchObject({ code: 'STORE_FULL' });
    const keys = (await collect(store.list(''))).map(({ key }) => key);
    expect(keys).toEqual([`backups/${backupId}/begin.json`, 'lifeboat.json']);
    expect((await store.space?.())?.freeBytes).toBeGreaterThan(1_500_000);

    await writeFile(join(mount, 'ballast'), Buffer.alloc(1_900_000));
    const small = repository.writeArtifact(request, chunks(Buffer.alloc(500_000, 2)), OPERATION);
    await expect(small).rejects.toMatchObject({ code: 'STORE_FULL' });
    await rm(join(mount, 'ballast'));
    const artifact = await repository.writeArtifact(request, chunks(Buffer.alloc(500_000, 2)), OPERATION);
    expect(artifact.storedBytes).toBe(500_000);
  });

  test('a store that may only be read is listed, verified and read, and writing says why it cannot', async () => {
    const store = createLocalStore({ root: join(mount, 'store') });
    const writer = await createRepository({ ...place, store, group: 'default' });
    const { manifest, data } = await makeBackup(writer);
    await run('mount', ['-o', 'remount,ro', mount]);

    const reader = await openRepository({ store, keyring: place.keyring, trustedKeys: [place.signer.publicKey] });
    expect((await reader.list()).map(({ id }) => id)).toEqual([manifest.id]);
    expect(await reader.verify('latest', OPERATION)).toEqual([]);
    const snapshot = await collectBytes(reader.readArtifact(manifest, 'redis', 'snapshot', OPERATION));
    expect(snapshot.equals(data.snapshot)).toBe(true);

    const again = await createRepository({ ...place, store, group: 'default' });
    expect(await again.verify('latest', OPERATION)).toEqual([]);
    const beginning = again.beginBackup({
      kind: 'full',
      createdAt: '2026-01-16T10:30:00.000Z',
      owner: 'a',
      codec: PLAIN,
    });
    await expect(beginning).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
  });
});
