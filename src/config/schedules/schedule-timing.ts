import { Cron } from 'croner';
import { durationMs, parseDuration } from '../../domain/duration.ts';
import { messageOf } from '../../domain/errors.ts';
import { nearestName } from '../../domain/nearest-name.ts';
import type { ScheduleDefinition, ScheduleTiming } from '../../domain/schedule/schedule.ts';
import { cronPeriods } from './cron-periods.ts';

/** When a schedule runs, as it is configured: durations as text that was checked. */
export interface ConfiguredTiming {
  readonly every?: string | undefined;
  readonly cron?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly jitter: string;
}

/** Temporal knows no shorter interval. */
const SHORTEST_MS = 1_000;
/** What Temporal's schedules and cron read alike: numbers, names, lists, ranges and steps of `*` or a range. */
const VALUE = '(?:\\d{1,2}|[A-Za-z]{3})';
const FIELD = new RegExp(`^(?:\\*(?:/[1-9]\\d?)?|${VALUE}(?:-${VALUE}(?:/[1-9]\\d?)?)?)$`);
const FIELDS = ['minute', 'hour', 'day of month', 'month', 'day of week'] as const;
/** Where looking for a first run begins. */
const FROM = new Date('2026-01-01T00:00:00Z');

/** What is wrong with when a schedule runs, with what to do; undefined where nothing is. */
export function timingProblem(timing: ConfiguredTiming): string | undefined {
  const { every, cron, timeZone = 'UTC', jitter } = timing;
  // What is no duration was complained about already.
  if ([every ?? jitter, jitter].some((text) => parseDuration(text) === undefined)) return undefined;
  if (every !== undefined && durationMs(every) < SHORTEST_MS) return 'expected one second or more';
  if (cron !== undefined) {
    const problem = cronProblem(cron) ?? timeZoneProblem(timeZone) ?? refusalOf(cron, timeZone);
    if (problem !== undefined) return problem;
  }
  const { shortest } = periodsOf(timingOf(timing));
  if (durationMs(jitter) < shortest) return undefined;
  return `jitter ${jitter} is not shorter than the time between two runs`;
}

/** @throws RangeError for one that was not checked */
export function timingOf({ every, cron, timeZone = 'UTC' }: ConfiguredTiming): ScheduleTiming {
  if (every !== undefined) return { everyMs: durationMs(every) };
  if (cron !== undefined) return { cron: cron.trim().split(/\s+/).join(' '), timeZone };
  throw new RangeError('a schedule has one of every and cron');
}

/** The shortest and the longest time between two runs. */
export function periodsOf(timing: ScheduleTiming): ScheduleDefinition['periodMs'] {
  if ('everyMs' in timing) return { shortest: timing.everyMs, longest: timing.everyMs };
  return cronPeriods(timing.cron, timing.timeZone);
}

/** The next times, without jitter, as they will be unless Temporal is away. */
export function nextRuns(
  timing: ScheduleTiming,
  { count, after }: { readonly count: number; readonly after: Date },
): readonly Date[] {
  if ('everyMs' in timing) {
    const { everyMs } = timing;
    const first = Math.floor(after.getTime() / everyMs) + 1;
    return Array.from({ length: count }, (_, index) => new Date((first + index) * everyMs));
  }
  return parse(timing.cron, timing.timeZone).nextRuns(count, after);
}

function parse(cron: string, timezone: string): Cron {
  return new Cron(cron, { mode: '5-part', timezone, paused: true });
}

function cronProblem(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return 'expected five fields: minute hour day-of-month month day-of-week';
  const odd = fields.findIndex((field) => !field.split(',').every((part) => FIELD.test(part)));
  if (odd >= 0) {
    return `${FIELDS[odd]} ${JSON.stringify(fields[odd])}: expected *, numbers, names such as MON, lists, ranges, or steps such as */15`;
  }
  const [, , dayOfMonth = '', , dayOfWeek = ''] = fields;
  if (dayOfMonth === '*' || dayOfWeek === '*') return undefined;
  return 'day of month and day of week are both set, and programs differ in whether one or both must match: make two schedules';
}

function timeZoneProblem(timeZone: string): string | undefined {
  try {
    Intl.DateTimeFormat('en', { timeZone });
    return undefined;
  } catch {
    // What it throws says no more than this.
    const near = nearestName(timeZone, Intl.supportedValuesOf('timeZone'));
    return `time zone ${JSON.stringify(timeZone)} is not known${near === undefined ? '' : `: did you mean ${near}?`}`;
  }
}

function refusalOf(cron: string, timeZone: string): string | undefined {
  try {
    return parse(cron, timeZone).nextRuns(2, FROM).length === 2 ? undefined : 'no day is one of these';
  } catch (error) {
    return messageOf(error).replace(/^CronPattern: /, '');
  }
}
