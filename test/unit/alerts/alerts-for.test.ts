import type { AlertFacts, AlertRules, JournalSeen } from '../../../src/domain/alerts/alert-facts.ts';
import { ALERT_KINDS } from '../../../src/domain/alerts/alert-kinds.ts';
import { alertsFor } from '../../../src/domain/alerts/alerts-for.ts';
import { type EndedRun, rememberRuns, type RunMemory } from '../../../src/domain/alerts/runs-seen.ts';
import type { TargetFacts } from '../../../src/domain/target-facts.ts';

const NOW = Date.parse('2026-03-04T05:06:07.000Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const RULES: AlertRules = {
  backupAgeMs: 2 * DAY,
  journalLagMs: 2 * MINUTE,
  replicationLagMs: HOUR,
  slotWalBytes: 4_000,
  freeSpace: { warning: 15, critical: 5 },
  rpoMs: 10 * MINUTE,
};
const JOURNAL: JournalSeen = {
  kind: 'postgres',
  state: 'following',
  reason: null,
  lagSeconds: 3,
  flushSeconds: 5,
  openGap: null,
  damagedFiles: 0,
  slot: { name: 'lifeboat', walStatus: 'reserved', retainedBytes: 100, safeWalBytes: null },
};
const TARGET: TargetFacts = {
  name: 'west',
  region: null,
  location: 's3://west',
  state: 'in-sync',
  backups: 3,
  pending: 0,
  pendingBackups: [],
  lagSeconds: 0,
  lastError: null,
};
const PROTECTION = {
  newestBackupAt: ago(HOUR),
  damaged: [],
  journals: [JOURNAL],
  ages: { postgres: 3_000, redis: null },
} as const;
const RUNS = { fresh: [], outcomes: [], damage: [], open: [], waiting: null } as const;
/** All is well. */
const WELL: AlertFacts = {
  runs: RUNS,
  servers: [],
  repository: { problem: null },
  protection: PROTECTION,
  storage: [{ place: 'repository', location: 'file:///b', freeBytes: 500, totalBytes: 1_000 }],
  targets: [TARGET],
  drills: { last: null, dueAt: null, overdue: false },
  plans: [{ id: 'p', name: 'P', state: 'verified', problem: '' }],
  schedules: [{ schedule: 'nightly', kind: 'missed', message: '2 runs were missed', count: 2 }],
};
const run = (more: Partial<EndedRun>): EndedRun => ({
  workflowId: 'lifeboat/default',
  runId: 'r1',
  kind: 'full',
  startedAt: ago(2 * MINUTE),
  endedAt: ago(MINUTE),
  end: 'failed',
  code: 'STORE_NO_SPACE',
  message: 'put object: no space',
  summary: 'full backup, asked for by me',
  verification: null,
  ...more,
});
const NOTHING: RunMemory = { since: ago(DAY), seen: [], outcomes: [], damage: [] };
const known = (...runs: readonly EndedRun[]): AlertFacts => {
  const { outcomes, damage } = rememberRuns(NOTHING, runs, NOW);
  return { ...WELL, runs: { ...RUNS, fresh: runs, outcomes, damage } };
};

/** `key severity`. */
function found(facts: AlertFacts, rules = RULES): string[] {
  return alertsFor(facts, rules, NOW).alerts.map(({ key, severity, isOver }) => `${key} ${isOver ? 'over' : severity}`);
}

test('a group that is well has no alert', () => {
  expect(alertsFor(WELL, RULES, NOW)).toEqual({ alerts: [], unseen: [] });
});

const journal = (more: Partial<JournalSeen>): AlertFacts => ({
  ...WELL,
  protection: { ...PROTECTION, journals: [{ ...JOURNAL, ...more }] },
});
const slot = (more: Partial<NonNullable<JournalSeen['slot']>>): AlertFacts =>
  journal({ slot: { name: 'lifeboat', walStatus: 'reserved', retainedBytes: 100, safeWalBytes: null, ...more } });
const space = (freeBytes: number): AlertFacts => ({
  ...WELL,
  storage: [{ place: 'repository', location: 'file:///b', freeBytes, totalBytes: 1_000 }],
});
const target = (more: Partial<TargetFacts>): AlertFacts => ({ ...WELL, targets: [{ ...TARGET, ...more }] });
const drill = (verdict: 'pass' | 'fail' | 'incomplete', overdue = false): AlertFacts => ({
  ...WELL,
  drills: {
    last: { drillId: 'drill-1', finishedAt: ago(HOUR), verdict, reasons: ['rows'], rtoMs: null, rpoMs: null },
    dueAt: overdue ? ago(MINUTE) : null,
    overdue,
  },
});

