import { configuredSchedules } from '../../../src/config/schedules/schedule-definitions.ts';
import { nextRuns, periodsOf } from '../../../src/config/schedules/schedule-timing.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { LifeboatError } from '../../../src/domain/errors.ts';
import { nextPause } from '../../../src/domain/schedule/pauses.ts';
import { patienceOf } from '../../../src/domain/schedule/schedule.ts';
import { loadTree } from './load-tree.ts';

const HOUR_MS = 3_600_000;

/** The problems that a configuration is refused for. */
function problemsOf(tree: object): unknown {
  try {
    loadTree(tree);
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error;
    const { problems } = error.details;
    return Array.isArray(problems) ? problems.map((line) => String(line).replace(' (backup.json)', '')) : problems;
  }
  return [];
}

const refusal = (schedule: object): unknown => problemsOf({ schedules: { one: { type: 'full', ...schedule } } });

describe('the configuration of schedules', () => {
  test("is the manual's own one, what has a name, and the evaluation of plans", () => {
    const env = {
      BACKUP_SCHEDULE_ENABLED: 'true',
      BACKUP_SCHEDULE_INTERVAL: '6h',
      BACKUP_SCHEDULE_TYPE: 'incremental',
    };
    const { config } = loadConfig({ flags: { config: null }, env, cwd: '/' });
    const shown = configuredSchedules(config).map(({ enabled, definition }) => [enabled, definition]);
    const six = { shortest: 6 * HOUR_MS, longest: 6 * HOUR_MS };
    const half = { shortest: HOUR_MS / 2, longest: HOUR_MS / 2 };
    expect(shown).toEqual([
      [
        true,
        { name: 'backup', work: { type: 'incremental' }, timing: { everyMs: 6 * HOUR_MS }, jitterMs: 0, periodMs: six },
      ],
      [
        true,
        { name: 'plans', work: { type: 'evaluate' }, timing: { everyMs: HOUR_MS / 2 }, jitterMs: 0, periodMs: half },
      ],
    ]);
  });

  test('gives a verification its budget and a drill its point', () => {
    const { schedules, ...rest } = loadTree({
      drPlans: { evaluateEvery: '0s' },
      schedules: {
        read: { type: 'verify', every: '1d', budgetBytes: '1GiB', budgetTime: '2h' },
        rehearse: { type: 'drill', cron: ' 0 3  1 * * ', timeZone: 'Europe/Berlin', jitter: '1h', enabled: false },
      },
    });
    const [read, rehearse] = configuredSchedules({ ...rest, schedules });
    expect(read?.definition.work).toEqual({ type: 'verify', budget: { bytes: 2 ** 30, ms: 2 * HOUR_MS } });
    expect([rehearse?.enabled, rehearse?.definition]).toMatchObject([
      false,
      {
        work: { type: 'drill', point: 'newest' },
        timing: { cron: '0 3 1 * *', timeZone: 'Europe/Berlin' },
        jitterMs: HOUR_MS,
      },
    ]);
  });

  test.each([
    [{}, 'schedules.one.every: expected one of every and cron'],
    [{ every: '1h', cron: '* * * * *' }, 'schedules.one.every: expected one of every and cron'],
    [{ every: '10ms' }, 'schedules.one.every: expected one second or more'],
    [{ cron: '0 0 *' }, 'schedules.one.cron: expected five fields: minute hour day-of-month month day-of-week'],
    [{ cron: '0 0 L * *' }, expect.stringContaining('schedules.one.cron: day of month "L": expected *, numbers')],
    [{ cron: '0 5/2 * * *' }, expect.stringContaining('schedules.one.cron: hour "5/2": expected *, numbers')],
    [{ cron: '61 0 * * *' }, expect.stringMatching(/^schedules\.one\.cron: .*(61|range)/i)],
    [{ cron: '0 0 30 2 *' }, 'schedules.one.cron: no day is one of these'],
    [{ cron: '0 0 13 * 5' }, expect.stringContaining('day of month and day of week are both set')],
    [
      { cron: '0 0 * * *', timeZone: 'Europe/Berlni' },
      'schedules.one.cron: time zone "Europe/Berlni" is not known: did you mean Europe/Berlin?',
    ],
    [{ every: '1h', jitter: '1h' }, 'schedules.one.every: jitter 1h is not shorter than the time between two runs'],
    [{ every: '1h', budgetTime: '1h' }, 'schedules.one.budgetTime: only a schedule of type verify has one, not full'],
    [{ every: '1h', point: 'random' }, 'schedules.one.point: only a schedule of type drill has one, not full'],
  ])('%j is refused', (schedule, problem) => {
    expect(refusal(schedule)).toEqual([problem]);
  });

  test('takes no name that another section makes, and evaluates plans never or at a second', () => {
    expect(problemsOf({ schedules: { plans: { type: 'full', every: '1h' } } })).toEqual([
      'schedules.plans: the name is that of the schedule that drPlans.evaluateEvery makes: take another',
    ]);
    expect(problemsOf({ drPlans: { evaluateEvery: '5ms' } })).toEqual([
      'drPlans.evaluateEvery: expected 0s, or one second or more',
    ]);
  });
});

describe('times of a schedule', () => {
  test('of an interval are its multiples since 1970', () => {
    const after = new Date('2026-01-15T05:59:59Z');
    const runs = nextRuns({ everyMs: 6 * HOUR_MS }, { count: 2, after });
    expect(runs).toEqual([new Date('2026-01-15T06:00:00Z'), new Date('2026-01-15T12:00:00Z')]);
    const [next] = nextRuns({ everyMs: 6 * HOUR_MS }, { count: 1, after: new Date('2026-01-15T06:00:00Z') });
    expect(next).toEqual(new Date('2026-01-15T12:00:00Z'));
  });

  test.each([
    ['0 2 * * MON-FRI', 'UTC', 24, 72],
    // An hour is left out in March and is there twice in October.
    ['0 3 * * *', 'Europe/Berlin', 23, 25],
    ['*/5 8-17 * * MON-FRI', 'UTC', 1 / 12, 62 + 1 / 12],
    ['0 4 1,15 * *', 'UTC', 24 * 14, 24 * 17],
    ['15,45 6,18 * JAN *', 'UTC', 0.5, 24 * 334 + 12 - 0.5],
    ['*/30 8-9 * * *', 'UTC', 0.5, 22.5],
  ])('%s in %s are from %d to %d hours apart', (cron, timeZone, shortest, longest) => {
    const found = periodsOf({ cron, timeZone });
    expect([found.shortest / HOUR_MS, found.longest / HOUR_MS]).toEqual([shortest, longest]);
  });

  test('leave a run less time than a period, and a day at most', () => {
    const patience = (hours: number): number =>
      patienceOf({ periodMs: { shortest: hours * HOUR_MS, longest: 0 } }) / HOUR_MS;
    expect([patience(5), patience(1_000)]).toEqual([4, 24]);
  });

  test('are waited for with pauses that double up to a bound, and begin with a part of a short time', () => {
    const pauses = (end: 'busy' | 'again', patienceMs: number): number[] =>
      [1, 2, 3, 100].map((tries) => nextPause(end, tries, patienceMs));
    expect(pauses('busy', HOUR_MS)).toEqual([1_000, 2_000, 4_000, 300_000]);
    expect(pauses('again', HOUR_MS)).toEqual([30_000, 60_000, 120_000, 1_800_000]);
    expect(pauses('again', 2_000).slice(0, 2)).toEqual([100, 200]);
  });
});
