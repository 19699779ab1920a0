import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { serverPlace } from '../../../embedded/places.ts';
import { stackStatus } from '../../../embedded/stack.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../../platform/process-identity.ts';

const identity = z.object({ pid: z.int().positive(), startedAt: z.string() });

/** Present while a demo has the folder: who that is. A kept one has none, its stack is known by stack.json. */
const OWNER = 'owner.json';

/** A folder of its own for one demo, so that two at once do not meet; what dead ones left behind is removed. */
export async function makeRunFolder(stateDir: string): Promise<string> {
  const parent = join(stateDir, 'demos');
  await mkdir(parent, { recursive: true });
  await sweep(parent);
  const name = randomBytes(4).toString('hex');
  const [making, folder] = [join(parent, `.${name}`), join(parent, name)];
  await mkdir(making, { mode: 0o700 });
  await writeFile(join(making, OWNER), JSON.stringify(await identifyProcess(process.pid)), { mode: 0o600 });
  // Programs and built workflows are the same for all; to make them again would cost each demo seconds or minutes.
  for (const shared of ['workflows', 'tools']) {
    await mkdir(join(stateDir, shared), { recursive: true });
    await symlink(join(stateDir, shared), join(making, shared));
  }
  // It gets its name with its owner, or another demo could take it for one that was left behind.
  await rename(making, folder);
  return folder;
}

/** Removes the folder and what was placed elsewhere for it. */
export async function removeRunFolder(folder: string): Promise<void> {
  const place = await serverPlace(folder);
  if (place.folder !== folder) await rm(place.folder, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}

/** From here on the folder belongs to the stack that runs in it. */
export async function giveUpFolder(folder: string): Promise<void> {
  await rm(join(folder, OWNER));
}

async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent);
  for (const name of names.filter((one) => !one.startsWith('.'))) {
    const folder = join(parent, name);
    if (!(await isInUse(folder))) await removeRunFolder(folder);
  }
}

async function isInUse(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, OWNER), 'utf8').catch(() => undefined);
  if (text !== undefined) {
    // A demo that was killed while it wrote this cannot run any more.
    const owner = parseOwner(text);
    return owner !== undefined && (await isRunning(owner));
  }
  const { services } = await stackStatus({ stateDir: folder });
  return services.length > 0;
}

function parseOwner(text: string): ProcessIdentity | undefined {
  try {
    return identity.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