const CASES: readonly (readonly [string, AlertFacts, readonly string[]])[] = [
  ['a failed backup', known(run({})), ['operation-failed/full critical']],
  ['a terminated one', known(run({ end: 'terminated', code: '', message: '' })), ['operation-failed/full critical']],
  ['a cancelled one', known(run({ end: 'cancelled', code: '', message: '' })), []],
  ['a cleanup that failed', known(run({ kind: 'cleanup' })), ['operation-failed/cleanup warning']],
  [
    'copies to two targets, each for itself',
    known(
      run({ kind: 'copy', workflowId: 'lifeboat/default/copy/west/backup-1', runId: 'a' }),
      run({ kind: 'copy', workflowId: 'lifeboat/default/copy/east/backup-1', runId: 'b' }),
    ),
    ['operation-failed/copy/west warning', 'operation-failed/copy/east warning'],
  ],
  [
    'a restore that failed',
    known(run({ kind: 'restore' })),
    ['operation-failed/restore critical', 'recovery-running/r1 over'],
  ],
  [
    'a restore that was refused before anything was done',
    known(run({ kind: 'restore', code: 'BACKUP_NOT_FOUND' })),
    ['recovery-running/r1 over'],
  ],
  ['a backup that succeeded', known(run({ end: 'completed', code: '', message: '' })), ['operation-succeeded/r1 over']],
  [
    'a verification that found something',
    known(
      run({
        kind: 'verify',
        end: 'completed',
        verification: { verified: ['backup-1', 'backup-2'], problems: [{ about: 'backup-1', message: 'digest' }] },
      }),
    ),
    ['verification-problem/backup-1 critical'],
  ],
  [
    'a restore that runs',
    {
      ...WELL,
      runs: { ...RUNS, open: [{ workflowId: 'w', runId: 'r2', kind: 'restore', startedAt: ago(1), summary: 's' }] },
    },
    ['recovery-running/r2 info'],
  ],
  [
    'a run that waits for a person',
    {
      ...WELL,
      runs: { ...RUNS, waiting: { id: 'run-1', planName: 'P', startedAt: ago(1), waitsFor: ['x: an approval'] } },
    },
    ['run-waits/run-1 critical'],
  ],
  [
    'no backup at all',
    { ...WELL, protection: { ...PROTECTION, newestBackupAt: null } },
    ['backup-overdue/backup critical'],
  ],
  [
    'an old backup',
    { ...WELL, protection: { ...PROTECTION, newestBackupAt: ago(2 * DAY + 1) } },
    ['backup-overdue/backup critical'],
  ],
  [
    'a damaged backup',
    { ...WELL, protection: { ...PROTECTION, damaged: ['backup-1'] } },
    ['backup-damaged/backup-1 critical'],
  ],
  [
    'a recovery point beyond the objective',
    { ...WELL, protection: { ...PROTECTION, ages: { postgres: 11 * MINUTE, redis: null } } },
    ['recovery-point-old/postgres critical'],
  ],
  ['a journal that lags', journal({ lagSeconds: 121 }), ['journal-lag/postgres warning']],
  ['a journal that may lag that much by its flush interval', journal({ lagSeconds: 121, flushSeconds: 100 }), []],
  [
    'a journal in alarm that lags as well',
    journal({ state: 'alarm', lagSeconds: 500 }),
    ['journal-stopped/postgres critical'],
  ],
  ['a journal in alarm', journal({ state: 'alarm', reason: 'password' }), ['journal-stopped/postgres critical']],
  [
    'a journal with an open gap',
    journal({ state: 'alarm', openGap: { from: ago(HOUR), message: 'slot lost' } }),
    ['journal-gap/postgres critical'],
  ],
  ['damaged files of a journal', journal({ damagedFiles: 2 }), ['backup-damaged/journal-postgres critical']],
  [
    'a server that is down',
    { ...WELL, servers: [{ kind: 'postgres', code: 'POSTGRES_UNREACHABLE', message: 'refused' }] },
    ['database-unreachable/postgres critical'],
  ],
  ['a slot that keeps much', slot({ retainedBytes: 5_000 }), ['slot-retains-wal/lifeboat warning']],
  [
    'a slot that is nearly lost',
    slot({ retainedBytes: 800, safeWalBytes: 100 }),
    ['slot-retains-wal/lifeboat critical'],
  ],
  ['a slot that is lost', slot({ walStatus: 'lost' }), ['slot-retains-wal/lifeboat critical']],
  [
    'a repository that does not answer',
    { ...WELL, repository: { problem: { code: 'STORE_UNREACHABLE', message: 'no' } }, protection: null },
    ['repository-unreachable/repository critical'],
  ],
  ['little room', space(149), ['storage-low/repository warning']],
  ['hardly any room', space(49), ['storage-low/repository critical']],
  ['a target that lags', target({ state: 'behind', lagSeconds: 3_601, pending: 2 }), ['replication-lag/west warning']],
  ['a target that is away', target({ state: 'unreachable', lagSeconds: null }), ['target-failing/west critical']],
  ['a target whose repository cannot be read', target({ state: 'unknown', lagSeconds: null }), []],
  ['a failed drill', drill('fail'), ['drill-failed/drill critical']],
  [
    'an incomplete and overdue drill',
    drill('incomplete', true),
    ['drill-failed/drill warning', 'drill-overdue/drill warning'],
  ],
  [
    'a plan that was edited',
    { ...WELL, plans: [{ id: 'p', name: 'P', state: 'needs-verification', problem: '' }] },
    ['plan-needs-verification/p warning'],
  ],
  [
    'a schedule whose newest run failed, and that is overdue since',
    {
      ...WELL,
      schedules: [
        { schedule: 'nightly', kind: 'failed', message: 'no space', count: 1 },
        { schedule: 'nightly', kind: 'overdue', message: 'none since', count: 1 },
      ],
    },
    ['schedule-trouble/nightly/failed critical', 'schedule-trouble/nightly/overdue warning'],
  ],
];

