import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ActivityInterfaceFor, ActivityOptions } from '@temporalio/workflow';
import type { ControlActivities, DataActivities } from '../../contract/activities.ts';
import type { JournalActivities } from '../../contract/journal.ts';
import type { CopyActivities } from '../../contract/replication.ts';
import { groupOf, taskQueue } from '../../contract/names.ts';

/**
 * Every attempt heartbeats once a second, so a lost worker is noticed within this time. The limit on attempts covers both
 * lost workers and errors that may pass; errors that cannot pass are marked so by the worker and are not repeated.
 */
const HEARTBEAT_TIMEOUT = '12 seconds';

const PROFILES = {
  /** Short questions and changes: half a minute of patience with what is down. */
  decide: {
    startToCloseTimeout: '5 minutes',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '15 seconds', maximumAttempts: 6 },
  },
  /** Steps that end hours of work or bring services back: patient for about an hour. */
  settle: {
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 60 },
  },
  /** Steps of a plan, which has retries of its own: only a lost worker and what may pass soon is tried again. */
  step: {
    startToCloseTimeout: '1 day',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 seconds', maximumAttempts: 4 },
  },
  /** Long streams. A day is the bound of one attempt; a stalled one is ended much sooner by the worker's watchdog. */
  stream: {
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 10 },
  },
  /** Streams without an end: each attempt hands over before its day is up, and a failed one is followed by another for ever. */
  endless: {
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '15 seconds' },
  },
  /** Copies that nobody waits for: a target may be away over a long weekend, and longer. */
  patient: {
    startToCloseTimeout: '24 hours',
    scheduleToCloseTimeout: '14 days',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '10 minutes' },
  },
  /** One message: whoever sends it keeps it, and comes again. A command may take its time. */
  message: {
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { maximumAttempts: 1 },
  },
  /** Copies that somebody waits for. */
  prompt: {
    startToCloseTimeout: '24 hours',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds', maximumAttempts: 4 },
  },
} as const satisfies Record<string, ActivityOptions>;

function group(): string {
  return groupOf(workflowInfo().workflowId);
}

/** Control activities under a profile; `summary` is what a person reads beside the activity in the Temporal Web UI. */
export function control(profile: 'decide' | 'settle', summary: string): ActivityInterfaceFor<ControlActivities> {
  return proxyActivities<ControlActivities>({
    ...PROFILES[profile],
    taskQueue: taskQueue('control', group()),
    summary,
  });
}

/** Control activities that tell people, tried once. */
export function tell(summary: string): ActivityInterfaceFor<ControlActivities> {
  return proxyActivities<ControlActivities>({ ...PROFILES.message, taskQueue: taskQueue('control', group()), summary });
}

/** Control activities that are a step of a plan; a cancelled one is awaited, so that nothing of it runs when it is taken back. */
export function planStep(summary: string): ActivityInterfaceFor<ControlActivities> {
  return proxyActivities<ControlActivities>({
    ...PROFILES.step,
    taskQueue: taskQueue('control', group()),
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/**
 * Data activities: long streams, or reads that may take as long as one. A cancelled one is awaited: one that still ran would make
 * the aside database, or write objects, when the step back has already removed them.
 */
export function data(summary: string): ActivityInterfaceFor<DataActivities> {
  return proxyActivities<DataActivities>({
    ...PROFILES.stream,
    taskQueue: taskQueue('data', group()),
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Copies to targets, on a queue of their own: however slow a target is, backups and restores do not wait for it. */
export function copy(patient: boolean, summary: string): ActivityInterfaceFor<CopyActivities> {
  return proxyActivities<CopyActivities>({
    ...PROFILES[patient ? 'patient' : 'prompt'],
    taskQueue: taskQueue('copy', group()),
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Journals: they go on until they are cancelled, on whichever worker is there. */
export function journal(summary: string): ActivityInterfaceFor<JournalActivities> {
  return proxyActivities<JournalActivities>({
    ...PROFILES.endless,
    taskQueue: taskQueue('journal', group()),
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

/** Copies that have no end. */
export function following(summary: string): ActivityInterfaceFor<CopyActivities> {
  return proxyActivities<CopyActivities>({
    ...PROFILES.endless,
    taskQueue: taskQueue('copy', group()),
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}
