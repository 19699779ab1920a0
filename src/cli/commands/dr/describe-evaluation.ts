import type { PlanWithState } from '../../../client/disaster-recovery-manager.ts';

/** Lines about what the last evaluation found; one that says so where there was none. */
export function describeEvaluation({ evaluation }: Pick<PlanWithState, 'evaluation'>): string[] {
  if (evaluation === null) return ['  not evaluated yet as it is written now'];
  const { at, state, findings } = evaluation;
  return [
    `  evaluated ${at}: ${state}`,
    ...findings.map(({ step, message, code }) => `    ${step === null ? '' : `${step}: `}${message} (${code})`),
  ];
}
