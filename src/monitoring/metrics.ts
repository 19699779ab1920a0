import type { SourceName } from './source-names.ts';

/**
 * One metric. Every one has the label `group` before its own. Instants are seconds since 1970, so that an age is `time() - x` and stays true
 * while nobody looks.
 */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /**
   * `worker`: says something of the worker that exports it. `group`: every worker with the role `control` says the same of the group, so that
   * a query takes the `max` of them and never the sum.
   */
  readonly scope: 'worker' | 'group';
  /** Where it comes from: its values are replaced by each look, and stay as they are after one that failed. */
  readonly source: SourceName | 'always';
}

type Facts = Pick<MetricDefinition, 'help' | 'source'> & { readonly labels?: readonly string[] };

const worker = (facts: Facts): MetricDefinition => ({ type: 'gauge', scope: 'worker', labels: [], ...facts });
const group = (facts: Facts): MetricDefinition => ({ type: 'gauge', scope: 'group', labels: [], ...facts });
const counted = (metric: MetricDefinition): MetricDefinition => ({ ...metric, type: 'counter' });

const ABOUT_WORKERS = {
  lifeboat_worker_info: worker({
    source: 'always',
    labels: ['version', 'roles'],
    help: 'Always 1; which worker this is',
  }),
  lifeboat_worker_polling: worker({ source: 'temporal', help: '1 while this worker takes work from its task queues' }),
  lifeboat_temporal_up: worker({ source: 'temporal', help: '1 while Temporal answers this worker' }),
  lifeboat_database_up: worker({
    source: 'databases',
    labels: ['component'],
    help: '1 while the database answers this worker',
  }),
  lifeboat_store_up: worker({ source: 'stores', labels: ['store'], help: '1 while the store answers this worker' }),
  lifeboat_storage_free_bytes: worker({
    source: 'stores',
    labels: ['store'],
    help: 'Bytes that are free for the store; of stores that can tell: directories',
  }),
  lifeboat_storage_size_bytes: worker({
    source: 'stores',
    labels: ['store'],
    help: 'Bytes that the store could hold, free or not; of stores that can tell: directories',
  }),
  lifeboat_sample_errors_total: counted(
    worker({ source: 'always', labels: ['source'], help: 'Looks that failed; the values of the last good one stay' }),
  ),
  lifeboat_sample_timestamp_seconds: worker({
    source: 'always',
    labels: ['source'],
    help: 'When the source was last looked at with success; before the first time, when the worker began',
  }),
  lifeboat_sample_duration_seconds: worker({
    source: 'always',
    labels: ['source'],
    help: 'What the last look took',
  }),
} as const;

const ABOUT_OPERATIONS = {
  lifeboat_queue_pollers: group({
    source: 'temporal',
    labels: ['role'],
    help: 'Workers that Temporal has seen at the task queue of a role within some minutes',
  }),
  lifeboat_operations_total: counted(
    group({
      source: 'operations',
      labels: ['kind', 'result'],
      help: 'Operations that have ended since the worker began to look',
    }),
  ),
  lifeboat_operation_duration_seconds: {
    ...group({ source: 'operations', labels: ['kind', 'result'], help: 'From the start of an operation to its end' }),
    type: 'histogram',
  },
  lifeboat_operation_last_timestamp_seconds: group({
    source: 'operations',
    labels: ['kind', 'result'],
    help: 'When the last operation of this kind and result ended, as long as Temporal remembers it',
  }),
  lifeboat_operations_running: group({ source: 'operations', labels: ['kind'], help: 'Operations that run now' }),
  lifeboat_plan_runs_waiting: group({
    source: 'operations',
    help: 'Runs of recovery plans that wait for a person: an approval, a decision, a pause',
  }),
} as const satisfies Record<string, MetricDefinition>;

const ABOUT_BACKUPS = {
  lifeboat_backups: group({
    source: 'repository',
    labels: ['kind', 'status'],
    help: 'Backups that the repository lists; a damaged one cannot be restored',
  }),
  lifeboat_last_backup_timestamp_seconds: group({
    source: 'repository',
    labels: ['kind', 'component'],
    help: 'Instant that the newest good backup restores to, those that were taken aside left out',
  }),
  lifeboat_last_backup_duration_seconds: group({
    source: 'repository',
    labels: ['kind'],
    help: 'What the newest good backup took',
  }),
  lifeboat_last_backup_bytes: group({
    source: 'repository',
    labels: ['kind', 'component'],
    help: 'Size of the newest good backup before compression and encryption',
  }),
  lifeboat_last_backup_stored_bytes: group({
    source: 'repository',
    labels: ['kind', 'component'],
    help: 'Size of the newest good backup in the store',
  }),
  lifeboat_storage_used_bytes: group({
    source: 'repository',
    labels: ['store', 'holds'],
    help: 'Bytes that backups and journals take in the repository, as their manifests and chapters say',
  }),
  lifeboat_recovery_point_timestamp_seconds: group({
    source: 'repository',
    labels: ['component'],
    help: 'Newest instant that could be restored if the server were lost now; its age is the RPO',
  }),
  lifeboat_recovery_window_start_timestamp_seconds: group({
    source: 'repository',
    help: 'Oldest instant that all components can be restored to together',
  }),
  lifeboat_recovery_window_end_timestamp_seconds: group({
    source: 'repository',
    help: 'Newest instant that all components can be restored to together',
  }),
  lifeboat_recovery_gaps: group({
    source: 'repository',
    labels: ['component', 'state'],
    help: 'Gaps in the recovery window; nothing after an open one can be restored until a full backup is taken',
  }),
  lifeboat_verification_oldest_timestamp_seconds: group({
    source: 'repository',
    help: 'When the backup that was read back longest ago was read back; one that never was counts from when it was taken',
  }),
  lifeboat_verification_last_timestamp_seconds: group({
    source: 'repository',
    help: 'When a backup was last read back and found sound',
  }),
  lifeboat_backups_unverified: group({ source: 'repository', help: 'Good backups that were never read back' }),
} as const;

