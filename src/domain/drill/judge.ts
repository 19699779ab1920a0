import type { Check } from '../backup.ts';
import { describeDuration } from './describe-duration.ts';
import type { DrillOutcome, DrillPlan, DrillVerdict, Objectives } from './drill.ts';

/** What a drill achieved, milliseconds. */
export interface Measured {
  readonly rtoMs: number | null;
  readonly rpoMs: number | null;
  readonly behindNewestMs: number | null;
}

/** The figures of a drill. `startedAt` is the moment at which the servers are taken to be lost. */
export function measure(plan: DrillPlan | null, outcome: DrillOutcome | null, startedAt: string): Measured {
  const newestMs = plan === null ? null : Date.parse(plan.newestAt);
  return {
    rtoMs: outcome?.rtoMs ?? null,
    rpoMs: newestMs === null ? null : Math.max(0, Date.parse(startedAt) - newestMs),
    behindNewestMs:
      plan === null || newestMs === null ? null : Math.max(0, newestMs - Date.parse(plan.recoveryPoint.time)),
  };
}

/** The two objectives as checks; a skip where none is set or nothing was measured. */
export function objectiveChecks({ rtoMs, rpoMs }: Measured, objectives: Objectives): Check[] {
  return [
    objectiveCheck('RTO objective', { measuredMs: rtoMs, allowedMs: objectives.rtoMs, key: 'objectives.rto' }),
    objectiveCheck('RPO objective', { measuredMs: rpoMs, allowedMs: objectives.rpoMs, key: 'objectives.rpo' }),
  ];
}

function objectiveCheck(
  name: string,
  { measuredMs, allowedMs, key }: { measuredMs: number | null; allowedMs: number | null; key: string },
): Check {
  const actual = measuredMs === null ? 'not measured' : describeDuration(measuredMs);
  const expected = allowedMs === null ? 'none set' : `at most ${describeDuration(allowedMs)}`;
  if (allowedMs === null) return { name, status: 'skip', expected, actual, message: `${key} is not set` };
  if (measuredMs === null) return { name, status: 'skip', expected, actual, message: 'the drill did not come so far' };
  const message = measuredMs <= allowedMs ? '' : `${describeDuration(measuredMs - allowedMs)} more than ${key}`;
  return { name, status: measuredMs <= allowedMs ? 'pass' : 'fail', expected, actual, message };
}

/**
 * `fail` where anything is known to be wrong; `incomplete` where something was not tried, or the drill was interrupted; `pass` where
 * all was tried and nothing is wrong. A skip counts for nothing.
 */
export function judgeDrill(found: {
  readonly checks: readonly Check[];
  readonly untried: readonly string[];
  /** Why the drill ended early; null where it did not. */
  readonly interrupted: string | null;
}): { readonly verdict: DrillVerdict; readonly reasons: readonly string[] } {
  const { checks, untried, interrupted } = found;
  const failed = checks.filter(({ status }) => status === 'fail').map(describeFailure);
  const missing = [...untried, ...(interrupted === null ? [] : [interrupted])];
  if (failed.length > 0) return { verdict: 'fail', reasons: [...failed, ...missing] };
  if (missing.length > 0) return { verdict: 'incomplete', reasons: missing };
  if (checks.some(({ status }) => status === 'pass')) return { verdict: 'pass', reasons: [] };
  return { verdict: 'incomplete', reasons: ['nothing was checked'] };
}

function describeFailure({ name, expected, actual, message }: Check): string {
  return `${name}: ${message === '' ? `${actual} instead of ${expected}` : message}`;
}
