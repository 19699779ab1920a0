import type { EvaluatePlanInput, EvaluatePlanResult, StepForecast } from '../contract/plan.ts';
import { forecastStep } from './plan/forecast-step.ts';
import { control } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Asks of every step what it would do now, and whether anything is in its way; changes nothing, and runs beside the group's lock. A plan in
 * which nothing is found can be recorded as verified.
 */
export async function evaluatePlanWorkflow(input: EvaluatePlanInput): Promise<EvaluatePlanResult> {
  const { plan, digest, definition, requestedBy } = input;
  const progress = trackProgress(`evaluation of recovery plan ${plan.name}`);
  return cancellable(progress, async () => {
    progress.enter('planning', `checking plan ${digest}`);
    await control('decide', 'check the plan').acceptPlan({ plan, digest });
    const steps: StepForecast[] = [];
    for (const step of plan.steps) {
      progress.enter('evaluating', step.name);
      steps.push(await forecastStep(input, step));
    }
    const isPossible = steps.every(({ problem }) => problem === '');
    const verification =
      definition !== null && isPossible
        ? await control('decide', 'record that it is verified').recordVerification({
            verification: { planId: plan.id, definition, by: requestedBy, how: 'evaluation' },
          })
        : null;
    progress.enter('done', isPossible ? 'nothing is in the way of any step' : 'a step could not be done');
    return { planId: plan.id, digest, steps, verification };
  });
}
