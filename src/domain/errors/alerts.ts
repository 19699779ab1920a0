import type { ErrorTable } from './rule.ts';

/** Errors of alerts, and of the channels that people are told through. */
export const ALERT_ERRORS = {
  NOTIFICATION_FAILED: {
    retry: 'transient',
    exit: 1,
    when: 'A channel of `notifications` did not take a message.',
    hint: 'are its settings right, and can the host of the worker reach it? `lifeboat alerts test CHANNEL` tries it',
  },
  NOTIFICATION_UNAVAILABLE: {
    retry: 'never',
    exit: 2,
    when: 'A channel is named that the configuration of the worker does not have.',
    hint: 'the names are those of `notifications` in the configuration: `lifeboat config show`',
  },
  ALERTS_OFF: {
    retry: 'after',
    exit: 1,
    when: 'No run looks for alerts: `alerts.enabled` is off, or no worker has begun one yet.',
    hint: 'is `alerts.enabled` true? A worker begins the run when it starts',
  },
  ALERTS_ACTIVE: {
    retry: 'never',
    exit: 3,
    when: 'There are alerts that somebody has to act on; each is named.',
    hint: 'each says what to do; docs/guides/alerts.md tells more',
  },
} as const satisfies ErrorTable;
