import type { ProtectionSeen, JournalSeen, SpaceSeen } from '../../domain/alerts/alert-facts.ts';
import { toLifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryPointAges } from '../../domain/recovery-point-age.ts';
import { readRecoveryCatalog } from '../../recovery/read-catalog.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Dependencies, JournalSeenByRun } from '../dependencies.ts';
import { journalFactsOf } from '../journal/journal-facts.ts';
import { openExisting } from '../lost-repository.ts';
import { configuredComponents } from '../sources.ts';
import { spaceInUse } from '../space-in-use.ts';
import { within } from '../within.ts';

/** A store that does not answer in this time is down, as far as a backup is concerned. */
const ANSWER_MS = 20_000;
/** Damaged backups that are named one by one. */
const MAX_DAMAGED = 20;

export interface Places {
  /** Null where there is none yet, or it cannot be read. */
  readonly repository: Repository | null;
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** Whether the repository answers. None is made; that there is none is trouble only where there was one. */
export async function lookAtPlaces(deps: Dependencies, hadRepository: boolean): Promise<Places> {
  try {
    const repository = await within(ANSWER_MS, { doing: 'open the repository' }, openExisting(deps));
    return { repository, problem: null };
  } catch (error) {
    const { code, message } = toLifeboatError(error);
    const isNew = code === 'REPOSITORY_MISSING' && !hadRepository;
    return { repository: null, problem: isNew ? null : { code, message } };
  }
}

/** Backups, journals and what would be lost now; `backupIds` are all that are listed. */
export async function lookAtProtection(
  deps: Dependencies,
  repository: Repository | null,
  operation: Operation,
): Promise<ProtectionSeen & { readonly backupIds: readonly string[] }> {
  if (repository === null) {
    const ages = { postgres: null, redis: null };
    return { newestBackupAt: null, damaged: [], journals: [], ages, backupIds: [] };
  }
  const catalog = await readRecoveryCatalog(repository, configuredComponents(deps.settings), operation);
  const journals = await deps.temporal.journals(await journalFactsOf(deps, catalog, operation));
  const { backups } = catalog;
  const sound = backups.filter(({ status }) => status === 'complete').map(({ finishedAt }) => finishedAt);
  const damaged = backups.filter(({ status }) => status === 'damaged').map(({ id }) => id);
  return {
    newestBackupAt: sound.toSorted().at(-1) ?? null,
    damaged: damaged.slice(0, MAX_DAMAGED),
    journals: journals.map(seenOf),
    ages: recoveryPointAges(backups, journals, Date.now()),
    backupIds: backups.map(({ id }) => id),
  };
}

function seenOf(journal: JournalSeenByRun): JournalSeen {
  const { kind, enabled, state, reason, lagSeconds, flushSeconds, gaps, problems, slot } = journal;
  const open = gaps.find(({ to }) => to === null);
  return {
    kind,
    state,
    reason,
    // Of a journal that is not kept nothing has to be new.
    lagSeconds: enabled ? lagSeconds : null,
    flushSeconds,
    openGap: enabled && open !== undefined ? { from: open.from, message: open.message } : null,
    damagedFiles: problems.length,
    slot: slot?.exists === true ? slot : null,
  };
}

/** Folders alone can say how much room there is; a bucket has no end. */
export async function lookAtSpace({ primaryStore, targets }: Dependencies): Promise<readonly SpaceSeen[]> {
  const stores = targets.map(({ name, store }) => ({ place: name, store: store() }));
  const places = [{ place: 'repository', store: primaryStore() }, ...stores];
  const found = await Promise.all(places.map(async ({ place, store }) => spaceOf(place, store)));
  return found.filter((one) => one !== null);
}

async function spaceOf(place: string, store: ObjectStore): Promise<SpaceSeen | null> {
  // A bucket cannot tell, and is not asked whether it holds a repository.
  const space = store.space === undefined ? null : await spaceInUse(store);
  return space && { place, location: store.url, ...space };
}
