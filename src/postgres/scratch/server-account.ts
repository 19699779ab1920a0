import { chown, lchown, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import { runChild } from '../../platform/child-process.ts';
import { createPrivateFolder } from '../../platform/files.ts';
import { unprivilegedUser, type UnixUser } from '../../platform/unprivileged-user.ts';

/** The account that servers run under; undefined for our own. @throws LifeboatError NO_UNPRIVILEGED_USER */
export async function serverAccount(): Promise<UnixUser | undefined> {
  const user = await unprivilegedUser();
  if (user !== null) return user;
  throw new LifeboatError('NO_UNPRIVILEGED_USER', 'start postgresql as root: no account to run it under');
}

/** Makes a folder and all in it the account's, and makes sure that the account can get there. */
export async function giveTo(user: UnixUser | undefined, folder: string): Promise<void> {
  if (user === undefined) return;
  await giveAll(user, folder);
  if (await canEnter(user, folder)) return;
  throw new LifeboatError('POSTGRES_SCRATCH_FAILED', `use ${folder}: the account ${user.name} cannot enter it`, {
    hint: `choose a folder whose parents ${user.name} may enter, below /var/tmp for example`,
  });
}

/** A private folder for sockets. */
export async function createSocketFolder(user: UnixUser | undefined): Promise<string> {
  const folder = await createPrivateFolder('lifeboat-scratch', await socketPlace(user));
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return folder;
}

/** Where folders for sockets can be: short, because the path of a socket has 107 bytes at most. */
export async function socketPlace(user: UnixUser | undefined): Promise<string> {
  const places = [tmpdir(), '/tmp', '/var/tmp'];
  for (const place of new Set(places)) {
    if (place.length <= LONGEST_PLACE && (user === undefined || (await canEnter(user, place)))) return place;
  }
  throw new LifeboatError(
    'POSTGRES_SCRATCH_FAILED',
    `make a folder for a socket: none of ${places.join(', ')} will do`,
  );
}

const LONGEST_PLACE = 60;

async function giveAll(user: UnixUser, folder: string): Promise<void> {
  await lchown(folder, user.uid, user.gid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveAll(user, path);
    else await lchown(path, user.uid, user.gid);
  }
}

/** Asked of the system itself, under that account: modes, groups, ACLs and mounts all count. */
async function canEnter(user: UnixUser, folder: string): Promise<boolean> {
  const { exit } = await runChild({
    name: 'sh',
    command: '/bin/sh',
    args: ['-c', 'cd "$1"', 'sh', folder],
    cwd: '/',
    user,
    signal: new AbortController().signal,
  });
  return exit.code === 0;
}
