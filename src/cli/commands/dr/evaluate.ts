import type { DisasterRecoveryManager, RunPlanOptions } from '../../../client/disaster-recovery-manager.ts';
import type { EvaluatePlanResult, StepForecast } from '../../../contract/plan.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { CommandContext } from '../../command.ts';
import { awaitOperation } from '../await-operation.ts';

/** What is in the way of a step. */
export interface Finding {
  readonly step: string;
  readonly code: string;
  readonly message: string;
}

/** Asks of every step what it would do now, and waits for the answer. */
export async function evaluate(
  context: CommandContext,
  manager: DisasterRecoveryManager,
  { plan, ...options }: RunPlanOptions & { readonly plan: string; readonly record: boolean },
): Promise<EvaluatePlanResult & { readonly findings: readonly Finding[] }> {
  const result = await awaitOperation(context, await manager.startEvaluation(plan, options));
  const findings = result.steps
    .filter(({ problem }) => problem !== '')
    .map(({ id, code, problem }) => ({ step: id, code, message: problem }));
  return { ...result, findings };
}

/** What steps would do, a line each. */
export function describeForecast(steps: readonly StepForecast[]): string[] {
  return steps.flatMap(({ id, order, would, problem, code }) => {
    const lines = problem === '' ? would : [`cannot: ${problem} (${code})`];
    return [`  ${order}. ${id} would`, ...lines.map((line) => `       ${line}`)];
  });
}

/** The failure of a plan that could not be run now; undefined where it could. */
export function impossible(planId: string, findings: readonly Finding[]): { readonly failure?: LifeboatError } {
  if (findings.length === 0) return {};
  const said = findings.map(({ step, message }) => `step ${step}: ${message}`).join('; ');
  return {
    failure: new LifeboatError('PLAN_INVALID', `plan ${planId}: ${said}`, {
      details: { plan: planId, steps: findings.map(({ step }) => step) },
    }),
  };
}
