import { createHash } from 'node:crypto';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleOptions, ScheduleSpec } from '@temporalio/client';
import { scheduledWorkflowId, scheduleId, taskQueue, WORKFLOWS } from '../../contract/names.ts';
import type { ScheduledInput } from '../../contract/schedule.ts';
import { patienceOf, type ScheduleDefinition, WORK_NAMES } from '../../domain/schedule/schedule.ts';
import { operationAttributes } from '../operation.ts';

/** Raised when a schedule is made in another way of the same definition: what is in Temporal is then brought up to it. */
const FORM = 1;
/** Temporal takes no shorter one. */
const SHORTEST_CATCH_UP_MS = 10_000;
/** In the memo of what a schedule starts: what it was made from. */
const DIGEST = 'lifeboatSchedule';

/** A schedule as Temporal takes it. One that was away for longer than a period leaves what it missed. */
export function scheduleOptions(group: string, definition: ScheduleDefinition): ScheduleOptions {
  const { name, work, periodMs } = definition;
  const requestedBy = `schedule ${name}`;
  const input: ScheduledInput = { group, requestedBy, schedule: name, work, patienceMs: patienceOf(definition) };
  return {
    scheduleId: scheduleId(group, name),
    spec: specOf(definition),
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOWS.scheduled,
      workflowId: scheduledWorkflowId(group, name),
      taskQueue: taskQueue('control', group),
      args: [input],
      memo: { requestedBy, [DIGEST]: digestOf(definition) },
      staticSummary: `${WORK_NAMES[work.type]}, by the schedule ${name}`,
      typedSearchAttributes: operationAttributes(group, 'scheduled'),
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: Math.max(SHORTEST_CATCH_UP_MS, periodMs.shortest),
      pauseOnFailure: false,
    },
    typedSearchAttributes: operationAttributes(group, 'schedule'),
  };
}

function specOf({ timing, jitterMs }: ScheduleDefinition): ScheduleSpec {
  const jitter = jitterMs;
  if ('everyMs' in timing) return { intervals: [{ every: timing.everyMs }], jitter };
  return { cronExpressions: [timing.cron], timezone: timing.timeZone, jitter };
}

/** Of all that a schedule is made from: Temporal gives a cron line back in another form. */
export function digestOf(definition: ScheduleDefinition): string {
  return createHash('sha256')
    .update(JSON.stringify({ form: FORM, ...definition }))
    .digest('hex');
}

/** What a schedule in Temporal was made from; undefined for one that Lifeboat did not make. */
export function digestIn(memo: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const digest = memo?.[DIGEST];
  return typeof digest === 'string' ? digest : undefined;
}
