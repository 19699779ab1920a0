import type { VerificationBudget } from '../oldest-first.ts';

/** What a schedule can start. */
export const SCHEDULED_TYPES = ['full', 'incremental', 'cleanup', 'verify', 'drill', 'evaluate'] as const;
export type ScheduledType = (typeof SCHEDULED_TYPES)[number];

/** What one run of a schedule does. */
export type ScheduledWork =
  | { readonly type: 'full' | 'incremental' | 'cleanup' | 'evaluate' }
  | { readonly type: 'verify'; readonly budget: VerificationBudget }
  | { readonly type: 'drill'; readonly point: 'newest' | 'random' };

/** When it runs: at multiples of a time since 1970 in UTC, or as a line of cron says. */
export type ScheduleTiming = { readonly everyMs: number } | { readonly cron: string; readonly timeZone: string };

/** A schedule as it is configured. */
export interface ScheduleDefinition {
  readonly name: string;
  readonly work: ScheduledWork;
  readonly timing: ScheduleTiming;
  /** A run begins so much later at most, by lot. */
  readonly jitterMs: number;
  /** Shortest and longest time between two runs. */
  readonly periodMs: { readonly shortest: number; readonly longest: number };
}

/** Of the shortest period: a run that ends later would take the place of the next one. */
const PATIENCE_SHARE = 0.8;
const PATIENCE_MAX_MS = 86_400_000;

/** How long a run waits for the group, and tries again what may pass, before it gives its period up. */
export function patienceOf({ periodMs }: Pick<ScheduleDefinition, 'periodMs'>): number {
  return Math.min(PATIENCE_MAX_MS, Math.floor(periodMs.shortest * PATIENCE_SHARE));
}

/** `incremental backup`: what people read. */
export const WORK_NAMES: Readonly<Record<ScheduledType, string>> = {
  full: 'full backup',
  incremental: 'incremental backup',
  cleanup: 'cleanup',
  verify: 'verification of what was verified longest ago',
  drill: 'recovery drill',
  evaluate: 'evaluation of recovery plans',
};
