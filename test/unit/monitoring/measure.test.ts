import type { BackupRecord, ComponentName } from '../../../src/domain/backup.ts';
import { drillState } from '../../../src/domain/drill/drill-state.ts';
import type { DrillSummary } from '../../../src/domain/drill/drill.ts';
import { planStateOf } from '../../../src/domain/plan/plan-state.ts';
import type { TargetFacts } from '../../../src/domain/target-facts.ts';
import { createExposition } from '../../../src/monitoring/exposition.ts';
import { measureBackups, type RepositoryFacts } from '../../../src/monitoring/measure/backups.ts';
import { type JournalReading, measureJournals } from '../../../src/monitoring/measure/journals.ts';
import { createOperationMeter, type EndedOperation } from '../../../src/monitoring/measure/operations.ts';
import { measureDrills } from '../../../src/monitoring/measure/proof.ts';
import { measureTargets } from '../../../src/monitoring/measure/targets.ts';
import type { Reading, Sample } from '../../../src/monitoring/sample.ts';

/** `metric{label=value,…}` → value: what a person would look for. */
function shown(readings: readonly Reading[]): Readonly<Record<string, number>> {
  const name = ({ metric, labels = {} }: Reading): string =>
    `${metric.replace(/^lifeboat_/, '')}{${Object.entries(labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(',')}}`;
  const pairs = readings.map((reading) => [name(reading), reading.value] as const);
  expect(new Set(pairs.map(([key]) => key)).size).toBe(pairs.length);
  return Object.fromEntries(pairs);
}

const at = (seconds: number): string => new Date(seconds * 1_000).toISOString();

function backup(seconds: number, more: Partial<BackupRecord> = {}): BackupRecord {
  const part = { bytes: 100, storedBytes: 40 };
  return {
    id: `backup-${seconds}`,
    kind: 'full',
    status: 'complete',
    label: {},
    createdAt: at(seconds),
    finishedAt: at(seconds + 5),
    durationMs: 5_000,
    verifiedAt: null,
    components: { postgres: part, redis: part },
    recoveryPoint: { time: at(seconds) },
    storedBytes: 80,
    ...more,
  } as BackupRecord;
}

const facts = (more: Partial<RepositoryFacts>): RepositoryFacts => ({
  backups: [],
  components: ['postgres', 'redis'],
  journals: [],
  window: { from: null, to: null, gaps: [] },
  storedBytes: { backups: 0, journals: 0 },
  ...more,
});

describe('backups', () => {
  test('none are a count of nothing, and no instant', () => {
    expect(shown(measureBackups(facts({})))).toEqual({
      'backups{kind=full,status=complete}': 0,
      'backups{kind=full,status=damaged}': 0,
      'backups{kind=incremental,status=complete}': 0,
      'backups{kind=incremental,status=damaged}': 0,
      'recovery_gaps{component=postgres,state=open}': 0,
      'recovery_gaps{component=postgres,state=closed}': 0,
      'recovery_gaps{component=redis,state=open}': 0,
      'recovery_gaps{component=redis,state=closed}': 0,
      'backups_unverified{}': 0,
      'storage_used_bytes{store=repository,holds=backups}': 0,
      'storage_used_bytes{store=repository,holds=journals}': 0,
    });
  });

  test('the newest good one of each component counts, not one that is damaged, or was taken aside', () => {
    const backups = [
      backup(500, { label: { reason: 'before-restore' } }),
      backup(400, { status: 'damaged', components: {} }),
      backup(300, { components: { redis: { bytes: 7, storedBytes: 3 } } } as Partial<BackupRecord>),
      backup(200),
    ];
    const read = shown(measureBackups(facts({ backups })));
    expect(read).toMatchObject({
      'backups{kind=full,status=complete}': 3,
      'backups{kind=full,status=damaged}': 1,
      'last_backup_timestamp_seconds{kind=full,component=postgres}': 200,
      'last_backup_timestamp_seconds{kind=full,component=redis}': 300,
      'last_backup_stored_bytes{kind=full,component=redis}': 3,
      'last_backup_duration_seconds{kind=full}': 5,
    });
    // What was taken aside can be restored all the same.
    expect(read['recovery_point_timestamp_seconds{component=postgres}']).toBe(500);
  });

  test('what is durable in a journal is the recovery point, unless nothing leads there', () => {
    const journal = (kind: ComponentName, gaps: readonly { readonly to: string | null }[]) => ({
      kind,
      gaps,
      problems: [],
      durable: { time: at(900) },
    });
    const journals = [journal('postgres', [{ to: at(1) }]), journal('redis', [{ to: null }])];
    expect(shown(measureBackups(facts({ backups: [backup(200)], journals })))).toMatchObject({
      'recovery_point_timestamp_seconds{component=postgres}': 900,
      'recovery_point_timestamp_seconds{component=redis}': 200,
    });
  });

  test('a backup that was never read back counts from when it was taken', () => {
    const backups = [backup(300, { verifiedAt: at(800) }), backup(200), backup(100, { verifiedAt: at(700) })];
    expect(shown(measureBackups(facts({ backups })))).toMatchObject({
      'verification_oldest_timestamp_seconds{}': 200,
      'verification_last_timestamp_seconds{}': 800,
      'backups_unverified{}': 1,
    });
  });
});

