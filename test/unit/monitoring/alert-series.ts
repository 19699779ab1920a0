import type { Point } from '../../support/metrics-text.ts';
import type { MetricName } from '../../../src/monitoring/metrics.ts';

/** Seconds since 1970. */
export const NOW = 1_800_000_000;
const HOUR = 3_600;
const DAY = 24 * HOUR;

type Labels = Readonly<Record<string, string>>;

/** A series as one worker exports it. */
function of(name: MetricName, value: number, labels: Labels = {}): Point {
  return { name, labels: { job: 'lifeboat', instance: 'a', group: 'default', ...labels }, value };
}
const up = (value: number): Point => ({ name: 'up', labels: { job: 'lifeboat', instance: 'a' }, value });

const COMPONENTS: readonly Labels[] = [{ component: 'postgres' }, { component: 'redis' }];
const ended = (kind: string, result: string, ageSeconds: number): Point =>
  of('lifeboat_operation_last_timestamp_seconds', NOW - ageSeconds, { kind, result });

/** A group with which all is well: an hour-old backup, which followed one that had failed, journals, a target, a drill. */
export const HEALTHY: readonly Point[] = [
  up(1),
  of('lifeboat_worker_polling', 1),
  of('lifeboat_temporal_up', 1),
  ...COMPONENTS.map((one) => of('lifeboat_database_up', 1, one)),
  of('lifeboat_store_up', 1, { store: 'repository' }),
  of('lifeboat_storage_free_bytes', 60e9, { store: 'repository' }),
  of('lifeboat_storage_size_bytes', 100e9, { store: 'repository' }),
  ended('full', 'completed', HOUR),
  ended('full', 'failed', 2 * DAY),
  ended('incremental', 'completed', HOUR / 2),
  ended('restore', 'completed', 30 * DAY),
  of('lifeboat_operations_running', 0, { kind: 'restore' }),
  of('lifeboat_plan_runs_waiting', 0),
  ...['full', 'incremental'].flatMap((kind) => [
    of('lifeboat_backups', 7, { kind, status: 'complete' }),
    of('lifeboat_backups', 0, { kind, status: 'damaged' }),
    ...COMPONENTS.map((one) => of('lifeboat_last_backup_timestamp_seconds', NOW - HOUR, { kind, ...one })),
  ]),
  ...COMPONENTS.flatMap((one) => [
    of('lifeboat_recovery_point_timestamp_seconds', NOW - 3, one),
    of('lifeboat_journal_durable_timestamp_seconds', NOW - 3, one),
    of('lifeboat_recovery_gaps', 0, { ...one, state: 'open' }),
    of('lifeboat_recovery_gaps', 1, { ...one, state: 'closed' }),
    of('lifeboat_journal_state', 1, { ...one, state: 'following' }),
    of('lifeboat_journal_state', 0, { ...one, state: 'alarm' }),
    of('lifeboat_journal_state', 0, { ...one, state: 'stopped' }),
  ]),
  of('lifeboat_slot_retained_bytes', 16e6),
  of('lifeboat_slot_safe_bytes', 50e9),
  of('lifeboat_target_lag_seconds', 0, { target: 'remote' }),
  of('lifeboat_target_journal_lag_seconds', 20, { target: 'remote' }),
  of('lifeboat_target_state', 1, { target: 'remote', state: 'in-sync' }),
  of('lifeboat_target_state', 0, { target: 'remote', state: 'unreachable' }),
  of('lifeboat_verification_oldest_timestamp_seconds', NOW - 6 * DAY),
  of('lifeboat_drill_overdue', 0),
  of('lifeboat_last_drill_verdict', 1, { verdict: 'pass' }),
  of('lifeboat_last_drill_verdict', 0, { verdict: 'fail' }),
  of('lifeboat_plan_state', 1, { plan: 'default-recovery', state: 'verified' }),
  of('lifeboat_plan_state', 0, { plan: 'default-recovery', state: 'needs-verification' }),
  of('lifeboat_objective_seconds', 300, { objective: 'rpo' }),
  of('lifeboat_objective_seconds', 3_600, { objective: 'rto' }),
  of('lifeboat_sample_timestamp_seconds', NOW - 30, { source: 'repository' }),
];

export interface Trouble {
  readonly alert: string;
  readonly why: string;
  /** Take the place of the healthy ones with the same labels. */
  readonly points: readonly Point[];
  /** Healthy ones with these labels are not there. */
  readonly without?: Labels;
}

/** The series of a group with this trouble. */
export function troubled({ points, without }: Trouble): readonly Point[] {
  const keyOf = ({ name, labels }: Point): string => JSON.stringify([name, labels]);
  const replaced = new Set(points.map(keyOf));
  const isGone = ({ labels }: Point): boolean =>
    without !== undefined && Object.entries(without).every(([name, value]) => labels[name] === value);
  return [...HEALTHY.filter((old) => !replaced.has(keyOf(old)) && !isGone(old)), ...points];
}

