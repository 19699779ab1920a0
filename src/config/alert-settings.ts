import type { AlertRules, TellingRules } from '../domain/alerts/alert-facts.ts';
import { durationMs } from '../domain/duration.ts';
import type { Config } from './schema/config.ts';

export interface AlertSettings {
  readonly isEnabled: boolean;
  readonly everyMs: number;
  readonly rules: AlertRules;
  readonly telling: TellingRules;
}

/** What is an alert, and who is told, from the configuration. */
export function alertSettings({ alerts, objectives, notifications }: Config): AlertSettings {
  const { enabled, evaluateEvery, remindEvery, reminders, quiet, backupAge, journalLag, replicationLag } = alerts;
  const { slotWal: slotWalBytes, freeSpace } = alerts;
  return {
    isEnabled: enabled,
    everyMs: durationMs(evaluateEvery),
    rules: {
      backupAgeMs: durationMs(backupAge),
      journalLagMs: durationMs(journalLag),
      replicationLagMs: durationMs(replicationLag),
      slotWalBytes,
      freeSpace: { warning: freeSpace.warning, critical: freeSpace.critical },
      rpoMs: objectives.rpo === undefined ? null : durationMs(objectives.rpo),
    },
    telling: {
      remindEveryMs: durationMs(remindEvery),
      reminders,
      quiet,
      channels: Object.entries(notifications).map(([name, { events }]) => ({ name, events })),
    },
  };
}
