import type { Client } from '@temporalio/client';
import type { Config } from '../../config/schema/config.ts';
import type { AlertsView } from '../../contract/alerts.ts';
import { groupWorkflowId } from '../../contract/names.ts';
import { type DrillState, drillState } from '../../domain/drill/drill-state.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { ScheduleStatus } from '../../domain/schedule/schedule-health.ts';
import type { CommandContext } from '../command.ts';
import type { PlanState } from './describe-plan-states.ts';
import type { Protection } from './describe-protection.ts';
import { namedTemporal } from './named-temporal.ts';

/** What Temporal and a worker say. */
interface Operations {
  readonly running: { readonly workflowId: string; readonly type: string; readonly since: string } | null;
  /** Undefined where nobody can be asked. */
  readonly known: Known | undefined;
}

/** What could be restored, and what is done about it. */
export interface Known extends Protection {
  readonly drill: DrillState;
  readonly schedules: readonly ScheduleStatus[];
  readonly plans: readonly PlanState[];
  /** Null where no run looks for alerts. */
  readonly alerts: AlertsView | null;
}

/** A server or worker that is not there is part of the status, not an error of it. */
export async function askTemporal(context: CommandContext, localAddress: string | undefined): Promise<Operations> {
  const loaded = await context.config();
  const { config } = loaded;
  const { connectClient, localTemporal } = await import('../../temporal/connection.ts');
  const local = localAddress === undefined ? undefined : localTemporal(localAddress);
  const where = (await namedTemporal(context, loaded)) ?? local;
  if (where === undefined) return { running: null, known: undefined };
  // Closed when patience ends, perhaps in the middle of a call: a retry in its pause would end the process.
  const { client, close } = await connectClient(where, 'cli:status', { retries: false });
  try {
    return await client.connection.withAbortSignal(context.signal, async () => ({
      running: await runningOperation(client, config.group),
      known: await readKnown(client, config, context.signal),
    }));
  } catch (error) {
    throw context.signal.aborted ? context.signal.reason : error;
  } finally {
    await close();
  }
}

async function runningOperation(client: Client, group: string): Promise<Operations['running']> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  const workflowId = groupWorkflowId(group);
  try {
    const { status: state, type, startTime } = await client.workflow.getHandle(workflowId).describe();
    return state.name === 'RUNNING' ? { workflowId, type, since: startTime.toISOString() } : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/**
 * Reading takes milliseconds, and up to five seconds where a server gives no answer; a worker whose store is down tries for half
 * a minute, which a look at the state must not.
 */
const LISTING_LIMIT_MS = 8_000;

/** Undefined where no worker could answer, or not in time: a status does not wait for one. */
async function readKnown(client: Client, config: Config, signal: AbortSignal): Promise<Operations['known']> {
  const { missingWorkers } = await import('../../client/workers.ts');
  if ((await missingWorkers(client, config.group, ['control'])).length > 0) return undefined;
  const patience = AbortSignal.timeout(LISTING_LIMIT_MS);
  try {
    const limits = AbortSignal.any([patience, signal]);
    return await client.connection.withAbortSignal(limits, async () => askAll(client, config));
  } catch (error) {
    if (patience.aborted) return undefined;
    throw error;
  }
}

async function askAll(client: Client, config: Config): Promise<Known> {
  const [backups, drills, schedules, plans, alerts, { configuredSchedules }, { openPlans }] = await Promise.all([
    import('../../client/backup-manager.ts'),
    import('../../client/drill-manager.ts'),
    import('../../client/schedules/read-schedules.ts'),
    import('../../client/disaster-recovery-manager.ts'),
    import('../../client/alert-manager.ts'),
    import('../../config/schedules/schedule-definitions.ts'),
    import('../../config/plans/plan-library.ts'),
  ]);
  const { group } = config;
  const asking = { client, group, requestedBy: 'status' };
  const manager = backups.createBackupManager(asking);
  const [catalog, journals, rehearsed, scheduled, states, alarms] = await Promise.all([
    manager.readCatalog(),
    manager.journalStatus(),
    drills.createDrillManager(asking).readDrills(),
    schedules.readSchedules(client, group, configuredSchedules(config)),
    plans.createDisasterRecoveryManager(asking, openPlans(config)).readPlanStates(),
    orNone(alerts.createAlertManager(asking).readAlerts()),
  ]);
  return {
    backups: catalog.backups,
    window: catalog.window ?? null,
    journals,
    drill: drillState(rehearsed.drills, rehearsed.everyMs, Date.now()),
    schedules: scheduled,
    plans: states.map(({ id, state, evaluation }) => ({ id, state, evaluation })),
    alerts: alarms,
  };
}

async function orNone(asking: Promise<AlertsView>): Promise<AlertsView | null> {
  return asking.catch((error: unknown) => {
    if (error instanceof LifeboatError && error.code === 'ALERTS_OFF') return null;
    throw error;
  });
}
