import type { PlanSeen } from '../../domain/alerts/alert-facts.ts';
import { type DrillState, drillState } from '../../domain/drill/drill-state.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { planStateOf } from '../../domain/plan/plan-state.ts';
import type { TargetFacts } from '../../domain/target-facts.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Dependencies } from '../dependencies.ts';
import { readDrills } from '../drill/read-drills.ts';
import { readTargets } from '../read-targets.ts';

/** Without targets nothing is asked. Where the repository cannot be compared with them, nothing is known of any. */
export async function lookAtTargets(deps: Dependencies, operation: Operation): Promise<readonly TargetFacts[]> {
  const targets = deps.targets.length === 0 ? [] : await readTargets(deps, operation);
  const unknown = targets.find(({ state }) => state === 'unknown');
  if (unknown !== undefined) throw new LifeboatError('STORE_IO', unknown.lastError ?? 'the repository cannot be read');
  return targets;
}

export async function lookAtDrills(deps: Dependencies, repository: Repository | null): Promise<DrillState> {
  const { drills, everyMs } =
    repository === null ? { drills: [], everyMs: deps.settings.drill.everyMs } : await readDrills(deps, undefined);
  return drillState(drills, everyMs, Date.now());
}

/** Plans that somebody has written. The one that is built in changes with the program alone: it counts once somebody has verified it. */
export async function lookAtPlans(deps: Dependencies, repository: Repository | null): Promise<readonly PlanSeen[]> {
  const summaries = deps.plans.list();
  const looked = await Promise.all(
    summaries.map(async ({ id, name, file, definition, problems }): Promise<PlanSeen | null> => {
      const verification = await repository?.plans.verificationOf(id);
      if (file === null && verification === undefined) return null;
      const state = planStateOf({ definition, problems }, verification ?? null);
      return { id, name, state, problem: problems[0] ?? '' };
    }),
  );
  return looked.filter((one) => one !== null);
}
