import { formatDuration } from '../../../domain/duration.ts';
import type { ScheduleDefinition } from '../../../domain/schedule/schedule.ts';
import {
  isStanding,
  type ScheduledOutcome,
  type ScheduledRun,
  type ScheduleState,
  type ScheduleStatus,
} from '../../../domain/schedule/schedule-health.ts';
import type { Colors } from '../../output.ts';

type Color = 'green' | 'yellow' | 'red' | 'dim';

const STATES: Record<ScheduleState, Color> = {
  active: 'green',
  paused: 'yellow',
  off: 'dim',
  'not-applied': 'red',
  outdated: 'red',
  stray: 'yellow',
};

const OUTCOMES: Record<ScheduledOutcome, Color> = {
  running: 'yellow',
  done: 'green',
  alarm: 'red',
  skipped: 'red',
  failed: 'red',
  cancelled: 'red',
  unknown: 'dim',
};

/** A schedule as JSON has it: when it runs in fields of its own. */
export function scheduleJson({ definition, ...status }: ScheduleStatus): Readonly<Record<string, unknown>> {
  const timing = definition?.timing;
  return {
    ...status,
    everyMs: timing !== undefined && 'everyMs' in timing ? timing.everyMs : null,
    cron: timing !== undefined && 'cron' in timing ? timing.cron : null,
    timeZone: timing !== undefined && 'cron' in timing ? timing.timeZone : null,
    jitterMs: definition?.jitterMs ?? null,
  };
}

/** A paragraph: what it is, its next runs, its newest ones, what is wrong. */
export function describeSchedule(status: ScheduleStatus, colors: Colors): string[] {
  const { name, type, state, note, definition, nextRuns, recentRuns, problems } = status;
  const when = definition === null ? 'no longer configured' : describeTiming(definition);
  return [
    `${name.padEnd(16)}  ${colors[STATES[state]](state)}  ${[type, when].filter(Boolean).join(', ')}`,
    ...(note === null ? [] : [`  ${note}`]),
    ...(nextRuns.length === 0 ? [] : [`  next  ${nextRuns.join(', ')}`]),
    ...recentRuns.slice(0, 1).map((run) => `  last  ${describeRun(run, colors)}`),
    ...problems.map(
      (problem) => `  ${isStanding(problem) ? colors.red(problem.kind) : problem.kind}: ${problem.message}`,
    ),
  ];
}

function describeTiming({ timing, jitterMs }: ScheduleDefinition): string {
  const when = 'everyMs' in timing ? `every ${formatDuration(timing.everyMs)}` : `${timing.cron} ${timing.timeZone}`;
  return jitterMs === 0 ? when : `${when}, up to ${formatDuration(jitterMs)} later`;
}

function describeRun({ startedAt, outcome, message }: ScheduledRun, colors: Colors): string {
  return `${startedAt}  ${colors[OUTCOMES[outcome]](outcome)}${message === '' ? '' : `: ${message}`}`;
}

/** Lines of `status`; none where nothing is scheduled. */
export function describeSchedules(schedules: readonly ScheduleStatus[], colors: Colors): string[] {
  const shown = schedules.filter(({ state }) => state !== 'off');
  return shown.map(({ name, state, nextRuns, lastDone, problems }) => {
    const standing = problems.filter(isStanding);
    const what = standing.length === 0 ? colors[STATES[state]](state) : colors.red(standing[0]?.kind ?? '');
    const why = standing[0] === undefined ? '' : `: ${standing[0].message}`;
    const last = lastDone === null ? '' : `, last ${lastDone.startedAt}`;
    const next = nextRuns[0] === undefined ? '' : `, next ${nextRuns[0]}`;
    const counts = problems.filter((problem) => !isStanding(problem)).map(({ kind, count }) => `, ${count} ${kind}`);
    return `schedule ${name}: ${what}${why}${last}${next}${counts.join('')}`;
  });
}
