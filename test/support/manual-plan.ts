/** As the manual shows it, to the letter. */
export const MANUAL_PLAN = {
  id: 'critical-failure-recovery',
  name: 'Critical System Failure Recovery',
  description: 'Recovery procedure for critical system failures',
  priority: 'critical',
  steps: [
    {
      id: 'failover-to-replica',
      name: 'Failover to Replica Region',
      type: 'failover',
      order: 1,
      config: { targetRegion: 'us-west-2', failoverType: 'automatic' },
    },
    {
      id: 'restore-primary',
      name: 'Restore Primary Region',
      type: 'restore',
      order: 2,
      config: { restoreOptions: { dropExisting: true, stopServices: true } },
    },
  ],
};