const ABOUT_JOURNALS = {
  lifeboat_journal_state: group({
    source: 'journals',
    labels: ['component', 'state'],
    help: '1 for the state that the journal is in, 0 for the others',
  }),
  lifeboat_journal_durable_timestamp_seconds: group({
    source: 'repository',
    labels: ['component'],
    help: 'All that the server had done by then is durable in the journal; of journals that are kept',
  }),
  lifeboat_journal_position_bytes: group({
    source: 'repository',
    labels: ['component', 'end'],
    help: 'Position (LSN or offset as a number) of the server, and of what is durable',
  }),
  lifeboat_journal_lag_bytes: group({
    source: 'repository',
    labels: ['component'],
    help: 'Bytes between the two; absent where they are not of one history',
  }),
  lifeboat_journal_problems: group({
    source: 'repository',
    labels: ['component'],
    help: 'Files of the journal that are damaged or missing',
  }),
  lifeboat_slot_retained_bytes: group({
    source: 'repository',
    help: 'WAL that PostgreSQL keeps for the replication slot of the journal',
  }),
  lifeboat_slot_safe_bytes: group({
    source: 'repository',
    help: 'WAL that can still be written before the slot is lost; absent where there is no limit',
  }),
} as const;

const ABOUT_COPIES = {
  lifeboat_target_state: group({
    source: 'targets',
    labels: ['target', 'state'],
    help: '1 for the state that the target is in, 0 for the others',
  }),
  lifeboat_target_pending_backups: group({
    source: 'targets',
    labels: ['target'],
    help: 'Backups that the target does not have',
  }),
  lifeboat_target_lag_seconds: group({
    source: 'targets',
    labels: ['target'],
    help: 'Age of the oldest backup that the target does not have; 0 where it has all',
  }),
  lifeboat_target_journal_lag_seconds: group({
    source: 'targets',
    labels: ['target'],
    help: 'What is durable in the journals and not at the target, as time of the database',
  }),
  lifeboat_target_journal_bytes_behind: group({
    source: 'targets',
    labels: ['target'],
    help: 'Stored bytes of the journals that are not at the target',
  }),
  lifeboat_target_used_bytes: group({
    source: 'targets',
    labels: ['target', 'holds'],
    help: 'Bytes that the copies take at the target, as their manifests and chapters say',
  }),
} as const;

const ABOUT_PROOF = {
  lifeboat_last_drill_timestamp_seconds: group({ source: 'drills', help: 'When the last drill ended' }),
  lifeboat_last_drill_verdict: group({
    source: 'drills',
    labels: ['verdict'],
    help: '1 for the verdict of the last drill, 0 for the others',
  }),
  lifeboat_last_drill_rto_seconds: group({
    source: 'drills',
    help: 'Time that the last drill needed to bring all back',
  }),
  lifeboat_last_drill_rpo_seconds: group({
    source: 'drills',
    help: 'What a loss of the servers at the start of the last drill would have cost',
  }),
  lifeboat_drill_due_timestamp_seconds: group({ source: 'drills', help: 'When the next drill must have been done' }),
  lifeboat_drill_overdue: group({ source: 'drills', help: '1 where no drill was done in time' }),
  lifeboat_plan_state: group({
    source: 'plans',
    labels: ['plan', 'state'],
    help: '1 for the state that the recovery plan is in, 0 for the others',
  }),
  lifeboat_objective_seconds: group({
    source: 'always',
    labels: ['objective'],
    help: 'Objectives of the configuration: rpo, rto',
  }),
} as const;

/** Every metric of Lifeboat's own, in the order of docs/reference/metrics.md. */
export const METRICS = {
  ...ABOUT_WORKERS,
  ...ABOUT_OPERATIONS,
  ...ABOUT_BACKUPS,
  ...ABOUT_JOURNALS,
  ...ABOUT_COPIES,
  ...ABOUT_PROOF,
} as const;

export type MetricName = keyof typeof METRICS;

/** Bounds of an operation's duration, seconds: an empty backup takes one, a restore of terabytes a night. */
export const DURATION_BUCKETS = [1, 5, 15, 60, 300, 900, 3_600, 4 * 3_600, 12 * 3_600, 48 * 3_600];
