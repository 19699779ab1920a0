import type { ListedPlan, PlanEvaluation, ScheduleControl } from '../../contract/schedule.ts';
import type { PlanLibrary, PlanSource } from '../../config/plans/plan-library.ts';
import type { Dependencies } from '../dependencies.ts';
import { requireNotLost } from '../lost-repository.ts';
import { withOperation } from '../operation.ts';
import { surveyReadiness } from './survey-readiness.ts';

/** An answer stays far below Temporal's limit on a payload; who has more plans evaluates the rest by hand. */
const MAX_PLANS = 100;

export function createScheduleActivities(deps: Dependencies): ScheduleControl {
  const { settings, plans } = deps;
  return {
    listPlans: () =>
      withOperation(settings, async () => {
        const wanted = plans.list().slice(0, MAX_PLANS);
        return {
          plans: wanted.map(({ id, problems, name, definition }) => listed(plans, { id, problems, name, definition })),
        };
      }),
    surveyReadiness: () => withOperation(settings, (operation) => surveyReadiness(deps, operation)),
    requireNotLost: () => withOperation(settings, async () => requireNotLost(deps)),
    keepEvaluation: ({ evaluation }) =>
      withOperation(settings, async () => {
        const record: PlanEvaluation = { ...evaluation, at: new Date().toISOString() };
        if (!(await deps.hasRepository())) return record;
        const { plans: records } = await deps.repository();
        await records.keepEvaluation(record);
        await verifyWith(records, record);
        return record;
      }),
  };
}

type Records = Awaited<ReturnType<Dependencies['repository']>>['plans'];

/** Only where nothing says so yet: a record is never changed, and one for every half hour would be a heap. */
async function verifyWith(records: Records, { state, planId, definition, at, by }: PlanEvaluation): Promise<void> {
  if (state !== 'passed') return;
  const known = await records.verificationOf(planId);
  if (known?.definition === definition) return;
  await records.recordVerification({ planId, definition, at, by, how: 'evaluation' });
}

function listed(
  plans: PlanLibrary,
  { id, problems, name, definition }: Pick<ListedPlan, 'problems' | 'name' | 'definition'> & { readonly id: string },
): ListedPlan {
  const known = { planId: id, name, definition, problems };
  if (problems.length > 0) return { ...known, prepared: null, open: [] };
  const source: PlanSource = plans.find(id);
  const open = plans.openParameters(source);
  return { ...known, open, prepared: open.length > 0 ? null : plans.prepare(source) };
}
