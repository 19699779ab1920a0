import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import { writeFileAtomic } from '../../platform/files.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../platform/process-identity.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import { serverAccount, socketPlace } from '../../postgres/scratch/server-account.ts';

/** Whose scratch place it is. */
export interface PlaceOwner {
  readonly group: string;
  readonly drillId: string;
  /** Of the workflow. */
  readonly runId: string;
}

/** A place that a drill fills and that nothing is left of. */
export interface ScratchPlace {
  /** For data directories; the account that servers run under may enter it. */
  readonly folder: string;
  /** For the socket of PostgreSQL: short, and that account's. */
  readonly sockets: string;
  /** Removes all of it; repeated it does nothing. */
  remove(): Promise<void>;
}

/** What the mark says: who works there. What belongs to a mark follows from its name, never from what is in it. */
interface Mark extends PlaceOwner {
  readonly version: 1;
  readonly host: string;
  readonly owner: ProcessIdentity;
  /** Parent of the folder for sockets. */
  readonly socketPlace: string;
  readonly createdAt: string;
}

const MARK = /^drill-([0-9a-f]{16})\.lifeboat\.json$/;
const SOCKET_PLACES = /^\/(?:[^/]+\/)*[^/]+$/;
/** Servers of a worker that was killed end within a second; until then they may write. */
const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const;

/**
 * Takes a new place below `parent`. The mark is written before anything that it stands for is made, and removed after all of it, so
 * that whatever a `kill -9` leaves is found by `sweepScratch`.
 */
export async function openScratchPlace(parent: string, owner: PlaceOwner): Promise<ScratchPlace> {
  const user = await serverAccount();
  const own = await identifyProcess(process.pid);
  if (own === undefined) throw new LifeboatError('INTERNAL', 'this process cannot be identified');
  await mkdir(parent, { recursive: true, mode: 0o711 });
  const place = await socketPlace(user);
  const createdAt = new Date().toISOString();
  const mark: Mark = { version: 1, ...owner, host: hostname(), owner: own, socketPlace: place, createdAt };
  const name = randomBytes(8).toString('hex');
  await writeFileAtomic(join(parent, `drill-${name}.lifeboat.json`), `${JSON.stringify(mark, null, 2)}\n`);
  const { folder, sockets } = placesOf(parent, name, place);
  const remove = async (): Promise<void> => removePlace(parent, name, place);
  try {
    await mkdir(folder, { mode: 0o711 });
    await mkdir(sockets, { mode: 0o700 });
    if (user !== undefined) await chown(sockets, user.uid, user.gid);
    return { folder, sockets, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

export interface Swept {
  /** Drills whose places were removed. */
  readonly removed: readonly string[];
  /** Marks that were left alone, with the reason; a drill that runs is none. */
  readonly left: readonly string[];
}

/**
 * Removes what drills left whose worker is dead. Only what a mark of ours stands for goes: a mark of another host, or one that cannot be
 * read, is left and named.
 */
export async function sweepScratch(parent: string): Promise<Swept> {
  const names = await readdir(parent).catch((error: unknown) => {
    // Nobody has ever drilled here.
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const removed: string[] = [];
  const left: string[] = [];
  for (const file of names.filter((name) => MARK.test(name))) {
    const mark = await readMark(join(parent, file));
    if (mark === 'gone') continue;
    if (mark === undefined) left.push(`${file}: cannot be read`);
    else if (mark.host !== hostname()) left.push(`${file}: of the host ${mark.host}`);
    else if (!(await isRunning(mark.owner))) {
      await removePlace(parent, MARK.exec(file)?.[1] ?? '', mark.socketPlace);
      removed.push(mark.drillId);
    }
  }
  return { removed, left };
}

function placesOf(parent: string, name: string, place: string): { readonly folder: string; readonly sockets: string } {
  return { folder: join(parent, `drill-${name}`), sockets: join(place, `lifeboat-drill-${name}`) };
}

async function removePlace(parent: string, name: string, place: string): Promise<void> {
  const { folder, sockets } = placesOf(parent, name, place);
  await rm(sockets, REMOVAL);
  await rm(folder, REMOVAL);
  await rm(join(parent, `drill-${name}.lifeboat.json`), { force: true });
}

/** `gone`: its drill has ended in the meantime. Undefined for what is no mark of ours. */
async function readMark(path: string): Promise<Mark | 'gone' | undefined> {
  try {
    const mark = JSON.parse(await readFile(path, 'utf8')) as Partial<Mark> | null;
    return isMark(mark) ? mark : undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 'gone';
    if (error instanceof SyntaxError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

function isMark(mark: Partial<Mark> | null): mark is Mark {
  return (
    mark?.version === 1 &&
    typeof mark.drillId === 'string' &&
    typeof mark.host === 'string' &&
    typeof mark.owner?.pid === 'number' &&
    typeof mark.owner.startedAt === 'string' &&
    typeof mark.socketPlace === 'string' &&
    SOCKET_PLACES.test(mark.socketPlace)
  );
}
