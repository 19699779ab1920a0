import { LifeboatError } from '../../../domain/errors.ts';
import { isStanding, type ScheduleStatus } from '../../../domain/schedule/schedule-health.ts';
import { type Command, type CommandContext, type CommandResult, defineCommand } from '../../command.ts';
import { required, value } from '../../options.ts';
import { whereabouts } from '../await-operation.ts';
import { describeSchedule, scheduleJson } from './describe-schedule.ts';
import { withSchedules } from './with-schedules.ts';

const FIELDS =
  '{name, type, state: active|paused|off|not-applied|outdated|stray, note, everyMs, cron, timeZone, jitterMs, createdAt, nextRuns[], recentRuns[] {workflowId, runId, scheduledAt, startedAt, outcome: running|done|alarm|skipped|failed|cancelled|unknown, message}, lastDone, missed, overlapped, problems[] {schedule, kind: failed|skipped|alarm|overdue|missed|overlapped|not-applied, message, count}}';

const NAME = required('name of a schedule, as `schedule list` shows it');

/** `schedule list`: what runs by itself, when next, and how it went. */
const scheduleList = defineCommand({
  name: 'schedule list',
  summary: 'what runs by itself: when next, how the last runs went, and what was missed',
  description:
    'A schedule that is overdue, or whose newest run failed, was skipped or found damage, is a failure. Runs that were missed or overlapped are counted since the schedule was made.',
  arguments: {},
  options: {},
  examples: ['schedule list', 'schedule list --json | jq ".schedules[] | {name, state, nextRuns, problems}"'],
  answers: [`schedules[] ${FIELDS}`],
  exits: [3, 7],
  run: (context) =>
    withSchedules(context, async (manager) => {
      const schedules = await manager.listSchedules();
      return {
        json: { schedules: schedules.map(scheduleJson) },
        text: () =>
          schedules.length === 0
            ? 'nothing is scheduled: docs/guides/schedules.md says how'
            : schedules.map((status) => describeSchedule(status, context.output.colors).join('\n')).join('\n'),
        ...failureOf(schedules),
      };
    }),
});

function failureOf(schedules: readonly ScheduleStatus[]): Pick<CommandResult, 'failure'> {
  const standing = schedules.flatMap(({ problems }) => problems).filter(isStanding);
  if (standing.length === 0) return {};
  const said = standing.map(({ schedule, kind, message }) => `${schedule} ${kind}: ${message}`);
  const details = { schedules: [...new Set(standing.map(({ schedule }) => schedule))] };
  return { failure: new LifeboatError('SCHEDULE_ALARM', said.join('; '), { details }) };
}

/** `schedule apply`: makes Temporal's schedules what is configured. */
const scheduleApply = defineCommand({
  name: 'schedule apply',
  summary: 'make the schedules in Temporal what the configuration says',
  description:
    'A worker does the same when it starts. What has not changed is left alone, a pause stays, and only schedules that Lifeboat made are removed.',
  arguments: {},
  options: {},
  examples: ['schedule apply', 'schedule apply --json'],
  answers: ['schedules[] {name, change: created|updated|unchanged|removed}'],
  exits: [7],
  run: (context) =>
    withSchedules(context, async (manager) => {
      const schedules = await manager.applySchedules();
      return {
        json: { schedules },
        text: () =>
          schedules.length === 0
            ? 'nothing is scheduled: docs/guides/schedules.md says how'
            : schedules.map(({ name, change }) => `${name.padEnd(16)}  ${change}`).join('\n'),
      };
    }),
});

/** `schedule pause NAME --reason TEXT`. */
const schedulePause = defineCommand({
  name: 'schedule pause',
  summary: 'start nothing more by a schedule until it is resumed',
  description: 'What runs goes on. The pause stays when schedules are applied and workers restart.',
  arguments: { name: NAME },
  options: { reason: value('<text>', 'why; shown wherever the schedule is') },
  examples: ['schedule pause nightly-full --reason "storage is moved until Friday"'],
  answers: [`schedules[] ${FIELDS}`],
  exits: [5, 7],
  run: (context, { arguments: { name }, options }) => {
    const reason = options.reason?.trim() ?? '';
    if (reason === '') {
      throw new LifeboatError('USAGE_INVALID', 'schedule pause: no --reason', {
        hint: 'say why it is paused: whoever finds it so must know whom to ask',
      });
    }
    return withSchedules(context, async (manager) => answer(context, await manager.pauseSchedule(name, reason)));
  },
});

/** `schedule resume NAME`. */
const scheduleResume = defineCommand({
  name: 'schedule resume',
  summary: 'let a schedule that was paused start its runs again',
  arguments: { name: NAME },
  options: { reason: value('<text>', 'why; shown wherever the schedule is') },
  examples: ['schedule resume nightly-full --reason "storage is moved"'],
  answers: [`schedules[] ${FIELDS}`],
  exits: [5, 7],
  run: (context, { arguments: { name }, options }) =>
    withSchedules(context, async (manager) => answer(context, await manager.resumeSchedule(name, options.reason))),
});

function answer({ output }: CommandContext, status: ScheduleStatus): CommandResult {
  return {
    json: { schedules: [scheduleJson(status)] },
    text: () => describeSchedule(status, output.colors).join('\n'),
  };
}

/** `schedule trigger NAME`: a run now. */
const scheduleTrigger = defineCommand({
  name: 'schedule trigger',
  summary: 'start a run of a schedule now, also of one that is paused',
  description: 'It does not wait for the end. While a run of the schedule goes on, no second one is started (exit 6).',
  arguments: { name: NAME },
  options: {},
  examples: ['schedule trigger nightly-full', 'schedule trigger nightly-full --json'],
  answers: ['schedules[] {name}', 'workflowId', 'runId'],
  exits: [5, 6, 7],
  run: (context, { arguments: { name } }) =>
    withSchedules(context, async (manager) => {
      const place = whereabouts(await manager.triggerSchedule(name));
      return {
        json: { schedules: [{ name }], ...place },
        text: () => `started ${place.workflowId}\n  follow: lifeboat attach ${place.workflowId}`,
      };
    }),
});

export const SCHEDULE_COMMANDS: readonly Command[] = [
  scheduleList,
  scheduleApply,
  schedulePause,
  scheduleResume,
  scheduleTrigger,
];
