import type { CleanupPlan, EpochMessage, ReplacedMessage, ReplacedTablesMessage } from '../../contract/cleanup.ts';
import { byId, neededBy } from '../../domain/lineage.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Postgres, PostgresTarget } from '../../postgres/postgres.ts';
import { viewWindow } from '../../domain/window-view.ts';
import { type CleanupFindings, findCleanup, type HiddenThing } from '../../recovery/cleanup/plan-cleanup.ts';
import { expiredDatabases, expiredTables } from '../../recovery/cleanup/restore-expiry.ts';
import { epochName } from '../../repository/journals/journal-keys.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Dependencies } from '../dependencies.ts';
import { requireNotLost } from '../lost-repository.ts';
import { configuredComponents } from '../sources.ts';

/** Decisions of one list, about 300 bytes each: below Temporal's 2 MB limit on a payload, and enough for one run. */
const MAX_DECISIONS = 1_000;
/** Each names its tables, about 100 bytes each. */
const MAX_RESTORES_OF_TABLES = 100;

/** See CleanupControl.planCleanup. */
export async function planCleanup(
  deps: Dependencies,
  { nowMs, includeDamaged }: { readonly nowMs: number; readonly includeDamaged: boolean },
  operation: Operation,
): Promise<CleanupPlan> {
  await requireNotLost(deps);
  const repository = await deps.repository();
  const rules = deps.settings.cleanup;
  const components = configuredComponents(deps.settings);
  const found = await findCleanup(repository, { rules, nowMs, components, includeDamaged }, operation);
  const databases = await findReplaced(deps, repository, nowMs);
  const plan = await planOf(repository, found, { nowMs, graceMs: rules.graceMs, databases });
  return deps.targets.length === 0 ? plan : { ...plan, targets: deps.targets.map(({ name }) => name) };
}

interface Replaced {
  readonly replaced: readonly ReplacedMessage[];
  readonly replacedTables: readonly ReplacedTablesMessage[];
  readonly warnings: readonly string[];
}

interface PlanFacts {
  readonly nowMs: number;
  readonly graceMs: number;
  readonly databases: Replaced;
}

/** What was found as a message: of the repository, or of a target. */
export async function planOf(
  repository: Repository,
  found: CleanupFindings,
  { nowMs, graceMs, databases }: PlanFacts,
): Promise<CleanupPlan> {
  const { decisions, hidden, unreferenced } = found;
  const gone = decisions.filter(({ keep }) => !keep);
  const kept = decisions.filter(({ keep }) => keep);
  const { purge, warnings } = duePurge(found);
  const hide = { backups: gone.slice(0, MAX_DECISIONS), epochs: found.epochs.slice(0, MAX_DECISIONS).map(nameEpoch) };
  return {
    at: new Date(nowMs).toISOString(),
    hide,
    purge,
    waiting: hidden
      .filter(({ isDue }) => !isDue)
      .map(({ what, dueMs }) => ({ id: idOf(what), dueAt: new Date(dueMs).toISOString() }))
      .slice(0, MAX_DECISIONS),
    kept: kept.slice(0, MAX_DECISIONS),
    omitted: Math.max(0, gone.length - MAX_DECISIONS) + Math.max(0, kept.length - MAX_DECISIONS),
    abandoned: unreferenced.abandoned.map(({ backupId }) => backupId).slice(0, MAX_DECISIONS),
    leftovers: unreferenced.leftovers.length,
    replaced: databases.replaced,
    replacedTables: databases.replacedTables,
    freedBytes: (await bytesOf(repository, purge)) + unreferencedBytes(unreferenced),
    freedLaterBytes: await bytesOf(repository, { backupIds: hide.backups.map(({ id }) => id), epochs: hide.epochs }),
    graceMs,
    windowBefore: viewWindow(found.windowBefore),
    windowAfter: viewWindow(found.windowAfter),
    warnings: [...warnings, ...databases.warnings],
  };
}

/** A hidden backup that a listed one stands on again (somebody brought that one back by hand) stays. */
function duePurge({ hidden, catalog }: CleanupFindings): Pick<CleanupPlan, 'purge' | 'warnings'> {
  const lineage = byId(catalog.backups);
  const needed = new Set(catalog.backups.flatMap(({ id }) => neededBy(id, lineage).ids));
  const due = hidden.filter(({ isDue }) => isDue).map(({ what }) => what);
  const backupIds = due.flatMap((what) => ('backupId' in what ? [what.backupId] : []));
  const staying = backupIds.filter((id) => needed.has(id));
  return {
    purge: {
      backupIds: backupIds.filter((id) => !needed.has(id)).slice(0, MAX_DECISIONS),
      epochs: due.flatMap((what) => ('kind' in what ? [what] : [])).slice(0, MAX_DECISIONS),
    },
    warnings: staying.map(
      (id) =>
        `${id} was removed, but a backup that is listed stands on it: \`lifeboat backup hold ${id}\` brings it back`,
    ),
  };
}

async function findReplaced(deps: Dependencies, repository: Repository, nowMs: number): Promise<Replaced> {
  const { postgres } = deps.settings;
  const none = { replaced: [], replacedTables: [], warnings: [] };
  if (postgres === null) return none;
  const records = await repository.cleanup.restores();
  const [wanted, tables] = [expiredDatabases(records, nowMs), expiredTables(records, nowMs)];
  try {
    const found = wanted.length === 0 ? [] : await (await deps.postgres()).findDatabases(postgres.target, wanted);
    const replacedTables = tables.length === 0 ? [] : await findTables(await deps.postgres(), postgres.target, tables);
    return {
      replaced: found.slice(0, MAX_DECISIONS),
      replacedTables: replacedTables.slice(0, MAX_RESTORES_OF_TABLES),
      warnings: [],
    };
  } catch (error) {
    // The store is cleaned up all the same; the next run finds them.
    if (!(error instanceof LifeboatError)) throw error;
    return { ...none, warnings: [`what restores replaced in PostgreSQL stays for now: ${error.message}`] };
  }
}

/** Of each database in one session; with one that is gone went its tables. */
async function findTables(
  postgres: Pick<Postgres, 'tables'>,
  target: PostgresTarget,
  wanted: readonly ReplacedTablesMessage[],
): Promise<ReplacedTablesMessage[]> {
  const found: ReplacedTablesMessage[] = [];
  for (const database of new Set(wanted.map((one) => one.database))) {
    const inIt = wanted.filter((one) => one.database === database);
    try {
      const kept = await postgres.tables.findKept({ ...target, database }, inIt);
      found.push(...kept.map((one) => ({ ...one, database })));
    } catch (error) {
      if (!(error instanceof LifeboatError && error.code === 'POSTGRES_DATABASE_MISSING')) throw error;
    }
  }
  return found;
}

export function unreferencedBytes({
  abandoned,
  leftovers,
}: Pick<CleanupFindings['unreferenced'], 'abandoned' | 'leftovers'>): number {
  return [...abandoned, ...leftovers].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function bytesOf({ cleanup }: Repository, { backupIds, epochs }: CleanupPlan['purge']): Promise<number> {
  let bytes = 0;
  for (const backupId of backupIds) bytes += await cleanup.sizeOf({ backupId });
  for (const epoch of epochs) bytes += await cleanup.sizeOf(epoch);
  return bytes;
}

function nameEpoch({ begin: { kind, history, epoch } }: CleanupFindings['epochs'][number]): EpochMessage {
  return { kind, history, epoch };
}

function idOf(what: HiddenThing): string {
  return 'backupId' in what ? what.backupId : epochName(what);
}
