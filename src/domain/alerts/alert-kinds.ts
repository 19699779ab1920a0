import type { AlertEvent, Severity } from './alert-terms.ts';

/** What is looked at together: where it cannot be, its alerts stay as they were. */
export type AlertArea =
  | 'runs'
  | 'servers'
  | 'repository'
  | 'protection'
  | 'storage'
  | 'targets'
  | 'drills'
  | 'plans'
  | 'schedules';

interface KindRule {
  readonly area: AlertArea;
  /** Which channels hear of it: those that list this event. */
  readonly event: AlertEvent;
  /** The worst that it can be. */
  readonly severity: Severity;
  /** How long it has to last before anybody is told: what passes by itself wakes nobody. */
  readonly patienceMs: number;
  /** A sentence for docs/reference/alerts.md. */
  readonly meaning: string;
  /** The first thing to do, without a full stop. */
  readonly hint: string;
}

const MINUTE_MS = 60_000;

/** Every kind of alert. Names are in people's filters: added, never changed. docs/reference/alerts.md is generated from this table. */
export const ALERT_KINDS = {
  'operation-failed': {
    area: 'runs',
    event: 'failure',
    severity: 'critical',
    patienceMs: 0,
    meaning:
      'The newest run of an operation failed, timed out or was terminated. A later run of the same kind that succeeds ends it.',
    hint: 'read why it failed, end the cause, and run it again; nothing half done is listed',
  },
  'operation-succeeded': {
    area: 'runs',
    event: 'success',
    severity: 'info',
    patienceMs: 0,
    meaning: 'An operation has ended well. It is told once.',
    hint: 'nothing is to be done',
  },
  'verification-problem': {
    area: 'runs',
    event: 'failure',
    severity: 'critical',
    patienceMs: 0,
    meaning:
      'A verification found something damaged, missing or not what was signed. A later one that finds nothing ends it.',
    hint: '`lifeboat backup verify all` names each object; take a full backup now, and find out what changed the store',
  },
  'recovery-running': {
    area: 'runs',
    event: 'recovery',
    severity: 'info',
    patienceMs: 0,
    meaning: 'A restore, an undo, a failover or a recovery plan changes live data now. It ends with the run.',
    hint: '`lifeboat status` and `lifeboat dr status` show how far it is',
  },
  'run-waits': {
    area: 'runs',
    event: 'recovery',
    severity: 'critical',
    patienceMs: 0,
    meaning:
      'A recovery plan waits for a person: for an approval, for a decision after a failed step, or because it was paused.',
    hint: '`lifeboat dr status` says what it waits for; `lifeboat dr approve`, `retry`, `skip`, `resume` or `abort` lets it go on',
  },
  'backup-overdue': {
    area: 'protection',
    event: 'failure',
    severity: 'critical',
    patienceMs: 0,
    meaning: 'The newest sound backup is older than `alerts.backupAge`, or there is none.',
    hint: 'take one with `lifeboat backup full`; is the schedule paused, or the worker down?',
  },
  'backup-damaged': {
    area: 'protection',
    event: 'failure',
    severity: 'critical',
    patienceMs: 0,
    meaning: 'A backup whose manifest cannot be trusted, or a damaged file of a journal, was found while listing.',
    hint: '`lifeboat backup verify all` names all of it; `lifeboat backup cleanup --include-damaged` removes what is replaced',
  },
  'recovery-point-old': {
    area: 'protection',
    event: 'lag',
    severity: 'critical',
    patienceMs: 0,
    meaning: 'What would be lost now with the server is older than `objectives.rpo`.',
    hint: '`lifeboat journal status` says what holds the journal up; without a journal take backups more often',
  },
  'journal-lag': {
    area: 'protection',
    event: 'lag',
    severity: 'warning',
    patienceMs: MINUTE_MS,
    meaning:
      'Nothing new of a journal has become durable for longer than `alerts.journalLag`, while it goes on. One that does not is `journal-stopped`.',
    hint: '`lifeboat journal status`; is the store slow or down, or the server busier than the worker can follow?',
  },
  'journal-stopped': {
    area: 'protection',
    event: 'failure',
    severity: 'critical',
    patienceMs: 2 * MINUTE_MS,
    meaning:
      'A journal that should be kept is not, or is far behind: its run has stopped, cannot go on by itself, or has stored nothing for long.',
    hint: '`lifeboat journal status` says why; until then only backups can be restored, and no second in between',
  },
  'journal-gap': {
    area: 'protection',
    event: 'failure',
    severity: 'critical',
    patienceMs: 0,
    meaning: 'A journal has an open gap: what came after it cannot be restored until a full backup is there.',
    hint: 'a full backup is taken by itself where the group is free: `lifeboat status`; else take one with `lifeboat backup full`',
  },
  'slot-retains-wal': {
    area: 'protection',
    event: 'storage',
    severity: 'critical',
    patienceMs: 0,
    meaning: 'The replication slot makes PostgreSQL keep more WAL than `alerts.slotWal`, or is about to be lost.',
    hint: '`lifeboat journal status`: let the journal catch up; a slot that nobody needs any more is dropped with pg_drop_replication_slot',
  },
  'database-unreachable': {
    area: 'servers',
    event: 'failure',
    severity: 'critical',
    patienceMs: 2 * MINUTE_MS,
    meaning: 'PostgreSQL or Redis did not answer the worker.',
    hint: 'is the server up, and the password still right? `lifeboat config validate` connects to everything',
  },
  'repository-unreachable': {
    area: 'repository',
    event: 'storage',
    severity: 'critical',
    patienceMs: 2 * MINUTE_MS,
    meaning:
      'The repository cannot be read: the store is down, gone, or refuses. No backup can be taken or restored from it.',
    hint: 'is the volume mounted, the bucket the right one, the key still valid? `lifeboat store doctor` asks the store',
  },
  'storage-low': {
    area: 'storage',
    event: 'storage',
    severity: 'critical',
    patienceMs: 0,
    meaning:
      'A folder that holds backups has less free space than `alerts.freeSpace` allows; warning and critical have limits of their own.',
    hint: '`lifeboat backup cleanup --dry-run` says what retention would free; a full store fails every backup',
  },
  'replication-lag': {
    area: 'targets',
    event: 'lag',
    severity: 'warning',
    patienceMs: 0,
    meaning: 'A target lacks a backup that is older than `alerts.replicationLag`, or its journals are that far behind.',
    hint: '`lifeboat replication status` names the target, its last error and what it lacks',
  },
  'target-failing': {
    area: 'targets',
    event: 'storage',
    severity: 'critical',
    patienceMs: 5 * MINUTE_MS,
    meaning: 'A target cannot be asked, or holds another repository: nobody knows what could be recovered from there.',
    hint: '`lifeboat replication status` says why; copies go on by themselves once it answers',
  },
  'drill-failed': {
    area: 'drills',
    event: 'drill',
    severity: 'critical',
    patienceMs: 0,
    meaning: 'The newest drill did not pass: a recovery would not bring back what it should, or not in time.',
    hint: '`lifeboat dr report latest` names each check; treat it as a failed recovery',
  },
  'drill-overdue': {
    area: 'drills',
    event: 'drill',
    severity: 'warning',
    patienceMs: 0,
    meaning: 'No drill was completed within `drill.every`.',
    hint: 'do one with `lifeboat dr test`; it only reads what is live',
  },
  'schedule-trouble': {
    area: 'schedules',
    event: 'failure',
    severity: 'critical',
    patienceMs: 2 * MINUTE_MS,
    meaning:
      'A schedule is not in Temporal as it is configured, is overdue, or its newest run failed, was skipped or found something wrong. The next good run ends it.',
    hint: '`lifeboat schedule list` names its last runs; `lifeboat schedule apply` brings what is configured to Temporal',
  },
  'plan-needs-verification': {
    area: 'plans',
    event: 'plan',
    severity: 'warning',
    patienceMs: 0,
    meaning:
      'A recovery plan of `drPlans.dir` was changed since it was verified, was never verified, or cannot be run.',
    hint: '`lifeboat dr validate PLAN` asks every step what it would do',
  },
} as const satisfies Readonly<Record<string, KindRule>>;

export type AlertKind = keyof typeof ALERT_KINDS;

export const ALERT_KIND_NAMES = Object.keys(ALERT_KINDS) as readonly AlertKind[];
