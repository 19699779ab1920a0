import { LifeboatError } from '../errors.ts';
import {
  actionsOf,
  UNAVAILABLE_TYPES,
  type ResolvedPlan,
  type StepAction,
  type UnavailableType,
} from './recovery-plan.ts';

/** Everything that a plan may do, with the step that does it; nested plans in their place, and compensations among it. */
export function everyAction(plan: ResolvedPlan): readonly { readonly id: string; readonly action: StepAction }[] {
  return plan.steps.flatMap((step) =>
    actionsOf(step).flatMap((action) => [
      { id: step.id, action },
      ...(action.type === 'plan' ? everyAction(action.config.plan) : []),
    ]),
  );
}

/** Steps that this version cannot do. */
export function unavailableSteps(
  plan: ResolvedPlan,
): readonly { readonly id: string; readonly type: UnavailableType }[] {
  return everyAction(plan).flatMap(({ id, action }) => {
    const type = UNAVAILABLE_TYPES.find((unavailable) => unavailable === action.type);
    return type === undefined ? [] : [{ id, type }];
  });
}

/** @throws LifeboatError PLAN_STEP_UNAVAILABLE */
export function requireAvailable(plan: ResolvedPlan): void {
  const [first] = unavailableSteps(plan);
  if (first === undefined) return;
  const message = `plan ${plan.id}: step ${first.id}: step type ${first.type} is not available in this version`;
  throw new LifeboatError('PLAN_STEP_UNAVAILABLE', message, { details: { step: first.id, type: first.type } });
}
