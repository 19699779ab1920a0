import { actionsOf, type ResolvedPlan, type StepAction } from './recovery-plan.ts';

/** Everything that a plan may do, with the step that does it; nested plans in their place, and compensations among it. */
export function everyAction(plan: ResolvedPlan): readonly { readonly id: string; readonly action: StepAction }[] {
  return plan.steps.flatMap((step) =>
    actionsOf(step).flatMap((action) => [
      { id: step.id, action },
      ...(action.type === 'plan' ? everyAction(action.config.plan) : []),
    ]),
  );
}
