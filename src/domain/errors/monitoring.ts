import type { ErrorTable } from './rule.ts';

/** Errors of the worker's endpoint for health and metrics. */
export const MONITORING_ERRORS = {
  MONITORING_PORT_IN_USE: {
    retry: 'never',
    exit: 2,
    when: 'Another process listens at monitoring.host and monitoring.port: often a second worker on this machine.',
    hint: 'give each worker of a machine a port of its own (LIFEBOAT_MONITORING_PORT)',
  },
  MONITORING_NOT_LISTENING: {
    retry: 'never',
    exit: 2,
    when: 'The worker cannot listen at monitoring.host and monitoring.port: the address is not of this machine, or the port may not be used.',
    hint: 'monitoring.host is an address of this machine, such as 127.0.0.1 or 0.0.0.0; ports below 1024 need a right of their own',
  },
  MONITORING_SOURCE_SLOW: {
    retry: 'transient',
    exit: 7,
    when: 'One of the things that a worker looks at for its metrics gave no answer in time; the metrics keep their last values.',
    hint: 'lifeboat_sample_timestamp_seconds says since when; `lifeboat config validate` connects to each of them',
  },
} as const satisfies ErrorTable;
