import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { AlertsView, TestChannelInput } from '../contract/alerts.ts';
import { alertsWorkflowId, besideWorkflowId, QUERIES, UPDATES, WORKFLOWS } from '../contract/names.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { ManagerContext } from './backup-manager.ts';
import { startOperation } from './operation.ts';

/** Alerts of one group. All reject with a LifeboatError; ALERTS_OFF where no run looks for any. */
export interface AlertManager {
  /** As of the last look. */
  readAlerts(): Promise<AlertsView>;
  /** Looks now, at everything. */
  lookForAlerts(): Promise<AlertsView>;
  /** Sends a message that is marked as a test. @throws LifeboatError NOTIFICATION_FAILED, NOTIFICATION_UNAVAILABLE */
  testChannel(channel: string): Promise<void>;
}

export function createAlertManager(context: ManagerContext): AlertManager {
  const { client, group, requestedBy } = context;
  const handle = client.workflow.getHandle(alertsWorkflowId(group));
  return {
    readAlerts: () =>
      orOff(group, async () => {
        const { status } = await handle.describe();
        // One that has ended would answer as well, with what was so then.
        if (status.name !== 'RUNNING') throw off(group);
        return handle.query<AlertsView>(QUERIES.alerts);
      }),
    lookForAlerts: () => orOff(group, async () => handle.executeUpdate<AlertsView, []>(UPDATES.lookForAlerts)),
    async testChannel(channel) {
      const input: TestChannelInput = { group, requestedBy, channel };
      const started = await startOperation<void>(client, {
        workflow: WORKFLOWS.testChannel,
        workflowId: besideWorkflowId(group, 'channel', randomUUID()),
        kind: 'channel',
        summary: `test of channel ${channel}, asked for by ${requestedBy}`,
        input,
        group,
        requestedBy,
      });
      await started.result();
    },
  };
}

async function orOff<T>(group: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw off(group, error);
  }
}

function off(group: string, cause?: unknown): LifeboatError {
  return new LifeboatError('ALERTS_OFF', `alerts of group ${group}: no run looks for them`, { cause });
}
