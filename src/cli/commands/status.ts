import type { Client } from '@temporalio/client';
import { groupWorkflowId } from '../../contract/names.ts';
import type { AlertsView } from '../../contract/alerts.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../command.ts';
import { type DrillState, drillState } from '../../domain/drill/drill-state.ts';
import { describeAlertState } from './alerts/describe-alerts.ts';
import { describeDrillState } from './describe-drill-state.ts';
import { recoveryPointAges } from '../../domain/recovery-point-ages.ts';
import { describeProtection, lastOf } from './describe-protection.ts';
import type { Protection } from './describe-protection.ts';
import { namedTemporal } from './named-temporal.ts';

/** `status`: what runs, and what could be restored now. It starts nothing. */
export const status = defineCommand({
  name: 'status',
  summary: 'what runs, and what could be restored now',
  arguments: {},
  options: {},
  examples: ['status', 'status --json'],
  answers: [
    'status {services[], ui, running, lastFull, lastIncremental, rpoMs {postgres, redis}, window, journals[], drill {last {drillId, finishedAt, verdict, reasons[], rtoMs, rpoMs}, dueAt, overdue}, backups, alerts[], alertsAsOf}',
  ],
  exits: [7],
  async run(context) {
    const { config } = await context.config();
    const [{ stackStatus }, { stateDirOf }] = await Promise.all([
      import('../../embedded/stack.ts'),
      import('../../assembly/state-dir.ts'),
    ]);
    const stack = await stackStatus({ stateDir: stateDirOf(config) });
    const { running, known } = await askTemporal(context, stack.temporalAddress);
    const { services, uiUrl } = stack;
    const answer = { services, ui: uiUrl ?? null, running, ...viewKnown(known) };
    const { drill } = answer;
    const alerts = known?.alerts ?? null;
    return {
      json: { status: answer },
      text: async () =>
        [
          services.length === 0
            ? 'local stack: not running (`lifeboat up` starts it)'
            : await context.output.table(
                ['service', 'state', 'pid', 'since'],
                services.map((one) => [one.name, one.state, String(one.pid), one.since]),
              ),
          ...(uiUrl === undefined ? [] : [`Temporal Web UI: ${uiUrl}`]),
          running === null ? 'running: nothing' : `running: ${running.type} since ${running.since}`,
          ...describeProtection(answer, context.output.colors),
          ...(drill === null ? [] : describeDrillState(drill, context.output.colors)),
          ...(alerts === null ? [] : describeAlertState(alerts, context.output.colors)),
        ].join('\n'),
    };
  },
});

/** What could be restored now, with null for what nobody could be asked. */
function viewKnown(known: Operations['known']) {
  if (known === undefined) return UNKNOWN;
  const { backups, window, journals, drill, alerts } = known;
  return {
    lastFull: lastOf(backups, 'full'),
    lastIncremental: lastOf(backups, 'incremental'),
    rpoMs: recoveryPointAges(backups, journals, Date.now()),
    window,
    journals,
    drill,
    backups: backups.length,
    alerts: alerts?.alerts ?? null,
    alertsAsOf: alerts?.lookedAt ?? null,
  };
}

const UNKNOWN = {
  lastFull: null,
  lastIncremental: null,
  rpoMs: null,
  window: null,
  journals: null,
  drill: null,
  backups: null,
  alerts: null,
  alertsAsOf: null,
} as const;

interface Operations {
  readonly running: { readonly workflowId: string; readonly type: string; readonly since: string } | null;
  /** Undefined where nobody can be asked. */
  readonly known: (Protection & { readonly drill: DrillState; readonly alerts: AlertsView | null }) | undefined;
}

/** A server or worker that is not there is part of the status, not an error of it. */
async function askTemporal(context: CommandContext, localAddress: string | undefined): Promise<Operations> {
  const loaded = await context.config();
  const { config } = loaded;
  const { connectClient, localTemporal } = await import('../../temporal/connection.ts');
  const local = localAddress === undefined ? undefined : localTemporal(localAddress);
  const where = (await namedTemporal(context, loaded)) ?? local;
  if (where === undefined) return { running: null, known: undefined };
  const { client, close } = await connectClient(where, 'cli:status');
  try {
    return await client.connection.withAbortSignal(context.signal, async () => ({
      running: await runningOperation(client, config.group),
      known: await readProtection(client, config.group, context.signal),
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
async function readProtection(client: Client, group: string, signal: AbortSignal): Promise<Operations['known']> {
  const { missingWorkers } = await import('../../client/workers.ts');
  if ((await missingWorkers(client, group, ['control'])).length > 0) return undefined;
  const [{ createBackupManager }, { createDrillManager }, { createAlertManager }] = await Promise.all([
    import('../../client/backup-manager.ts'),
    import('../../client/drill-manager.ts'),
    import('../../client/alert-manager.ts'),
  ]);
  const asking = { client, group, requestedBy: 'status' };
  const manager = createBackupManager(asking);
  const patience = AbortSignal.timeout(LISTING_LIMIT_MS);
  try {
    return await client.connection.withAbortSignal(AbortSignal.any([patience, signal]), async () => {
      const [{ backups, window = null }, journals, { drills, everyMs }, alerts] = await Promise.all([
        manager.readCatalog(),
        manager.journalStatus(),
        createDrillManager(asking).readDrills(),
        orNone(createAlertManager(asking).readAlerts()),
      ]);
      return { backups, window, journals, drill: drillState(drills, everyMs, Date.now()), alerts };
    });
  } catch (error) {
    if (patience.aborted) return undefined;
    throw error;
  }
}

/** Null where no run looks for alerts. */
async function orNone(asking: Promise<AlertsView>): Promise<AlertsView | null> {
  return asking.catch((error: unknown) => {
    if (error instanceof LifeboatError && error.code === 'ALERTS_OFF') return null;
    throw error;
  });
}
