import { digestOf } from '../../config/plans/plan-digest.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { actionsOf, unavailableSteps, type ResolvedPlan, type StepAction } from '../../domain/plan/recovery-plan.ts';
import type { Dependencies } from '../dependencies.ts';
import { configured } from '../sources.ts';

/** See PlanControl.acceptPlan. Everything is looked at before the first step begins: a plan is not half possible. */
export function acceptPlan(
  deps: Dependencies,
  { plan, digest }: { readonly plan: ResolvedPlan; readonly digest: string },
): void {
  const found = digestOf(plan);
  if (found !== digest) {
    throw new LifeboatError('PLAN_DIGEST_MISMATCH', `plan ${plan.id}: its digest is ${found}, not ${digest}`);
  }
  requireAvailable(plan);
  for (const step of plan.steps) for (const action of actionsOf(step)) requireConfigured(deps, action);
}

/** @throws LifeboatError PLAN_STEP_UNAVAILABLE */
export function requireAvailable(plan: ResolvedPlan): void {
  const [first] = unavailableSteps(plan);
  if (first === undefined) return;
  const message = `plan ${plan.id}: step ${first.id}: step type ${first.type} is not available in this version`;
  throw new LifeboatError('PLAN_STEP_UNAVAILABLE', message, { details: { step: first.id, type: first.type } });
}

/** What a step names must be there. */
function requireConfigured(deps: Dependencies, action: StepAction): void {
  switch (action.type) {
    case 'service':
      return requireNames('SERVICE_UNKNOWN', action.config.services, deps.services.names);
    case 'command':
      return requireNames('COMMAND_UNKNOWN', [action.config.command], deps.commands.names);
    case 'notification':
      if (action.config.channels !== 'all') deps.notifications.choose(action.config.channels);
      return;
    case 'validation': {
      const { checks } = action.config;
      const kinds = checks === 'configured' ? [] : checks.map(({ type }) => (type === 'redis' ? 'redis' : 'postgres'));
      for (const kind of new Set(kinds)) configured(deps.settings, kind);
      return;
    }
    case 'plan':
      for (const step of action.config.plan.steps) for (const one of actionsOf(step)) requireConfigured(deps, one);
      return;
    default:
      return;
  }
}

function requireNames(
  code: 'SERVICE_UNKNOWN' | 'COMMAND_UNKNOWN',
  wanted: readonly string[] | 'all',
  known: readonly string[],
): void {
  if (wanted === 'all') return;
  const missing = wanted.find((name) => !known.includes(name));
  if (missing === undefined) return;
  const what = code === 'SERVICE_UNKNOWN' ? 'service' : 'command';
  throw new LifeboatError(code, `find ${what} ${missing}: not configured`, { details: { [what]: missing, known } });
}
