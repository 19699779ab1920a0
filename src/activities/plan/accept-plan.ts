import { digestOf } from '../../config/plans/plan-digest.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { actionsOf, unavailableSteps, type ResolvedPlan, type StepAction } from '../../domain/plan/recovery-plan.ts';
import type { Dependencies } from '../dependencies.ts';
import { requireRegion } from '../failover/configured-site.ts';
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
function requireAvailable(plan: ResolvedPlan): void {
  const [first] = unavailableSteps(plan);
  if (first === undefined) return;
  const message = `plan ${plan.id}: step ${first.id}: step type ${first.type} is not available in this version`;
  throw new LifeboatError('PLAN_STEP_UNAVAILABLE', message, { details: { step: first.id, type: first.type } });
}

/** What a step names must be there. */
function requireConfigured(deps: Dependencies, { type, config }: StepAction): void {
  if (type === 'service') requireNames('SERVICE_UNKNOWN', config.services, deps.services.names);
  if (type === 'command') requireNames('COMMAND_UNKNOWN', [config.command], deps.commands.names);
  if (type === 'notification' && config.channels !== 'all') deps.notifications.choose(config.channels);
  if (type === 'failover') requireRegion(deps, config.targetRegion);
  if (type === 'validation' && config.checks !== 'configured') {
    const kinds = config.checks.map((check) => (check.type === 'redis' ? 'redis' : 'postgres'));
    for (const kind of new Set(kinds)) configured(deps.settings, kind);
  }
  if (type !== 'plan') return;
  for (const step of config.plan.steps) for (const one of actionsOf(step)) requireConfigured(deps, one);
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