test.each(CASES)('%s', (_, facts, expected) => {
  expect(found(facts)).toEqual(expected);
});

test('every kind of alert is one of these cases', () => {
  const seen = new Set(CASES.flatMap(([, facts]) => alertsFor(facts, RULES, NOW).alerts.map(({ kind }) => kind)));
  expect([...seen].toSorted()).toEqual(Object.keys(ALERT_KINDS).toSorted());
});

test('what was not looked at is said, and has no alert', () => {
  const { unseen, alerts } = alertsFor({ ...WELL, runs: null, plans: null }, RULES, NOW);
  expect({ unseen, alerts }).toEqual({ unseen: ['runs', 'plans'], alerts: [] });
});

describe('what is remembered of runs', () => {
  const after = (memory: RunMemory, ...runs: readonly EndedRun[]): RunMemory => rememberRuns(memory, runs, NOW);
  const failures = ({ outcomes }: RunMemory): string[] => outcomes.map(({ operation }) => operation);

  test('a later success of the same operation ends a failure, an earlier one does not', () => {
    const failed = after(NOTHING, run({ runId: 'a' }));
    expect(failures(failed)).toEqual(['full']);
    expect(failures(after(failed, run({ runId: 'b', end: 'completed' })))).toEqual([]);
    expect(failures(after(NOTHING, run({ runId: 'b', end: 'completed' }), run({ runId: 'a' })))).toEqual(['full']);
  });

  test('a run that is listed again counts once', () => {
    const failed = after(NOTHING, run({ runId: 'a' }));
    const recovered = after(failed, run({ runId: 'b', end: 'completed' }));
    expect(failures(after(recovered, run({ runId: 'a' })))).toEqual([]);
  });

  test('a full backup ends the failure of an incremental one, and not the other way round', () => {
    const incremental = after(NOTHING, run({ kind: 'incremental' }));
    expect(failures(after(incremental, run({ runId: 'b', end: 'completed' })))).toEqual([]);
    const full = after(NOTHING, run({}));
    expect(failures(after(full, run({ runId: 'b', kind: 'incremental', end: 'completed' })))).toEqual(['full']);
  });

  test('what nobody runs again only to end an alert is forgotten after a day; a backup is not', () => {
    const old = ago(DAY + 1);
    const memory = after(NOTHING, run({ kind: 'restore', endedAt: old }), run({ runId: 'b', endedAt: old }));
    expect(failures(memory)).toEqual(['full']);
  });

  test('damage is over when the same backup was read back and found sound', () => {
    const verify = (runId: string, verified: readonly string[], ...bad: readonly string[]): EndedRun =>
      run({
        runId,
        workflowId: runId,
        kind: 'verify',
        end: 'completed',
        verification: { verified, problems: bad.map((about) => ({ about, message: 'digest' })) },
      });
    const damaged = after(NOTHING, verify('a', ['backup-1', 'backup-2'], 'backup-1', 'backup-1'));
    expect(damaged.damage).toMatchObject([{ about: 'backup-1', problems: 2 }]);
    expect(after(damaged, verify('b', ['backup-2'])).damage).toHaveLength(1);
    expect(after(damaged, verify('b', ['backup-1'])).damage).toEqual([]);
  });
});
