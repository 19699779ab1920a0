import type { BackupRecord } from '../domain/backup.ts';
import { type ErrorCode, LifeboatError, toLifeboatError } from '../domain/errors.ts';
import { compareJournals } from '../domain/journal-copies.ts';
import type { Operation } from '../domain/operation.ts';
import { recoveryWindow } from '../domain/recovery-window.ts';
import { compareTarget, isDueThere, type TargetFacts } from '../domain/target-facts.ts';
import { viewWindow } from '../domain/window-view.ts';
import { type RecoveryCatalog, readRecoveryCatalog } from '../recovery/read-catalog.ts';
import { storedBytesOf } from '../recovery/stored-bytes.ts';
import { epochName } from '../repository/journals/journal-keys.ts';
import type { RemovedHere } from '../repository/cleanup/repository-cleanup.ts';
import type { Repository } from '../repository/repository.ts';
import type { CopyTarget, Dependencies } from './dependencies.ts';
import { openExisting, orNothing } from './lost-repository.ts';
import { configuredComponents } from './sources.ts';
import { within } from './within.ts';

/** For one target to say what it has: long enough for a thousand manifests over a slow line. */
const ANSWER_MS = 15_000;

type Asking = Pick<Dependencies, 'repository' | 'hasRepository' | 'targets' | 'settings'>;

/** What one place has. */
interface Holdings {
  readonly id: string;
  readonly catalog: RecoveryCatalog;
}

/** What each target has of the repository, all asked at once. A target or repository that is away is said, and no error. */
export async function readTargets(deps: Asking, operation: Operation): Promise<TargetFacts[]> {
  const own = await within(ANSWER_MS, { doing: 'ask the repository' }, readOwn(deps, operation)).catch(
    (error: unknown) => toLifeboatError(error),
  );
  return Promise.all(deps.targets.map(async (target) => lookAt(deps, { target, own }, operation)));
}

/** Nothing is made where nothing is: a repository that was lost is not one that every target has all of. */
async function readOwn(deps: Asking, operation: Operation): Promise<Holdings> {
  return holdingsOf(await openExisting(deps), deps, operation);
}

async function holdingsOf(repository: Repository, { settings }: Asking, operation: Operation): Promise<Holdings> {
  const catalog = await readRecoveryCatalog(repository, configuredComponents(settings), operation);
  return { id: repository.id, catalog };
}

interface Look {
  readonly target: CopyTarget;
  readonly own: Holdings | LifeboatError;
}

async function lookAt(deps: Asking, { target, own }: Look, operation: Operation): Promise<TargetFacts> {
  const { name, region } = target;
  const unknown = { pending: null, pendingBackups: [], lagSeconds: null, journals: null };
  let location = '';
  try {
    location = target.store().url;
    const there = await within(ANSWER_MS, { doing: `ask target ${name}` }, readThere(deps, target, operation));
    const backups = there === null ? 0 : completeOf(there).length;
    const storedBytes = there === null ? { backups: 0, journals: 0 } : storedBytesOf(there.catalog);
    const held = { backups, storedBytes };
    if (own instanceof LifeboatError) {
      const lastError = `the repository itself cannot be read: ${own.message}`;
      return { name, region, location, ...unknown, ...held, state: 'unknown', lastError };
    }
    if (there !== null && there.id !== own.id) {
      const lastError = `it holds repository ${there.id}, not ${own.id}`;
      return { name, region, location, ...unknown, ...held, state: 'foreign', lastError };
    }
    return { name, region, location, ...compare(own, there), storedBytes, lastError: null };
  } catch (error) {
    const { code, message } = toLifeboatError(error);
    return {
      name,
      region,
      location,
      ...unknown,
      backups: null,
      storedBytes: null,
      state: stateOf(code),
      lastError: `${code}: ${message}`,
    };
  }
}

type Compared = Omit<TargetFacts, 'name' | 'region' | 'location' | 'lastError' | 'storedBytes'>;

function compare(own: Holdings, there: (Holdings & { readonly removed: RemovedHere }) | null): Compared {
  const removed = there?.removed ?? { backupIds: new Set<string>(), epochs: new Set<string>() };
  // What the target's own rules removed there is not missing.
  const wanted = completeOf(own).filter((backup) => isDueThere(backup, removed.backupIds));
  const ids = there && new Set(completeOf(there).map(({ id }) => id));
  const kept = there?.catalog ?? { postgres: [], redis: [] };
  const behind = compareJournals(own.catalog, kept, ({ begin }) => removed.epochs.has(epochName(begin)));
  const { from, to } = there === null ? { from: null, to: null } : viewWindow(recoveryWindow(there.catalog));
  return { ...compareTarget(wanted, ids, Date.now()), journals: { ...behind, window: { from, to } } };
}

function completeOf({ catalog }: Holdings): readonly BackupRecord[] {
  return catalog.backups.filter(({ status }) => status === 'complete');
}

function stateOf(code: ErrorCode): TargetFacts['state'] {
  return code === 'REPOSITORY_GROUP_MISMATCH' ? 'foreign' : 'unreachable';
}

/** Null where nothing was copied yet. */
async function readThere(
  deps: Asking,
  target: CopyTarget,
  operation: Operation,
): Promise<(Holdings & { readonly removed: RemovedHere }) | null> {
  const copies = await orNothing(target.repository());
  return copies && { ...(await holdingsOf(copies, deps, operation)), removed: await copies.cleanup.removedHere() };
}