describe('journals', () => {
  const journal: JournalReading = {
    kind: 'postgres',
    enabled: true,
    durable: { at: '1/10', time: at(50) },
    position: { at: '1/20' },
    lagBytes: 16,
    problems: [],
    slot: { exists: true, retainedBytes: 1_000, safeWalBytes: null },
  };

  test('positions are bytes, and no limit is no value', () => {
    expect(shown(measureJournals([journal]))).toEqual({
      'journal_durable_timestamp_seconds{component=postgres}': 50,
      'journal_position_bytes{component=postgres,end=server}': 2 ** 32 + 32,
      'journal_position_bytes{component=postgres,end=durable}': 2 ** 32 + 16,
      'journal_lag_bytes{component=postgres}': 16,
      'journal_problems{component=postgres}': 0,
      'slot_retained_bytes{}': 1_000,
    });
  });

  test('one that is switched off is not late, but its slot fills the disk all the same', () => {
    const read = shown(measureJournals([{ ...journal, enabled: false }]));
    expect(Object.keys(read)).not.toContain('journal_durable_timestamp_seconds{component=postgres}');
    expect(read['slot_retained_bytes{}']).toBe(1_000);
  });
});

test('a target that is away says that, and nothing that nobody knows', () => {
  const away = { backups: null, pending: null, lagSeconds: null, journals: null, storedBytes: null };
  const target = { name: 'east', state: 'unreachable', ...away } as unknown as TargetFacts;
  expect(shown(measureTargets([target]))).toEqual({
    'target_state{target=east,state=in-sync}': 0,
    'target_state{target=east,state=behind}': 0,
    'target_state{target=east,state=unused}': 0,
    'target_state{target=east,state=foreign}': 0,
    'target_state{target=east,state=unreachable}': 1,
    'target_state{target=east,state=unknown}': 0,
  });
});

test('the last drill is told with its verdict, and when the next is due', () => {
  const drill = { drillId: 'drill', finishedAt: at(1_000), verdict: 'fail', reasons: [], rtoMs: 9_000, rpoMs: null };
  const state = drillState([drill as unknown as DrillSummary], 60_000, 1_100_000);
  expect(shown(measureDrills(state))).toEqual({
    'drill_due_timestamp_seconds{}': 1_060,
    'drill_overdue{}': 1,
    'last_drill_verdict{verdict=pass}': 0,
    'last_drill_verdict{verdict=fail}': 1,
    'last_drill_verdict{verdict=incomplete}': 0,
    'last_drill_verdict{verdict=damaged}': 0,
    'last_drill_timestamp_seconds{}': 1_000,
    'last_drill_rto_seconds{}': 9,
  });
});

test.each([
  [[], { definition: 'a' }, 'verified'],
  [[], { definition: 'b' }, 'needs-verification'],
  [[], null, 'needs-verification'],
  [['no such step'], { definition: 'a' }, 'invalid'],
] as const)('a plan with the problems %j and the verification %j is %s', (problems, verification, state) => {
  expect(planStateOf({ definition: 'a', problems }, verification)).toBe(state);
});

