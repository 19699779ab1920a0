import type { CleanupPlan, LockedMessage, TargetCleanup } from '../../contract/cleanup.ts';
import type { BackupRecord } from '../../domain/backup.ts';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { planRetention } from '../../domain/retention/plan-retention.ts';
import { planTargetRetention } from '../../domain/retention/plan-target-retention.ts';
import { isDueThere } from '../../domain/target-facts.ts';
import { abandonedAge, findCleanup } from '../../recovery/cleanup/plan-cleanup.ts';
import type { Repository } from '../../repository/repository.ts';
import { targetNamed } from '../copy-to-target.ts';
import type { CopyTarget, Dependencies } from '../dependencies.ts';
import { orNothing } from '../lost-repository.ts';
import { oneCopyAtATime, type TurnAtTarget } from '../one-copy-at-a-time.ts';
import { withOperation } from '../operation.ts';
import { configuredComponents } from '../sources.ts';
import { within } from '../within.ts';
import { hideRemoved, LOCKED_TOLD, purgeHidden, stillNeeded } from './hide-removed.ts';
import { planOf, unreferencedBytes } from './plan-cleanup.ts';

/** For a target to open; one that is away is tried again later. */
const ANSWER_MS = 20_000;

/** A target beside the repository that it is a copy of. */
interface Pair {
  readonly there: Repository;
  /** Its backups. */
  readonly listed: readonly BackupRecord[];
  readonly own: readonly BackupRecord[];
  readonly removedInOrder: ReadonlySet<string>;
  readonly removedThere: ReadonlySet<string>;
  /** What is still to be copied. */
  readonly coming: readonly BackupRecord[];
}

/** See TargetCleanup. */
export function createTargetCleanup(deps: Dependencies): TargetCleanup {
  const { settings } = deps;
  return {
    planTargetCleanup: (input) =>
      withOperation(settings, async (operation) => planAtTarget(deps, { ...input, nowMs: Date.now() }, operation)),

    cleanTarget: (input) => withOperation(settings, async (operation) => cleanAtTarget(deps, input, operation)),
  };
}

type Asking = Pick<Dependencies, 'repository' | 'hasRepository' | 'targets' | 'settings'>;

/** Decides by the rules of the target; changes nothing. Null where nothing was copied yet. */
export async function planAtTarget(
  deps: Asking,
  {
    target: name,
    includeDamaged,
    nowMs,
  }: Parameters<TargetCleanup['planTargetCleanup']>[0] & { readonly nowMs: number },
  operation: Operation,
): Promise<{ plan: CleanupPlan | null }> {
  const target = targetNamed(deps, name);
  const pair = await openPair(deps, target);
  if (pair === null) return { plan: null };
  const rules = target.cleanup;
  const components = configuredComponents(deps.settings);
  const decide: typeof planRetention = (there, retention, moment) =>
    planTargetRetention({ ...pair, there }, retention, moment);
  const question = { rules, nowMs, components, includeDamaged, coming: pair.coming, decide };
  // Listed a moment ago, with what is coming.
  const there = { ...pair.there, list: async () => [...pair.listed] };
  const found = await findCleanup(there, question, operation);
  // What is held since it was removed there comes again with the next copy.
  const recalled = new Set(pair.coming.map(({ id }) => id));
  const hidden = found.hidden.filter(({ what }) => !('backupId' in what && recalled.has(what.backupId)));
  const databases = { replaced: [], replacedTables: [], warnings: [] };
  return { plan: await planOf(pair.there, { ...found, hidden }, { nowMs, graceMs: rules.graceMs, databases }) };
}

/** Carries a plan out, in a turn of its own. */
export async function cleanAtTarget(
  deps: Asking,
  { target: name, ...plan }: Parameters<TargetCleanup['cleanTarget']>[0],
  operation: Operation,
): Promise<{ bytes: number; unfinishedWrites: number }> {
  const target = targetNamed(deps, name);
  const repository = await openOwn(deps, target);
  return oneCopyAtATime({ target, repository, wait: true }, operation, (turn) =>
    clean(deps, { target, turn, ...plan }, turn.operation),
  );
}

type Cleaning = Omit<Parameters<TargetCleanup['cleanTarget']>[0], 'target'> & {
  readonly target: CopyTarget;
  readonly turn: TurnAtTarget;
};

async function clean(
  deps: Asking,
  { target, turn, at, hide, purge, includeDamaged }: Cleaning,
  operation: Operation,
): Promise<{ bytes: number; unfinishedWrites: number; locked: readonly LockedMessage[] }> {
  const pair = await openPair(deps, target, turn);
  if (pair === null) return { bytes: 0, unfinishedWrites: 0, locked: [] };
  const { there, own, coming } = pair;
  requireFree([...hide.backups.map(({ id }) => id), ...purge.backupIds], own);
  await hideRemoved(there, { at, ...hide, includeDamaged, scope: 'target' }, operation);
  const purged = await purgeHidden(there, purge, operation);
  const age = abandonedAge(Date.parse(at), target.cleanup, coming);
  const removed = await there.cleanup.removeUnreferenced(age, operation);
  const more = unreferencedBytes(removed);
  const locked = [...purged.locked, ...removed.locked].slice(0, LOCKED_TOLD);
  return { bytes: purged.bytes + more, unfinishedWrites: removed.unfinishedWrites, locked };
}

/**
 * Null where nothing was copied yet.
 * @throws LifeboatError TARGET_ONLY_COPY where the repository cannot be read, TARGET_FOREIGN, STORE_*
 */
async function openPair(deps: Asking, target: CopyTarget, turn?: TurnAtTarget): Promise<Pair | null> {
  const repository = await openOwn(deps, target);
  const there = await within(
    ANSWER_MS,
    { doing: `ask target ${target.name}` },
    orNothing(target.repository(turn?.fence)),
  );
  if (there === null) return null;
  if (there.id !== repository.id) {
    const facts = `it holds repository ${there.id}, not ${repository.id}`;
    throw new LifeboatError('TARGET_FOREIGN', `clean up ${target.name}: ${facts}`);
  }
  const own = await repository.list();
  const { backupIds: removedThere } = await there.cleanup.removedHere();
  const listed = await there.list();
  const present = new Set(listed.map(({ id }) => id));
  const isComing = (backup: BackupRecord): boolean =>
    backup.status === 'complete' && !present.has(backup.id) && isDueThere(backup, removedThere);
  const removedInOrder = await repository.cleanup.removedBackups();
  return { there, listed, own, removedInOrder, removedThere, coming: own.filter(isComing) };
}

/** Never makes one: a repository that was begun anew would have removed nothing and miss everything. */
async function openOwn(deps: Asking, { name }: CopyTarget): Promise<Repository> {
  try {
    if (await deps.hasRepository()) return await deps.repository();
  } catch (error) {
    const { message } = toLifeboatError(error);
    throw new LifeboatError('TARGET_ONLY_COPY', `clean up ${name}: the repository cannot be read: ${message}`, {
      cause: error,
    });
  }
  throw new LifeboatError('TARGET_ONLY_COPY', `clean up ${name}: the store holds no repository`);
}

/** The plan was made a moment ago: a hold since then counts, though its record is not at the target yet. */
function requireFree(ids: readonly string[], own: readonly BackupRecord[]): void {
  const going = new Set(ids);
  const held = own.find(({ id, holds }) => going.has(id) && holds.length > 0);
  if (held !== undefined) throw stillNeeded(held.id, `it is held: ${held.holds.join('; ')}`);
}
