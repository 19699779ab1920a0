import type { Check, ComponentName } from '../backup.ts';
import { describeDuration } from '../drill/describe-duration.ts';
import type { RecoveryPointAges } from '../recovery-point-age.ts';

/** What is in the way of a plan. */
export interface PlanFinding {
  /** Null: of what every plan stands on. */
  readonly step: string | null;
  readonly code: string;
  readonly message: string;
}

/** What was found out about a plan. */
export interface EvaluationFacts {
  /** What each step would do; `problem` is empty where nothing is in its way. */
  readonly steps: readonly { readonly id: string; readonly code: string; readonly problem: string }[];
  readonly checks: readonly Check[];
  readonly ages: RecoveryPointAges;
  /** Data loss that the plan accepts, milliseconds; null: none is stated. */
  readonly rpoMs: number | null;
}

/** Everything that is in the way of a plan now, that of its steps first; none: it has passed. */
export function judgeEvaluation({ steps, checks, ages, rpoMs }: EvaluationFacts): readonly PlanFinding[] {
  return [
    ...steps
      .filter(({ problem }) => problem !== '')
      .map(({ id, code, problem }) => ({ step: id, code, message: problem })),
    ...checks
      .filter(({ status }) => status === 'fail')
      .map(({ name, actual, message }) => ({ step: null, code: actual, message: `${name}: ${message}` })),
    ...(rpoMs === null ? [] : (['postgres', 'redis'] as const).flatMap((name) => tooOld(name, ages[name], rpoMs))),
  ];
}

/** Of a component that is not there nothing is asked; one of which nothing could be restored has no age. */
function tooOld(name: ComponentName, age: number | null | undefined, rpoMs: number): PlanFinding[] {
  if (age === undefined) return [];
  const allowed = `where ${describeDuration(rpoMs)} are acceptable`;
  if (age === null) {
    return [
      { step: null, code: 'RPO_EXCEEDED', message: `all of ${name} would be lost: no backup holds it, ${allowed}` },
    ];
  }
  if (age <= rpoMs) return [];
  const message = `the last ${describeDuration(age)} of ${name} would be lost, ${allowed}`;
  return [{ step: null, code: 'RPO_EXCEEDED', message }];
}
