import * as z from 'zod';
import { SCHEDULED_TYPES } from '../../domain/schedule/schedule.ts';
import { MANUAL_SCHEDULE, PLANS_SCHEDULE } from '../schedules/schedule-names.ts';
import { timingProblem } from '../schedules/schedule-timing.ts';
import { duration, name, size } from './leaf.ts';

/** The manual's one schedule. */
export const scheduleSection = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Take backups by themselves'),
    interval: duration().default('6h').describe('Time between two of them'),
    type: z.enum(['full', 'incremental']).default('incremental').describe('Kind of backup'),
  })
  .superRefine(({ interval }, context) =>
    complain(context, 'interval', timingProblem({ every: interval, jitter: '0s' })),
  )
  .prefault({});

const schedule = z
  .strictObject({
    type: z.enum(SCHEDULED_TYPES).describe('What it starts'),
    every: duration().optional().describe('Time between two runs, counted from 1970 in UTC: `6h` is 00:00, 06:00, …'),
    cron: z.string().optional().describe('Five fields, instead of `every`'),
    timeZone: z.string().default('UTC').describe('IANA time zone of `cron`'),
    jitter: duration().default('0s').describe('A run begins so much later at most, by lot'),
    budgetBytes: size().optional().describe('Of `verify`: begin no further backup beyond so much'),
    budgetTime: duration().optional().describe('Of `verify`: begin no further backup after so long'),
    point: z.enum(['newest', 'random']).optional().describe('Of `drill`: what is restored; `newest` unless it is set'),
    enabled: z.boolean().default(true).describe('Off: Temporal does not have it'),
  })
  .superRefine((one, context) => {
    if ((one.every === undefined) === (one.cron === undefined)) {
      return complain(context, 'every', 'expected one of every and cron');
    }
    complain(context, one.cron === undefined ? 'every' : 'cron', timingProblem(one));
    if (one.type !== 'verify') {
      for (const key of ['budgetBytes', 'budgetTime'] as const) {
        if (one[key] !== undefined) complain(context, key, `only a schedule of type verify has one, not ${one.type}`);
      }
    }
    if (one.type !== 'drill' && one.point !== undefined) {
      complain(context, 'point', `only a schedule of type drill has one, not ${one.type}`);
    }
  });

/** Schedules by name. */
export const schedulesSection = z
  .record(name(), schedule)
  .superRefine((schedules, context) => {
    for (const taken of [MANUAL_SCHEDULE, PLANS_SCHEDULE] as const) {
      if (!Object.hasOwn(schedules, taken.name)) continue;
      complain(context, taken.name, `the name is that of the schedule that ${taken.key} makes: take another`);
    }
  })
  .default({})
  .describe('Schedules by name');

function complain(context: z.core.$RefinementCtx, key: string, message: string | undefined): void {
  if (message !== undefined) context.issues.push({ code: 'custom', message, path: [key], input: undefined });
}
