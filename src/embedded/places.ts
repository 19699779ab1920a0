import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';
import { environmentVariable } from '../platform/environment.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import { unprivilegedUser, type UnixUser } from '../platform/unprivileged-user.ts';

export const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));

/** Folder of everything that is downloaded or started here: LIFEBOAT_HOME, or `.lifeboat` in the project. */
export function defaultStateDir(): string {
  return resolve(environmentVariable('LIFEBOAT_HOME') ?? join(PROJECT_DIR, '.lifeboat'));
}

/** Where programs and data of database servers go, and under which account those servers run. */
export interface ServerPlace {
  readonly folder: string;
  /** Undefined: as ourselves. */
  readonly user: UnixUser | undefined;
}

/**
 * The place for PostgreSQL. As an ordinary user that is the state folder. As root the server runs under another account,
 * which must be able to enter: below a private folder such as /root the place moves to /var/tmp or TMPDIR.
 * Throws NO_UNPRIVILEGED_USER (also when our own user id has no name, which initdb needs) and PLACE_UNTRUSTED.
 */
export async function serverPlace(stateDir: string): Promise<ServerPlace> {
  const user = await unprivilegedUser();
  if (user === undefined) {
    requireName();
    return { folder: stateDir, user };
  }
  if (user === null)
    throw new LifeboatError('NO_UNPRIVILEGED_USER', 'start postgresql as root: no account to run it under');
  await mkdir(stateDir, { recursive: true });
  if (await canEnter(user, stateDir)) return { folder: stateDir, user };
  // Files in /var/tmp stay over a restart of the machine.
  const parent = (await canEnter(user, LASTING_PLACE)) ? LASTING_PLACE : tmpdir();
  return { folder: await ownFolder(join(parent, movedName(stateDir))), user };
}

/**
 * Where programs of this state folder may be by now: the folder itself, and as root the place that servers moved to. Only
 * looks; a folder that others may write to is left out, because what is found there gets executed.
 */
export async function knownPlaces(stateDir: string): Promise<readonly string[]> {
  const moved = process.getuid?.() === 0 ? [LASTING_PLACE, tmpdir()].map((at) => join(at, movedName(stateDir))) : [];
  const trusted = await Promise.all(
    [...new Set(moved)].map(async (folder) => ((await isOurs(folder)) ? [folder] : [])),
  );
  return [stateDir, ...trusted.flat()];
}

const LASTING_PLACE = '/var/tmp';

const movedName = (stateDir: string): string =>
  `lifeboat-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`;

/** The nearest of TMPDIR and /var/tmp that the account may enter; for servers of tests and drills. */
export async function temporaryPlace(user: UnixUser | undefined): Promise<string> {
  return user === undefined || (await canEnter(user, tmpdir())) ? tmpdir() : '/var/tmp';
}

/** initdb looks up who runs it and ends without an answer; containers often run under an id that has no entry. */
function requireName(): void {
  try {
    userInfo();
  } catch (cause) {
    const uid = process.getuid?.() ?? -1;
    throw new LifeboatError('NO_UNPRIVILEGED_USER', `start postgresql as user id ${uid}: the id has no name`, {
      cause,
      hint: 'add an entry for it to /etc/passwd, or run as a user that has one',
    });
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

/** Makes a folder with a name that others can foresee; one that is there must be ours alone to write. */
async function ownFolder(folder: string): Promise<string> {
  await mkdir(folder, { mode: 0o755 }).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  });
  if (await isOurs(folder)) return folder;
  throw new LifeboatError('PLACE_UNTRUSTED', `use ${folder} for servers: not a folder that only this user may write`, {
    details: { folder, parent: dirname(folder), ownerUid: (await lstat(folder)).uid },
  });
}

/** False too where there is nothing. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}
