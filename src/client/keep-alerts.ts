import type { Client } from '@temporalio/client';
import type { AlertSettings } from '../config/alert-settings.ts';
import type { AlertsInput } from '../contract/alerts.ts';
import { alertsWorkflowId, WORKFLOWS } from '../contract/names.ts';
import { endRun, ensureRun } from './operation.ts';

export interface KeepAlerts {
  readonly group: string;
  readonly requestedBy: string;
  readonly settings: AlertSettings;
}

/** Starts the run that looks for alerts, or leaves it when it runs; ends it where they are off. Safe to repeat, one for each group. */
export async function keepAlerts(client: Client, { group, requestedBy, settings }: KeepAlerts): Promise<void> {
  const workflowId = alertsWorkflowId(group);
  if (!settings.isEnabled) {
    await endRun(client, workflowId, { reason: 'alerts.enabled is false', by: requestedBy });
    return;
  }
  const input: AlertsInput = { group, requestedBy, state: null, everyMs: settings.everyMs };
  const summary = 'looks for alerts and tells people';
  await ensureRun(client, {
    workflow: WORKFLOWS.alerts,
    workflowId,
    kind: 'alerts',
    summary,
    input,
    group,
    requestedBy,
  });
}
