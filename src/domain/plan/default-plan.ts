/**
 * The plan that is always there: back up what is, bring back the newest backup of before, look whether it is good, start the services anew,
 * tell. A file of the same id in `drPlans.dir` takes its place.
 */
export const DEFAULT_PLAN = {
  id: 'default-recovery',
  name: 'Default recovery',
  description: 'Brings PostgreSQL and Redis back from the newest backup, or to the time in the parameter toTime.',
  priority: 'critical',
  parameters: {
    backup: { description: 'backup id, or latest', default: 'latest' },
    toTime: { description: 'instant to restore to, ISO 8601, where journals are kept', default: null },
  },
  steps: [
    {
      id: 'emergency-backup',
      name: 'Emergency backup',
      type: 'backup',
      order: 1,
      // What is broken can often not be copied any more, and is no reason to leave it broken.
      onFailure: 'continue',
      ungraceful: 'skip',
      config: { kind: 'full', emergency: true },
    },
    {
      id: 'system-restore',
      name: 'System restore',
      type: 'restore',
      order: 2,
      compensation: { type: 'undo' },
      config: { backup: '${backup}', restoreOptions: { dropExisting: true, stopServices: true, toTime: '${toTime}' } },
    },
    {
      id: 'health-validation',
      name: 'Health validation',
      type: 'validation',
      order: 3,
      onFailure: 'pause',
      config: {},
    },
    {
      id: 'service-restart',
      name: 'Service restart',
      type: 'service',
      order: 4,
      retry: { maxAttempts: 3, interval: '10s' },
      config: { action: 'restart' },
    },
    { id: 'notification', name: 'Notification', type: 'notification', order: 5, onFailure: 'continue', config: {} },
  ],
} as const;
