import { digestOf } from '../../config/plans/plan-digest.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { everyAction } from '../../domain/plan/every-action.ts';
import type { ResolvedPlan, StepAction } from '../../domain/plan/recovery-plan.ts';
import type { FailoverSite } from '../../failover/site.ts';
import type { Endpoints } from '../../services/endpoints.ts';
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
  for (const { action } of everyAction(plan)) requireConfigured(deps, action);
}

/** What a step names must be there. */
function requireConfigured(deps: Dependencies, { type, config }: StepAction): void {
  if (type === 'service') requireNames('SERVICE_UNKNOWN', config.services, deps.services.names);
  if (type === 'command') requireNames('COMMAND_UNKNOWN', [config.command], deps.commands.names);
  if (type === 'notification' && config.channels !== 'all') deps.notifications.choose(config.channels);
  if (type === 'failover' || type === 'promote') requireRegion(deps, config.targetRegion);
  if (type === 'fence') requirePostgres(requireRegion(deps, config.targetRegion));
  if (type === 'repoint') {
    requireEndpoints(deps.endpoints, config.endpoints);
    requireRegion(deps, config.targetRegion);
  }
  if (type === 'rejoin') requireRegion(deps, config.region);
  if (type === 'validation' && config.checks !== 'configured') {
    const kinds = config.checks.map((check) => (check.type === 'redis' ? 'redis' : 'postgres'));
    for (const kind of new Set(kinds)) configured(deps.settings, kind);
  }
}

/** One of a kind that cannot be led anywhere is refused although others could be: clients of it would be left behind. */
function requireEndpoints({ names, unavailable }: Endpoints, wanted: readonly string[] | 'all'): void {
  const off = unavailable.find((name) => wanted === 'all' || wanted.includes(name));
  if (off !== undefined) {
    const message = `repoint ${off}: endpoints of another type than command are not available in this version`;
    throw new LifeboatError('PLAN_STEP_UNAVAILABLE', message, { details: { endpoint: off } });
  }
  requireNames('ENDPOINT_UNKNOWN', wanted, names);
}

/** Redis has nothing that keeps a stopped master from coming back as one. */
function requirePostgres({ postgres }: FailoverSite): void {
  if (postgres.size > 0) return;
  throw new LifeboatError(
    'PLAN_INVALID',
    'fence a region: `failover.regions` has no PostgreSQL, and Redis has no fence',
  );
}

const KINDS = { SERVICE_UNKNOWN: 'service', COMMAND_UNKNOWN: 'command', ENDPOINT_UNKNOWN: 'endpoint' } as const;

function requireNames(code: keyof typeof KINDS, wanted: readonly string[] | 'all', known: readonly string[]): void {
  if (wanted === 'all') return;
  const missing = wanted.find((name) => !known.includes(name));
  if (missing === undefined) return;
  const what = KINDS[code];
  throw new LifeboatError(code, `find ${what} ${missing}: not configured`, { details: { [what]: missing, known } });
}