const trouble = (alert: string, why: string, ...points: readonly Point[]): Trouble => ({ alert, why, points });
const REDIS = { component: 'redis' };
const REMOTE = { target: 'remote' };

export const TROUBLES: readonly Trouble[] = [
  trouble('LifeboatWorkerAway', 'a worker is not scraped', up(0)),
  trouble('LifeboatNoWorker', 'none polls', of('lifeboat_worker_polling', 0)),
  trouble('LifeboatTemporalUnreachable', 'it answers none', of('lifeboat_temporal_up', 0)),
  trouble('LifeboatDatabaseUnreachable', 'one is away', of('lifeboat_database_up', 0, REDIS)),
  trouble('LifeboatStoreUnreachable', 'it is away', of('lifeboat_store_up', 0, { store: 'repository' })),
  trouble('LifeboatStorageLow', '5 % are free', of('lifeboat_storage_free_bytes', 5e9, { store: 'repository' })),
  trouble('LifeboatBackupFailed', 'the last one failed', ended('full', 'failed', HOUR / 2)),
  trouble('LifeboatBackupFailed', 'the last one was not ended in time', ended('full', 'timed-out', HOUR / 2)),
  {
    ...trouble('LifeboatBackupFailed', 'none has ever succeeded', ended('full', 'failed', HOUR)),
    without: { kind: 'full', result: 'completed' },
  },
  trouble(
    'LifeboatBackupOverdue',
    'the newest is two days old',
    ...['full', 'incremental'].map((kind) =>
      of('lifeboat_last_backup_timestamp_seconds', NOW - 2 * DAY, { kind, ...REDIS }),
    ),
  ),
  trouble(
    'LifeboatBackupOverdue',
    'there is none',
    ...['full', 'incremental'].map((kind) => of('lifeboat_backups', 0, { kind, status: 'complete' })),
  ),
  trouble('LifeboatBackupDamaged', 'one is', of('lifeboat_backups', 1, { kind: 'full', status: 'damaged' })),
  trouble(
    'LifeboatRecoveryPointTooOld',
    'it is older than the objective',
    of('lifeboat_recovery_point_timestamp_seconds', NOW - 600, REDIS),
  ),
  trouble('LifeboatJournalAlarm', 'it is in alarm', of('lifeboat_journal_state', 1, { ...REDIS, state: 'alarm' })),
  trouble('LifeboatJournalAlarm', 'it stopped', of('lifeboat_journal_state', 1, { ...REDIS, state: 'stopped' })),
  trouble(
    'LifeboatJournalLag',
    'ten minutes are not durable',
    of('lifeboat_journal_durable_timestamp_seconds', NOW - 600, REDIS),
  ),
  trouble('LifeboatRecoveryGap', 'one is open', of('lifeboat_recovery_gaps', 1, { ...REDIS, state: 'open' })),
  trouble('LifeboatSlotRetainsWal', '20 GB are kept', of('lifeboat_slot_retained_bytes', 20e9)),
  trouble('LifeboatSlotRetainsWal', 'it is about to be lost', of('lifeboat_slot_safe_bytes', 1e6)),
  trouble('LifeboatReplicationLag', 'a backup waits for hours', of('lifeboat_target_lag_seconds', 7_200, REMOTE)),
  trouble('LifeboatReplicationLag', 'the journals do', of('lifeboat_target_journal_lag_seconds', 7_200, REMOTE)),
  trouble('LifeboatTargetFailing', 'it is away', of('lifeboat_target_state', 1, { ...REMOTE, state: 'unreachable' })),
  trouble(
    'LifeboatVerificationOverdue',
    'one was not read for 40 days',
    of('lifeboat_verification_oldest_timestamp_seconds', NOW - 40 * DAY),
  ),
  trouble('LifeboatDrillOverdue', 'it is', of('lifeboat_drill_overdue', 1)),
  trouble('LifeboatDrillFailed', 'it did', of('lifeboat_last_drill_verdict', 1, { verdict: 'fail' })),
  trouble(
    'LifeboatPlanUnverified',
    'it was edited',
    of('lifeboat_plan_state', 1, { plan: 'default-recovery', state: 'needs-verification' }),
  ),
  trouble('LifeboatRunWaiting', 'one does', of('lifeboat_plan_runs_waiting', 1)),
  trouble('LifeboatRecovery', 'one runs', of('lifeboat_operations_running', 1, { kind: 'restore' })),
  trouble('LifeboatRecovery', 'one has just ended', ended('restore', 'completed', 60)),
  trouble(
    'LifeboatMetricsStale',
    'a source fails for half an hour',
    of('lifeboat_sample_timestamp_seconds', NOW - 1_800, { source: 'repository' }),
  ),
];

/** Alerts that silence sets off. */
export const AWAY: readonly { readonly alert: string; readonly metric: MetricName }[] = [
  { alert: 'LifeboatNoWorker', metric: 'lifeboat_worker_polling' },
];
