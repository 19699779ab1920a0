import type { PlanControl, PlanRecordsInput, PlanRecordsResult, PlanVerification } from '../../contract/plan.ts';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import type { PlanRunView } from '../../domain/plan/run-view.ts';
import type { Dependencies } from '../dependencies.ts';
import { withOperation } from '../operation.ts';
import { requireRegion } from '../failover/configured-site.ts';
import { acceptPlan } from './accept-plan.ts';
import { runChecks } from './run-checks.ts';

/** The event of `notifications` that a recovery is. */
const EVENT = 'recovery';

export function createPlanActivities(deps: Dependencies): PlanControl {
  const { settings, services, commands, endpoints, notifications } = deps;
  return {
    acceptPlan: (input) => withOperation(settings, async () => acceptPlan(deps, input)),
    namesOf: (input) =>
      withOperation(settings, async () => {
        if ('channels' in input) return { names: channelsOf(deps, input.channels) };
        if ('endpoints' in input) return { names: input.endpoints === 'all' ? endpoints.names : input.endpoints };
        // As they stop, whatever order they are named in.
        const { services: wanted } = input;
        return { names: services.names.filter((name) => wanted === 'all' || wanted.includes(name)) };
      }),
    runChecks: ({ checks }) =>
      withOperation(settings, async (operation) => ({ checks: await runChecks(settings, checks, operation) })),
    runCommand: ({ command, environment }) =>
      withOperation(settings, ({ signal }) => commands.run(command, { env: environment, signal })),
    repointEndpoint: ({ endpoint, targetRegion, environment }) =>
      withOperation(settings, async ({ signal }) => {
        const other = requireRegion(deps, targetRegion).regions.find((region) => region !== targetRegion);
        const env = { ...environment, DR_NEW: targetRegion, DR_OLD: other ?? '' };
        await endpoints.repoint(endpoint, { env, signal });
      }),
    notify: ({ channels, message }) =>
      withOperation(settings, async ({ signal }) => {
        const told: string[] = [];
        const failures: string[] = [];
        for (const name of channelsOf(deps, channels)) {
          try {
            await notifications.tell(name, message, signal);
            told.push(name);
          } catch (error) {
            signal.throwIfAborted();
            failures.push(toLifeboatError(error).message);
          }
        }
        if (failures.length === 0) return { told };
        throw new LifeboatError('NOTIFICATION_FAILED', failures.join('; '), { details: { told } });
      }),
    keepRunReport: ({ report }) =>
      withOperation(settings, async () => {
        const { plans } = await deps.repository();
        return { path: await plans.keepReport(report.id, report) };
      }),
    recordVerification: ({ verification }) =>
      withOperation(settings, async () => {
        const record: PlanVerification = { ...verification, at: new Date().toISOString() };
        await (await deps.repository()).plans.recordVerification(record);
        return record;
      }),
    readPlanRecords: (input) => withOperation(settings, async () => readPlanRecords(deps, input)),
  };
}

function channelsOf({ notifications }: Dependencies, channels: readonly string[] | 'all'): readonly string[] {
  return notifications.choose(channels === 'all' ? { event: EVENT } : channels);
}

async function readPlanRecords(deps: Dependencies, input: PlanRecordsInput): Promise<PlanRecordsResult> {
  const { plans } = await deps.repository();
  if (input.ask === 'verifications') {
    const [found, evaluated] = await Promise.all([
      Promise.all(input.planIds.map(async (planId) => plans.verificationOf(planId))),
      Promise.all(input.planIds.map(async (planId) => plans.evaluationOf(planId))),
    ]);
    const evaluations = evaluated.filter((one) => one !== undefined);
    return { verifications: found.filter((one) => one !== undefined), report: null, evaluations };
  }
  const runId = input.runId ?? (await plans.newestReport());
  const found = runId === undefined ? undefined : await plans.loadReport(runId);
  if (found !== undefined) {
    // A report cannot say where it will be.
    return { verifications: [], report: { ...(found.report as PlanRunView), reportPath: found.path } };
  }
  const what = runId === undefined ? 'no run of a recovery plan has a report' : `run ${runId}: no report`;
  throw new LifeboatError('PLAN_RUN_NOT_FOUND', what);
}
