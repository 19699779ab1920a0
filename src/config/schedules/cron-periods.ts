import { Cron } from 'croner';
import type { ScheduleDefinition } from '../../domain/schedule/schedule.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** Days that are looked at: two months in full, or years of a line that is seldom. */
const DAYS = 70;
/** Where looking begins: the answer must not depend on when it is asked for. */
const FROM = new Date('2026-01-01T00:00:00Z');
/** Clocks are put forward and back by this much where a time zone does so. */
const CLOCK_CHANGE_MS = 3_600_000;

/** The shortest and the longest time between two runs of a line whose fields were checked. */
export function cronPeriods(cron: string, timeZone: string): ScheduleDefinition['periodMs'] {
  const [minutes = '', hours = '', ...day] = cron.split(' ');
  const times = timesOf(minutes, hours);
  const within = gapsOf(times);
  const overnight = daysApart(day.join(' ')).map((days) => days * DAY_MINUTES - (times.at(-1) ?? 0) + (times[0] ?? 0));
  const gaps = [...within, ...overnight].map((gap) => gap * MINUTE_MS);
  const [shortest, longest] = [Math.min(...gaps), Math.max(...gaps)];
  if (timeZone === 'UTC') return { shortest, longest };
  const isShort = shortest < 2 * CLOCK_CHANGE_MS;
  return { shortest: isShort ? shortest : shortest - CLOCK_CHANGE_MS, longest: longest + CLOCK_CHANGE_MS };
}

/** Minutes of a day, ascending. */
function timesOf(minutes: string, hours: string): readonly number[] {
  const ofHour = valuesOf(minutes, 59);
  return valuesOf(hours, 23).flatMap((hour) => ofHour.map((minute) => hour * 60 + minute));
}

/** `1,10-14,20-30/5`, `*`, steps of them: every value, ascending, each once. */
function valuesOf(field: string, last: number): readonly number[] {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [from = '0', to = from] = range === '*' ? ['0', String(last)] : range.split('-');
    for (let value = Number(from); value <= Number(to); value += Number(step)) found.add(value);
  }
  return [...found].toSorted((a, b) => a - b);
}

function gapsOf(ascending: readonly number[]): readonly number[] {
  return ascending.slice(1).map((value, index) => value - (ascending[index] ?? 0));
}

/** Days between days on which it runs. */
function daysApart(day: string): readonly number[] {
  const runs = new Cron(`0 0 ${day}`, { mode: '5-part', timezone: 'UTC', paused: true }).nextRuns(DAYS, FROM);
  return gapsOf(runs.map((run) => Math.round(run.getTime() / (DAY_MINUTES * MINUTE_MS))));
}
