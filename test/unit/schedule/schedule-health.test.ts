import type { ScheduleDefinition } from '../../../src/domain/schedule/schedule.ts';
import {
  isStanding,
  judgeSchedule,
  type ScheduledOutcome,
  type ScheduledRun,
  type ScheduleFacts,
} from '../../../src/domain/schedule/schedule-health.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-01-15T12:00:00Z');
const HOURLY: ScheduleDefinition = {
  name: 'hourly',
  work: { type: 'incremental' },
  timing: { everyMs: HOUR_MS },
  jitterMs: 60_000,
  periodMs: { shortest: HOUR_MS, longest: HOUR_MS },
};
const ago = (hours: number): string => new Date(NOW - hours * HOUR_MS).toISOString();

function run(outcome: ScheduledOutcome, hours: number): ScheduledRun {
  const at = ago(hours);
  return { workflowId: `w${hours}`, runId: 'r', scheduledAt: at, startedAt: at, outcome, message: '' };
}

function judged(facts: Partial<ScheduleFacts>, definition: ScheduleDefinition | null = HOURLY): [string, number][] {
  const usual = { state: 'active', note: null, createdAt: ago(100), nextRuns: [], recentRuns: [] } as const;
  const { problems } = judgeSchedule('hourly', definition, {
    facts: { ...usual, missed: 0, overlapped: 0, ...facts },
    nowMs: NOW,
  });
  return problems.map(({ kind, count }) => [kind, count]);
}

describe('a schedule', () => {
  test('with a run in time has no problem', () => {
    expect(judged({ recentRuns: [run('done', 0.5), run('failed', 1.5)] })).toEqual([]);
  });

  test('is as its newest run that has ended', () => {
    expect(judged({ recentRuns: [run('running', 0.1), run('failed', 1), run('done', 1.5)] })).toEqual([['failed', 1]]);
    expect(judged({ recentRuns: [run('skipped', 0.5), run('done', 1.5)] })).toEqual([['skipped', 1]]);
    expect(judged({ recentRuns: [run('alarm', 0.5)] })).toEqual([['alarm', 1]]);
    expect(judged({ recentRuns: [run('cancelled', 0.5), run('done', 1.5)] })).toEqual([['failed', 1]]);
  });

  test('is overdue when none came to its end in a period and the time that a run may wait', () => {
    expect(judged({ recentRuns: [run('done', 1.8)] })).toEqual([]);
    expect(judged({ recentRuns: [run('done', 1.9)] })).toEqual([['overdue', 1]]);
    expect(judged({ recentRuns: [run('failed', 0.5), run('done', 3)] })).toEqual([
      ['failed', 1],
      ['overdue', 1],
    ]);
    expect(judged({ createdAt: ago(1) })).toEqual([]);
    expect(judged({ createdAt: ago(2) })).toEqual([['overdue', 1]]);
    // What it came to is not known any more; that it was in time is.
    expect(judged({ recentRuns: [run('unknown', 1)] })).toEqual([]);
  });

  test('that is paused, off or no longer configured is never overdue', () => {
    for (const state of ['paused', 'off', 'stray'] as const) expect([state, judged({ state })]).toEqual([state, []]);
    expect(judged({ state: 'stray', missed: 3 }, null)).toEqual([]);
  });

  test('says what Temporal has missed and left out, as counts that are no standing problem', () => {
    const found = judged({ recentRuns: [run('done', 0.5)], missed: 2, overlapped: 7 });
    expect(found).toEqual([
      ['missed', 2],
      ['overlapped', 7],
    ]);
    expect(['missed', 'overlapped', 'failed', 'overdue'].map((kind) => isStanding({ kind } as never))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('that is not in Temporal as it is configured says so', () => {
    expect(judged({ state: 'not-applied', createdAt: null })).toEqual([['not-applied', 1]]);
    expect(judged({ state: 'outdated', recentRuns: [run('done', 0.5)] })).toEqual([['not-applied', 1]]);
  });
});
