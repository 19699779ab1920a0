import fc from 'fast-check';
import { drawPoint, newestPoint } from '../../src/domain/drill/choose-point.ts';
import { describeDuration } from '../../src/domain/drill/describe-duration.ts';
import type { DrillOutcome, DrillPlan, DrillReport, DrillSummary } from '../../src/domain/drill/drill.ts';
import { drillState } from '../../src/domain/drill/drill-state.ts';
import { meetExpectation } from '../../src/domain/drill/expectation.ts';
import { judgeDrill, measure, objectiveChecks } from '../../src/domain/drill/judge.ts';
import { renderDrillReport } from '../../src/domain/drill/report-html.ts';

const AT = '2026-01-15T10:00:00.000Z';
const HOUR_MS = 3_600_000;
const PASS = { name: 'a', status: 'pass', expected: '1', actual: '1', message: '' } as const;
const FAIL = { ...PASS, name: 'b', status: 'fail', actual: '2' } as const;
const SKIP = { ...PASS, name: 'c', status: 'skip', message: 'why' } as const;

const PLAN: DrillPlan = {
  drillId: 'drill-1',
  how: 'random',
  backupId: 'backup-1',
  recoveryPoint: { time: '2026-01-15T07:00:00.000Z' },
  components: ['postgres'],
  replay: null,
  newestAt: '2026-01-15T09:00:00.000Z',
  scratchBytes: 0,
};
const OUTCOME: DrillOutcome = { phases: [], checks: [], rtoMs: 5_000, untried: [], readWhole: [], orphansRemoved: 0 };

describe('the verdict of a drill', () => {
  const judge = (
    checks: Parameters<typeof judgeDrill>[0]['checks'],
    untried: string[] = [],
    interrupted: string | null = null,
  ) => judgeDrill({ checks, untried, interrupted });

  test('is fail where anything is wrong, whatever else there is', () => {
    expect(judge([PASS, FAIL], ['redis: no server'], 'ended')).toEqual({
      verdict: 'fail',
      reasons: ['b: 2 instead of 1', 'redis: no server', 'ended'],
    });
  });
  test('is incomplete where something was not tried, or nothing was checked', () => {
    expect(judge([PASS], ['redis: no server'])).toEqual({ verdict: 'incomplete', reasons: ['redis: no server'] });
    expect(judge([PASS], [], 'no room')).toEqual({ verdict: 'incomplete', reasons: ['no room'] });
    expect(judge([])).toEqual({ verdict: 'incomplete', reasons: ['nothing was checked'] });
  });
  test('never counts a skip as a pass', () => {
    expect(judge([SKIP]).verdict).toBe('incomplete');
    expect(judge([SKIP, PASS])).toEqual({ verdict: 'pass', reasons: [] });
  });
});

describe('what a drill measures', () => {
  test('is the loss that a disaster at its start would have meant, and how far back the drilled point was', () => {
    expect(measure(PLAN, OUTCOME, AT)).toEqual({ rtoMs: 5_000, rpoMs: HOUR_MS, behindNewestMs: 2 * HOUR_MS });
    expect(measure(null, null, AT)).toEqual({ rtoMs: null, rpoMs: null, behindNewestMs: null });
  });
  test('is held against what was set, and against nothing else', () => {
    const measured = measure(PLAN, OUTCOME, AT);
    const statuses = (rtoMs: number | null, rpoMs: number | null) =>
      objectiveChecks(measured, { rtoMs, rpoMs }).map(({ status }) => status);
    expect(statuses(5_000, HOUR_MS)).toEqual(['pass', 'pass']);
    expect(statuses(4_999, HOUR_MS - 1)).toEqual(['fail', 'fail']);
    expect(statuses(null, null)).toEqual(['skip', 'skip']);
    expect(objectiveChecks(measure(null, null, AT), { rtoMs: 1, rpoMs: 1 }).map(({ status }) => status)).toEqual([
      'skip',
      'skip',
    ]);
  });
});

