import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createPrivateFolder } from '../../platform/files.ts';
import { systemErrorCode } from '../../platform/system-error.ts';

const PREFIX = 'lifeboat-pg-';
/** Host and process in the name, so that what a killed process left behind is told from what another one uses. */
const ownPrefix = (): string => `${PREFIX}${hostname()}-`;

/**
 * Gives `use` a folder (0700) below `scratchDir` for a passfile and a schema, and removes it afterwards. What a killed
 * process left there is removed on the way: it holds a password.
 */
export async function withScratch<T>(scratchDir: string, use: (folder: string) => Promise<T>): Promise<T> {
  await removeOrphans(scratchDir);
  const folder = await createPrivateFolder(`${ownPrefix()}${process.pid}`, scratchDir);
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeOrphans(scratchDir: string): Promise<void> {
  for (const name of await readdir(scratchDir)) {
    if (!name.startsWith(ownPrefix())) continue;
    const pid = Number(name.slice(ownPrefix().length).split('-')[0]);
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid))
      await rm(join(scratchDir, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but somebody else's.
    return systemErrorCode(error) !== 'ESRCH';
  }
}
