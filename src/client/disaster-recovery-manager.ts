import { randomUUID } from 'node:crypto';
import type { PlanLibrary, PlanSource, PlanSummary } from '../config/plans/plan-library.ts';
import type {
  EvaluatePlanInput,
  EvaluatePlanResult,
  PlanRecordsResult,
  PlanVerification,
  RunPlanInput,
} from '../contract/plan.ts';
import type { PlanEvaluation } from '../contract/schedule.ts';
import { besideWorkflowId, groupWorkflowId, WORKFLOWS } from '../contract/names.ts';
import type { PreparedPlan } from '../config/plans/resolve-plan.ts';
import { planStateOf, type PlanState } from '../domain/plan/plan-state.ts';
import type { PlanMode, ResolvedPlan } from '../domain/plan/recovery-plan.ts';
import type { PlanRunView } from '../domain/plan/run-view.ts';
import type { Steering } from '../domain/plan/steering.ts';
import type { ManagerContext } from './backup-manager.ts';
import { startOperation, type StartedOperation } from './operation.ts';
import { askRecords, readRun, steerRun } from './plan-runs.ts';

export interface RunPlanOptions {
  /** Default: `graceful`. */
  readonly mode?: PlanMode;
  /** Values of the plan's parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface PlanWithState extends PlanSummary {
  readonly state: PlanState;
  /** The newest, also where the plan was changed since. */
  readonly verification: PlanVerification | null;
  /** The newest, of the plan as it is written now; null where it was not evaluated since. */
  readonly evaluation: PlanEvaluation | null;
}

/** A plan as it would run, with what is known of it. */
export interface ShownPlan extends PlanWithState {
  readonly plan: ResolvedPlan;
  readonly digest: string;
}

/** What a person asks of a run; who asks is known. */
export type SteeringRequest = Pick<Steering, 'action' | 'reason'> & Partial<Pick<Steering, 'step' | 'digest'>>;

/**
 * Recovery plans and their runs. All but `listRecoveryPlans` reject with a LifeboatError; a run is named by its id, or not at all where the
 * one that holds the group, or the newest, is meant.
 */
export interface DisasterRecoveryManager {
  /** What is built in and what is in `drPlans.dir`, read now. */
  listRecoveryPlans(): readonly PlanSummary[];
  /** The same, with whether each was verified as it is written. */
  readPlanStates(): Promise<readonly PlanWithState[]>;
  showPlan(idOrFile: string, options?: Pick<RunPlanOptions, 'parameters'>): Promise<ShownPlan>;
  /** Runs a plan and waits. @throws LifeboatError PLAN_FAILED, PLAN_ABORTED; a run of which a part failed is `partial` */
  executeRecoveryPlan(planId: string, options?: RunPlanOptions): Promise<PlanRunView>;
  startPlan(planId: string, options?: RunPlanOptions): Promise<StartedOperation<PlanRunView>>;
  /** Runs the plan that was shown, whatever its file holds by now; `parameters` are those that it was shown with. */
  startShown(shown: PreparedPlan, options?: RunPlanOptions): Promise<StartedOperation<PlanRunView>>;
  /** Asks of every step what it would do now; with `record` a plan in which nothing is found is verified. Changes nothing else. */
  startEvaluation(
    idOrFile: string,
    options?: RunPlanOptions & { readonly record?: boolean },
  ): Promise<StartedOperation<EvaluatePlanResult>>;
  runStatus(runId?: string): Promise<PlanRunView>;
  /** @throws LifeboatError PLAN_STEERING_REFUSED, PLAN_STEP_UNKNOWN, PLAN_APPROVAL_REFUSED */
  steerRun(runId: string, request: SteeringRequest): Promise<PlanRunView>;
}

export function createDisasterRecoveryManager(context: ManagerContext, plans: PlanLibrary): DisasterRecoveryManager {
  const startPlan: DisasterRecoveryManager['startPlan'] = async (planId, options) =>
    startRun(context, plans.prepare(plans.find(planId), options?.parameters), options);
  const recordsOf = async (planIds: readonly string[]): Promise<PlanRecordsResult> =>
    askRecords(context, { ask: 'verifications', planIds });
  return {
    listRecoveryPlans: () => plans.list(),
    async readPlanStates() {
      const summaries = plans.list();
      const records = await recordsOf(summaries.map(({ id }) => id));
      return summaries.map((summary) => withState(summary, records));
    },
    async showPlan(idOrFile, { parameters } = {}) {
      const source = plans.find(idOrFile);
      const prepared = plans.prepare(source, parameters);
      const { id, file } = source;
      const { name, description, priority, steps } = prepared.plan;
      const facts = { id, file, name, description, priority, steps: steps.length, problems: [] };
      const summary = { ...facts, definition: plans.definitionOf(source) };
      return { ...withState(summary, await recordsOf([id])), ...prepared };
    },
    startPlan,
    startShown: async (shown, options) => startRun(context, shown, options),
    executeRecoveryPlan: async (planId, options) => (await startPlan(planId, options)).result(),
    startEvaluation: async (idOrFile, options) => startEvaluation(context, plans, plans.find(idOrFile), options),
    runStatus: async (runId) => readRun(context, runId),
    steerRun: async (runId, { action, reason, step = null, digest = null }) =>
      steerRun(context, runId, { action, reason, step, digest, by: context.requestedBy }),
  };
}

function withState(
  summary: PlanSummary,
  { verifications, evaluations = [] }: Pick<PlanRecordsResult, 'verifications' | 'evaluations'>,
): PlanWithState {
  const verification = verifications.find(({ planId }) => planId === summary.id) ?? null;
  const found = evaluations.find(({ planId }) => planId === summary.id);
  // What was found of another text says nothing of this one.
  const evaluation = found?.definition === summary.definition ? found : null;
  return { ...summary, state: planStateOf(summary, verification), verification, evaluation };
}

async function startRun(
  { client, group, requestedBy }: ManagerContext,
  { plan, digest }: PreparedPlan,
  { mode = 'graceful', parameters = {} }: RunPlanOptions = {},
): Promise<StartedOperation<PlanRunView>> {
  const runId = `run-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  const input: RunPlanInput = { group, requestedBy, runId, plan, digest, mode, parameters };
  const summary = `${runId}: recovery plan ${plan.name}, ${mode}, asked for by ${requestedBy}`;
  const workflowId = groupWorkflowId(group);
  return startOperation(client, {
    workflow: WORKFLOWS.runPlan,
    workflowId,
    kind: 'plan',
    summary,
    input,
    group,
    requestedBy,
  });
}

async function startEvaluation(
  { client, group, requestedBy }: ManagerContext,
  plans: PlanLibrary,
  source: PlanSource,
  { mode = 'graceful', parameters = {}, record = false }: RunPlanOptions & { readonly record?: boolean } = {},
): Promise<StartedOperation<EvaluatePlanResult>> {
  const { plan, digest } = plans.prepare(source, parameters);
  const definition = record ? plans.definitionOf(source) : null;
  const input: EvaluatePlanInput = { group, requestedBy, plan, digest, mode, definition };
  const summary = `evaluation of recovery plan ${plan.name}, asked for by ${requestedBy}`;
  const workflowId = besideWorkflowId(group, 'plan', randomUUID());
  const start = {
    workflow: WORKFLOWS.evaluatePlan,
    workflowId,
    kind: 'evaluation',
    summary,
    input,
    group,
    requestedBy,
  };
  return startOperation(client, start);
}
