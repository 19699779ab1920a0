import type { Alert } from './alert.ts';
import type { AlertFacts, AlertRules } from './alert-facts.ts';
import type { AlertArea } from './alert-kinds.ts';
import { judgePlans, judgeDrills, judgeSchedules } from './judge-rehearsals.ts';
import { judgeProtection } from './judge-protection.ts';
import { judgeRepository, judgeServers, judgeSpace, judgeTargets } from './judge-places.ts';
import { judgeRuns } from './judge-runs.ts';

/** What is wrong now, and what could not be seen. */
export interface Judgement {
  readonly alerts: readonly Alert[];
  /** Of these nothing is known: their alerts stay as they were. */
  readonly unseen: readonly AlertArea[];
}

/** More are not told of one by one: something bigger is wrong then, and the first of them say it. */
const MAX_ALERTS = 100;

export function alertsFor(facts: AlertFacts, rules: AlertRules, nowMs: number): Judgement {
  const { runs, servers, repository, protection, storage, targets, drills, plans, schedules } = facts;
  const judged: Readonly<Record<AlertArea, readonly Alert[] | null>> = {
    runs: runs && judgeRuns(runs),
    servers: servers && judgeServers(servers, nowMs),
    repository: repository && judgeRepository(repository, nowMs),
    protection: protection && judgeProtection(protection, rules, nowMs),
    storage: storage && judgeSpace(storage, rules, nowMs),
    targets: targets && judgeTargets(targets, rules, nowMs),
    drills: drills && judgeDrills(drills, nowMs),
    plans: plans && judgePlans(plans, nowMs),
    schedules: schedules && judgeSchedules(schedules, nowMs),
  };
  const areas = Object.entries(judged) as [AlertArea, readonly Alert[] | null][];
  return {
    alerts: areas.flatMap(([, alerts]) => alerts ?? []).slice(0, MAX_ALERTS),
    unseen: areas.filter(([, alerts]) => alerts === null).map(([area]) => area),
  };
}
