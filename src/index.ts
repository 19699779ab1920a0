import { hostname, userInfo } from 'node:os';
import { createAlertManager } from './client/alert-manager.ts';
import type { AlertManager } from './client/alert-manager.ts';
import { createBackupManager } from './client/backup-manager.ts';
import type { BackupManager } from './client/backup-manager.ts';
import { createCrossRegionManager } from './client/cross-region-manager.ts';
import type { CrossRegionManager } from './client/cross-region-manager.ts';
import { createDisasterRecoveryManager } from './client/disaster-recovery-manager.ts';
import type { DisasterRecoveryManager as PlanManager } from './client/disaster-recovery-manager.ts';
import { createDrillManager } from './client/drill-manager.ts';
import type { DrillManager } from './client/drill-manager.ts';
import { createScheduleManager } from './client/schedules/schedule-manager.ts';
import type { ScheduleManager } from './client/schedules/schedule-manager.ts';
import { requireWorkers } from './client/workers.ts';
import { configuredSchedules } from './config/schedules/schedule-definitions.ts';
import { openPlans } from './config/plans/plan-library.ts';
import { processEnvironment } from './config/environment.ts';
import { loadConfig } from './config/load-config.ts';
import { connectClient } from './temporal/connection.ts';

export type { AlertManager } from './client/alert-manager.ts';
export type { AlertsView } from './contract/alerts.ts';
export type { BackupManager, BackupOptions, DirectoryOptions, RestoreOptions } from './client/backup-manager.ts';
export type {
  CrossRegionManager,
  ReplicationMetrics,
  SyncOutcome,
  TargetStatus,
} from './client/cross-region-manager.ts';
export type { PlanWithState, RunPlanOptions, ShownPlan, SteeringRequest } from './client/disaster-recovery-manager.ts';
export type { PlanSummary } from './config/plans/plan-library.ts';
export type { PlanRunView } from './domain/plan/run-view.ts';
export type { DrillManager, DrillOptions } from './client/drill-manager.ts';
export type { DrillResult } from './contract/drill.ts';
export type { DrillReport, DrillsKnown, DrillSummary } from './domain/drill/drill.ts';
export type { ScheduleManager } from './client/schedules/schedule-manager.ts';
export type { AppliedSchedule } from './client/schedules/apply-schedules.ts';
export { isStanding } from './domain/schedule/schedule-health.ts';
export type { ScheduledRun, ScheduleProblem, ScheduleStatus } from './domain/schedule/schedule-health.ts';
export type { StartedOperation } from './client/operation.ts';
export type { BackupResult, RestoreResult, UndoRestoreResult, VerifyResult } from './contract/messages.ts';
export type { CleanupPlan, CleanupResult, CleanupTargetResult, HoldResult } from './contract/cleanup.ts';
export type { CleanupOptions, TargetCleanupOutcome } from './client/start-cleanup.ts';
export type { DirectoryResult } from './contract/directory.ts';
export type { BackupRecord, Check, Problem, RecoveryPoint } from './domain/backup.ts';
export { LifeboatError } from './domain/errors.ts';
export type { ErrorCode } from './domain/errors.ts';

/** How a program reaches a group: everything has a default in the configuration. */
export interface LifeboatOptions {
  /** Configuration file; default: LIFEBOAT_CONFIG, then `config/backup.json` below `cwd`. */
  readonly configFile?: string;
  /** Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start; default: the working directory. */
  readonly cwd?: string;
  /** `host:port` of Temporal; default: the configuration, then 127.0.0.1:7233. */
  readonly temporalAddress?: string;
  /** Who asks, for people who look at the run; default: `user@host`. */
  readonly requestedBy?: string;
}

/** What is done before and in a disaster. */
export type DisasterRecoveryManager = PlanManager & DrillManager;

export interface Lifeboat {
  readonly backupManager: BackupManager;
  /** Copies in other places: `storage.remoteStorage` and `crossRegion` of the configuration. */
  readonly crossRegionManager: CrossRegionManager;
  /** Recovery plans: the one that is built in, and those of `drPlans.dir`; and rehearsals of a recovery. */
  readonly disasterRecoveryManager: DisasterRecoveryManager;
  /** What runs by itself: `schedule`, `schedules` and `drPlans.evaluateEvery` of the configuration. */
  readonly scheduleManager: ScheduleManager;
  /** What is wrong, and whether channels work. */
  readonly alertManager: AlertManager;
  /** Ends the connection to Temporal; operations that run go on. */
  close(): Promise<void>;
}

/**
 * Connects a program to Lifeboat. Work is done by workers (`lifeboat worker`, `lifeboat up`), so the program may end while an
 * operation goes on.
 * @throws LifeboatError CONFIG_*, TEMPORAL_UNREACHABLE, WORKER_MISSING
 */
export async function createLifeboat(options: LifeboatOptions = {}): Promise<Lifeboat> {
  const { env = processEnvironment(), cwd = process.cwd() } = options;
  const { config } = loadConfig({ flags: { config: options.configFile }, env, cwd });
  const requestedBy = options.requestedBy ?? `${userInfo().username}@${hostname()}`;
  const address = options.temporalAddress ?? config.temporal.address;
  const where = { address, namespace: config.temporal.namespace, env };
  const { client, close } = await connectClient(where, `api:${requestedBy}`);
  try {
    await requireWorkers(client, config.group);
  } catch (error) {
    await close();
    throw error;
  }
  const context = { client, group: config.group, requestedBy };
  return {
    backupManager: createBackupManager(context),
    crossRegionManager: createCrossRegionManager(context),
    alertManager: createAlertManager(context),
    disasterRecoveryManager: {
      ...createDisasterRecoveryManager(context, openPlans(config)),
      ...createDrillManager(context),
    },
    scheduleManager: createScheduleManager(context, configuredSchedules(config)),
    close,
  };
}