describe('operations', () => {
  const HOUR_MS = 3_600_000;
  const operation = (runId: string, endedMs: number, more: Partial<EndedOperation> = {}): EndedOperation => ({
    runId,
    kind: 'full',
    result: 'completed',
    startedMs: endedMs - 4_000,
    endedMs,
    ...more,
  });
  const counted = ({ counts = [] }: Sample): readonly Reading[] => counts.filter(({ value }) => value !== 0);

  test('are counted once, however often they are listed, and only those that ended while somebody looked', () => {
    const meter = createOperationMeter(HOUR_MS, 10 * HOUR_MS);
    expect(meter.sinceMs).toBe(9 * HOUR_MS);
    const old = operation('a', 9.5 * HOUR_MS, { result: 'failed' });
    const first = meter.measure([old], []);
    expect([counted(first), first.durations]).toEqual([[], []]);
    // From the beginning: a first failure must be seen as one more.
    expect(first.counts).toContainEqual({
      metric: 'lifeboat_operations_total',
      labels: { kind: 'full', result: 'failed' },
      value: 0,
    });
    const fresh = operation('b', 10.1 * HOUR_MS);
    const second = meter.measure([fresh, old], []);
    expect(counted(second)).toEqual([
      { metric: 'lifeboat_operations_total', labels: { kind: 'full', result: 'completed' }, value: 1 },
    ]);
    expect(second.durations?.map(({ value }) => value)).toEqual([4]);
    expect(meter.sinceMs).toBeLessThan(fresh.endedMs);
    // Listed a little late, though it ended before.
    const late = operation('c', fresh.endedMs - 30_000);
    expect(counted(meter.measure([fresh, late], []))).toHaveLength(1);
    expect(counted(meter.measure([fresh, late], []))).toEqual([]);
    expect(shown(meter.measure([], []).gauges ?? [])).toMatchObject({
      'operation_last_timestamp_seconds{kind=full,result=failed}': old.endedMs / 1_000,
      'operation_last_timestamp_seconds{kind=full,result=completed}': fresh.endedMs / 1_000,
    });
  });

  test('that run are told by kind, and a run of a plan that waits for a person is told apart', () => {
    const { gauges = [] } = createOperationMeter(0, 0).measure(
      [],
      [
        { kind: 'plan', phase: 'waiting' },
        { kind: 'journal', phase: 'following' },
        { kind: 'journal', phase: 'waiting' },
        { kind: 'something new', phase: null },
      ],
    );
    expect(shown(gauges)).toMatchObject({
      'operations_running{kind=plan}': 1,
      'operations_running{kind=journal}': 2,
      'operations_running{kind=something new}': 1,
      'operations_running{kind=full}': 0,
      'plan_runs_waiting{}': 1,
    });
  });
});

test('what a source no longer names is gone from the metrics of that source alone', async () => {
  const exposition = createExposition('default');
  const pending = (target: string): Reading => ({
    metric: 'lifeboat_target_pending_backups',
    labels: { target },
    value: 3,
  });
  exposition.apply('targets', { gauges: [pending('east'), pending('we"st')] });
  exposition.apply('drills', { gauges: [{ metric: 'lifeboat_drill_overdue', value: 1 }] });
  exposition.apply('sdk', { foreign: 'temporal_thing{a="b"} 1\n' });
  expect(await exposition.text()).toContain(String.raw`{group="default",target="we\"st"} 3`);
  exposition.apply('targets', { gauges: [pending('east')] });
  const text = await exposition.text();
  expect(text).not.toContain(String.raw`we\"st`);
  expect(text).toContain('lifeboat_target_pending_backups{group="default",target="east"} 3');
  expect(text).toContain('lifeboat_drill_overdue{group="default"} 1');
  expect(text).toContain('temporal_thing{a="b"} 1');
  // Nothing was told of these: they are not there, rather than 0.
  expect(text).not.toMatch(/^lifeboat_verification_oldest_timestamp_seconds/m);
});
