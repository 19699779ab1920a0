/**
 * Names that histories, schedules and people's saved searches hold. Add, never change or remove:
 * test/architecture compares this file with docs/reference/durable-names.md.
 */

/** Workflow types, as registered. */
export const WORKFLOWS = {
  backup: 'backupWorkflow',
  restore: 'restoreWorkflow',
  restoreSelection: 'restoreSelectionWorkflow',
  undoRestore: 'undoRestoreWorkflow',
  verify: 'verifyWorkflow',
  catalog: 'catalogWorkflow',
  journal: 'journalWorkflow',
  restoreToDirectory: 'restoreToDirectoryWorkflow',
  cleanup: 'cleanupWorkflow',
  cleanupTarget: 'cleanupTargetWorkflow',
  copyJournals: 'copyJournalsWorkflow',
  hold: 'holdWorkflow',
  replicate: 'replicateWorkflow',
  rewrap: 'rewrapWorkflow',
  verifyOldest: 'verifyOldestWorkflow',
  runPlan: 'runPlanWorkflow',
  planRecords: 'planRecordsWorkflow',
  evaluatePlan: 'evaluatePlanWorkflow',
  drill: 'drillWorkflow',
  failover: 'failoverWorkflow',
  scheduled: 'scheduledWorkflow',
  evaluatePlans: 'evaluatePlansWorkflow',
  alerts: 'alertsWorkflow',
  testChannel: 'testChannelWorkflow',
} as const;

/** Types of the runs that have no end: they hand over to whichever worker is there. */
export const ENDLESS: readonly string[] = [WORKFLOWS.journal, WORKFLOWS.copyJournals, WORKFLOWS.alerts];

/** Search attributes, all of type Keyword. */
export const SEARCH_ATTRIBUTES = {
  group: 'LifeboatGroup',
  kind: 'LifeboatKind',
  backupId: 'LifeboatBackupId',
  phase: 'LifeboatPhase',
  plan: 'LifeboatPlan',
} as const;

/** Signals. */
export const SIGNALS = { cancel: 'cancelOperation', somethingFailed: 'somethingFailed' } as const;

/** Updates: each is refused at once, by its validator, or done. */
export const UPDATES = { steerPlan: 'steerPlan', lookForAlerts: 'lookForAlerts' } as const;

/** Queries. */
export const QUERIES = { planRun: 'planRun', alerts: 'alerts' } as const;

export type WorkerRole = 'control' | 'data' | 'journal' | 'copy';

/**
 * Task queue of a role. Workers of different groups hold different secrets, so a group other than `default` has queues
 * of its own.
 */
export function taskQueue(role: WorkerRole, group: string): string {
  return group === 'default' ? `lifeboat-${role}` : `lifeboat-${role}-${group}`;
}

/** The id under which all that must exclude each other on a group runs: the server lets one such execution be open. */
export function groupWorkflowId(group: string): string {
  return `lifeboat/${group}`;
}

/** Group of a workflow: the part of its id that the functions here put there. */
export function groupOf(workflowId: string): string {
  return workflowId.split('/')[1] ?? 'default';
}

/** Id of the one run that keeps a journal: `journal-postgres/<group>`. */
export function journalWorkflowId(kind: 'postgres' | 'redis', group: string): string {
  return `journal-${kind}/${group}`;
}

/** Id of the one drill of a group at a time. */
export function drillWorkflowId(group: string): string {
  return `lifeboat/${group}/drill`;
}

/** Id of the one run that brings a backup, or `all`, to a target. */
export function copyWorkflowId(group: string, target: string, backup: string): string {
  return `lifeboat/${group}/copy/${target}/${backup}`;
}

/** Id of a step of a plan's run that is a workflow itself: `<run>` is that of the run, the step and the attempt. */
export function planStepWorkflowId(group: string, run: string): string {
  return `lifeboat/${group}/run/${run}`;
}

/** Id of the one run that cleans a target up, or says what it would remove. */
export function cleanupTargetWorkflowId(group: string, target: string, dryRun: boolean): string {
  return `lifeboat/${group}/cleanup/${dryRun ? 'dry-run-' : ''}target/${target}`;
}

/** Id of the one run that brings the journals to a target, for ever. */
export function copyJournalsWorkflowId(group: string, target: string): string {
  return `lifeboat/${group}/journals/${target}`;
}

/** Id of a schedule; all below the prefix that an empty name gives are ours. */
export function scheduleId(group: string, name: string): string {
  return `lifeboat/${group}/schedule/${name}`;
}

/** Id of one run of a schedule; Temporal adds `-` and the time that the schedule named. */
export function scheduledWorkflowId(group: string, name: string): string {
  return `lifeboat/${group}/scheduled/${name}`;
}

/** Id of the one run that looks for alerts and tells people, for ever. */
export function alertsWorkflowId(group: string): string {
  return `lifeboat/${group}/alerts`;
}

/** Id of an operation that runs beside the group's lock: `verify`, `catalog`, `directory`, `keys`, `plan`, `channel`, `cleanup` (a dry run). */
export function besideWorkflowId(group: string, what: string, request: string): string {
  return `lifeboat/${group}/${what}/${request}`;
}