describe('the point of a drill', () => {
  const backups = [
    { backupId: 'a', timeMs: 100 },
    { backupId: 'b', timeMs: 900 },
  ];
  const spans = [
    { fromMs: 200, toMs: 400 },
    { fromMs: 500, toMs: 800 },
  ];
  test('is the newest instant, of a backup or of the journals', () => {
    expect(newestPoint({ window: { spans }, backups })).toEqual({ backupId: 'b', timeMs: 900 });
    expect(newestPoint({ window: { spans }, backups: backups.slice(0, 1) })).toEqual({ backupId: null, timeMs: 800 });
    expect(newestPoint({ window: { spans: [] }, backups: [] })).toBeUndefined();
  });
  test('by lot can always be restored, and comes to each backup and each span', () => {
    const drawn = new Set<string>();
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (draw) => {
        const point = drawPoint({ window: { spans }, backups }, draw)!;
        const at = spans.findIndex(({ fromMs, toMs }) => fromMs <= point.timeMs && point.timeMs <= toMs);
        drawn.add(point.backupId ?? `span ${at}`);
        return point.backupId !== null || at >= 0;
      }),
      { examples: [[0], [0.3], [0.6], [0.9]] },
    );
    expect([...drawn].toSorted()).toEqual(['a', 'b', 'span 0', 'span 1']);
    expect(drawPoint({ window: { spans: [] }, backups: [] }, 0.5)).toBeUndefined();
  });
});

test.each([
  [{ expected: '5' }, '5', 'pass'],
  [{ expected: '5' }, '6', 'fail'],
  [{ expected: '' }, '', 'pass'],
  [{ min: 5 }, '5', 'pass'],
  [{ min: 5 }, '4.9', 'fail'],
  [{ max: 5 }, '5.1', 'fail'],
  [{ min: 1, max: 5 }, 'many', 'fail'],
  // Number('') is 0: an empty answer is none.
  [{ min: 0 }, '', 'fail'],
])('a check that expects %j and gets %j: %s', (expectation, actual, status) => {
  expect(meetExpectation('check', expectation, actual).status).toBe(status);
});

test('an answer that is data is cut short in a report', () => {
  expect(meetExpectation('check', { expected: 'x' }, 'y'.repeat(5_000)).actual).toHaveLength(201);
});

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [12_345, '12.3 s'],
  [185_000, '3 min 5 s'],
  [3_600_000, '1 h'],
  [187_200_000, '2 d 4 h'],
])('%s ms is %s', (ms, text) => {
  expect(describeDuration(ms)).toBe(text);
});

describe('how a group stands with its drills', () => {
  const drill = (finishedAt: string, verdict: DrillSummary['verdict']): DrillSummary => ({
    drillId: `drill-${finishedAt}`,
    startedAt: finishedAt,
    finishedAt,
    verdict,
    reasons: [],
    rtoMs: 1,
    rpoMs: 1,
    nextDueAt: null,
    backupId: null,
    pointTime: null,
  });
  const now = Date.parse(AT);
  test('overdue counts from the last one that was complete', () => {
    const drills = [drill(AT, 'incomplete'), drill('2026-01-15T08:00:00.000Z', 'pass')];
    expect(drillState(drills, 3 * HOUR_MS, now)).toMatchObject({ overdue: false, dueAt: '2026-01-15T11:00:00.000Z' });
    expect(drillState(drills, HOUR_MS, now)).toMatchObject({ overdue: true, last: { verdict: 'incomplete' } });
  });
  test('without one it is overdue where one is asked for, and never where none is', () => {
    expect(drillState([], HOUR_MS, now)).toEqual({ last: null, dueAt: null, overdue: true });
    expect(drillState([], null, now)).toEqual({ last: null, dueAt: null, overdue: false });
    expect(drillState([drill('2020-01-01T00:00:00.000Z', 'fail')], null, now)).toMatchObject({
      overdue: false,
      dueAt: null,
    });
  });
});

test('a report escapes every text that comes from outside', () => {
  const evil = `<script>'"&`;
  const report: DrillReport = {
    version: 1,
    drillId: evil,
    group: evil,
    requestedBy: evil,
    workflowId: evil,
    runId: evil,
    startedAt: evil,
    finishedAt: evil,
    verdict: 'fail',
    reasons: [evil],
    nextDueAt: evil,
    point: {
      how: 'newest',
      backupId: evil,
      recoveryPoint: { time: evil },
      components: ['redis'],
      replay: null,
      from: evil,
    },
    phases: [{ name: evil, component: 'redis', startMs: 0, durationMs: 0 }],
    checks: [{ name: evil, status: 'fail', expected: evil, actual: evil, message: evil }],
    rtoMs: null,
    rpoMs: 0,
    behindNewestMs: null,
    objectives: { rtoMs: null, rpoMs: 1 },
    readWhole: [evil],
  };
  const page = renderDrillReport(report, evil);
  expect(page).not.toContain('<script');
  expect(page.split('&lt;script&gt;&#39;&quot;&amp;')).toHaveLength(21);
  expect(page).toContain('<svg');
});
