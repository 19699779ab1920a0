import { durationMs } from '../../domain/duration.ts';
import type { ScheduleDefinition, ScheduledWork } from '../../domain/schedule/schedule.ts';
import type { Config } from '../schema/config.ts';
import { MANUAL_SCHEDULE, PLANS_SCHEDULE } from './schedule-names.ts';
import { type ConfiguredTiming, periodsOf, timingOf } from './schedule-timing.ts';

/** A schedule, and whether Temporal is to have it. */
export interface ConfiguredSchedule {
  readonly enabled: boolean;
  readonly definition: ScheduleDefinition;
}

type Sections = Pick<Config, 'schedule' | 'schedules' | 'drPlans'>;

/** All that is configured: the manual's one, the evaluation of plans, and those by name. */
export function configuredSchedules({ schedule, schedules, drPlans }: Sections): readonly ConfiguredSchedule[] {
  const { enabled, interval, type } = schedule;
  const { evaluateEvery } = drPlans;
  const evaluates = durationMs(evaluateEvery) > 0;
  return [
    ...(enabled
      ? [{ enabled, definition: define(MANUAL_SCHEDULE.name, { type }, { every: interval, jitter: '0s' }) }]
      : []),
    ...Object.entries(schedules).map(([name, one]) => ({
      enabled: one.enabled,
      definition: define(name, workOf(one), one),
    })),
    ...(evaluates
      ? [
          {
            enabled: true,
            definition: define(PLANS_SCHEDULE.name, { type: 'evaluate' }, { every: evaluateEvery, jitter: '0s' }),
          },
        ]
      : []),
  ];
}

function define(name: string, work: ScheduledWork, configured: ConfiguredTiming): ScheduleDefinition {
  const timing = timingOf(configured);
  return { name, work, timing, jitterMs: durationMs(configured.jitter), periodMs: periodsOf(timing) };
}

function workOf({ type, budgetBytes, budgetTime, point }: Sections['schedules'][string]): ScheduledWork {
  if (type === 'drill') return { type, point: point ?? 'newest' };
  if (type !== 'verify') return { type };
  return { type, budget: { bytes: budgetBytes ?? null, ms: budgetTime === undefined ? null : durationMs(budgetTime) } };
}
