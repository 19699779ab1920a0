import { isCancellation } from '@temporalio/workflow';
import type { StepForecast } from '../contract/plan.ts';
import type {
  EvaluatedPlan,
  EvaluatePlansInput,
  EvaluatePlansResult,
  ListedPlan,
  PlanEvaluation,
  Readiness,
} from '../contract/schedule.ts';
import { judgeEvaluation, type PlanFinding } from '../domain/plan/evaluation.ts';
import { forecastStep } from './plan/forecast-step.ts';
import { control } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { failureOf } from './support/compensation.ts';
import { trackProgress, type WorkflowProgress } from './support/progress.ts';

/**
 * Evaluates every recovery plan of the worker's configuration: what its steps would do now, what all of them stand on, and how much would be
 * lost. Keeps the result of each in the repository; a plan with nothing in its way, and that is as it was never verified, is verified with
 * it. Changes nothing else, and runs beside the group's lock.
 */
export async function evaluatePlansWorkflow(input: EvaluatePlansInput): Promise<EvaluatePlansResult> {
  const { group } = input;
  const progress = trackProgress('evaluation of all recovery plans');
  return cancellable(progress, async () => {
    progress.enter('planning', 'reading the plans');
    const { plans } = await control('decide', 'read the plans').listPlans({ group });
    progress.enter('looking', 'at servers, journals, store and targets');
    const readiness = await control('decide', 'look at what plans stand on').surveyReadiness({ group });
    const evaluated: EvaluatedPlan[] = [];
    for (const listed of plans) {
      const { planId, state, findings } = await evaluate(progress, { input, listed, readiness });
      evaluated.push({ planId, state, findings });
    }
    const wanting = evaluated.filter(({ state }) => state === 'action-required').length;
    progress.enter('done', `${evaluated.length} plans, ${wanting} with something in their way`);
    return { plans: evaluated };
  });
}

interface Evaluating {
  readonly input: EvaluatePlansInput;
  readonly listed: ListedPlan;
  readonly readiness: Readiness;
}

async function evaluate(progress: WorkflowProgress, { input, listed, readiness }: Evaluating): Promise<PlanEvaluation> {
  const { planId, definition, name } = listed;
  progress.enter('evaluating', name);
  const { state, findings } = await judge({ input, listed, readiness });
  progress.note(`${planId}: ${findings.length === 0 ? state : findings.map(({ message }) => message).join('; ')}`);
  return control('decide', `keep what was found of ${planId}`).keepEvaluation({
    evaluation: { planId, state, findings, definition, by: input.requestedBy },
  });
}

async function judge({ input, listed, readiness }: Evaluating): Promise<Pick<PlanEvaluation, 'state' | 'findings'>> {
  const { prepared, problems, open } = listed;
  const invalid = problems.map((message): PlanFinding => ({ step: null, code: 'PLAN_INVALID', message }));
  if (invalid.length > 0) return { state: 'action-required', findings: invalid };
  if (prepared === null) {
    const message = `nobody can say: the parameters ${open.join(', ')} have no value of their own`;
    return { state: 'unknown', findings: [{ step: null, code: 'PLAN_PARAMETERS_OPEN', message }] };
  }
  const { plan } = prepared;
  // Some steps would make the repository that they ask.
  const asked = readiness.hasRepository ? await askSteps(input, prepared) : { steps: [] };
  const steps = 'refused' in asked ? [] : asked.steps;
  const judged = judgeEvaluation({ steps, ...readiness, rpoMs: plan.objectives.rpoMs });
  const findings = 'refused' in asked ? [asked.refused, ...judged] : judged;
  return { state: findings.length === 0 ? 'passed' : 'action-required', findings };
}

/** A plan that the worker does not take has that as its finding, and hides no other plan. */
async function askSteps(
  asked: EvaluatePlansInput,
  { plan, digest }: NonNullable<ListedPlan['prepared']>,
): Promise<{ readonly steps: readonly StepForecast[] } | { readonly refused: PlanFinding }> {
  try {
    await control('decide', `check plan ${plan.id}`).acceptPlan({ plan, digest });
    const input = { ...asked, plan, digest, mode: 'graceful', definition: null } as const;
    const steps: StepForecast[] = [];
    for (const step of plan.steps) steps.push(await forecastStep(input, step));
    return { steps };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { message, type } = failureOf(error);
    if (type === undefined) throw error;
    return { refused: { step: null, code: type, message } };
  }
}
