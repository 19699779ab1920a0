import type { AlertsLook, AlertsMemory, UnseenArea } from '../../contract/alerts.ts';
import type { AlertFacts } from '../../domain/alerts/alert-facts.ts';
import type { AlertArea } from '../../domain/alerts/alert-kinds.ts';
import { alertsFor } from '../../domain/alerts/alerts-for.ts';
import { nextNotifications } from '../../domain/alerts/next-notifications.ts';
import { rememberRuns, type RunMemory } from '../../domain/alerts/runs-seen.ts';
import { toLifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Dependencies } from '../dependencies.ts';
import { within } from '../within.ts';
import { lookAtPlaces, lookAtProtection, lookAtSpace, type Places } from './look-at-repository.ts';
import { lookAtServers } from './look-at-servers.ts';
import { lookAtDrills, lookAtPlans, lookAtTargets } from './look-at-rehearsals.ts';

/** Targets, drills and plans change slowly, and asking them reads much. */
const SLOW_EVERY_MS = 5 * 60_000;
/** No part of a look holds the others up for longer; a target may take 15 s. */
const AREA_LIMIT_MS = 45_000;

/** See AlertsControl.lookForAlerts. */
export async function lookForAlerts(
  deps: Dependencies,
  { memory: known, all }: { readonly memory: AlertsMemory | null; readonly all: boolean },
  operation: Operation,
): Promise<AlertsLook> {
  const nowMs = Date.now();
  const at = new Date(nowMs).toISOString();
  const memory = known ?? { ...NOTHING, runs: { ...NO_RUNS, since: at } };
  const { facts, runs, places, isSlow, unseen } = await observe(deps, { memory, all, nowMs }, operation);
  const { settings } = deps;
  const { rules, telling, everyMs } = settings.alerts;
  const judged = alertsFor(facts, rules, nowMs);
  const { active, deliveries } = nextNotifications(memory.active, judged, telling, { group: settings.group, nowMs });
  const slowLookAt = isSlow && places.problem === null ? at : memory.slowLookAt;
  const hadRepository = memory.hadRepository || places.repository !== null;
  return { memory: { runs, active, slowLookAt, hadRepository }, deliveries, unseen, at, everyMs };
}

interface Observation {
  readonly facts: AlertFacts;
  readonly runs: RunMemory;
  readonly places: Places;
  /** What changes slowly was looked at, too. */
  readonly isSlow: boolean;
  readonly unseen: readonly UnseenArea[];
}

/** Looks at all parts at once; one that cannot be seen is named, and keeps what was known. */
async function observe(
  deps: Dependencies,
  { memory, all, nowMs }: { readonly memory: AlertsMemory; readonly all: boolean; readonly nowMs: number },
  operation: Operation,
): Promise<Observation> {
  const { slowLookAt } = memory;
  const isSlow = all || slowLookAt === null || nowMs - Date.parse(slowLookAt) >= SLOW_EVERY_MS;
  const unseen: UnseenArea[] = [];
  const look = lookOnce(operation, unseen);
  const places = await lookAtPlaces(deps, memory.hadRepository);
  const { repository, problem } = places;
  const readable = problem === null ? look : leave;
  const slowly = isSlow ? readable : leave;
  const [seen, servers, protection, storage, targets, drills, plans, schedules] = await Promise.all([
    look('runs', () => deps.temporal.runs(memory.runs)),
    look('servers', () => lookAtServers(deps, operation)),
    readable('protection', () => lookAtProtection(deps, repository, operation)),
    readable('storage', () => lookAtSpace(deps)),
    slowly('targets', () => lookAtTargets(deps, operation)),
    slowly('drills', () => lookAtDrills(deps, repository)),
    slowly('plans', () => lookAtPlans(deps, repository)),
    look('schedules', () => deps.temporal.schedules()),
  ]);
  const remembered = seen === null ? memory.runs : rememberRuns(memory.runs, seen.ended, nowMs);
  const runs = withoutRemoved(remembered, protection?.backupIds);
  const { outcomes, damage } = runs;
  const ofRuns = seen && { fresh: seen.ended, outcomes, damage, open: seen.open, waiting: seen.waiting };
  const facts = {
    runs: ofRuns,
    servers,
    repository: { problem },
    protection,
    storage,
    targets,
    drills,
    plans,
    schedules,
  };
  return { facts, runs, places, isSlow, unseen };
}

/** In the place of a look. */
async function leave(): Promise<null> {
  return null;
}

const NO_RUNS = { seen: [], outcomes: [], damage: [] } as const;
const NOTHING = { active: [], slowLookAt: null, hadRepository: false } as const;

/** A part that cannot be looked at gives null, and says why: its alerts then stay as they were. */
function lookOnce(operation: Operation, unseen: UnseenArea[]) {
  return async <T>(area: AlertArea, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await within(AREA_LIMIT_MS, { doing: `look at ${area}` }, work());
    } catch (error) {
      operation.signal.throwIfAborted();
      unseen.push({ area, message: toLifeboatError(error).message });
      return null;
    }
  };
}

/** What was found in a backup that is no longer there is nobody's concern. */
function withoutRemoved(runs: RunMemory, backupIds: readonly string[] | undefined): RunMemory {
  if (backupIds === undefined) return runs;
  const isThere = (about: string): boolean => !about.startsWith('backup-') || backupIds.includes(about);
  return { ...runs, damage: runs.damage.filter(({ about }) => isThere(about)) };
}
