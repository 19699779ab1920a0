import type { DisasterRecoveryManager, RunPlanOptions } from '../../../client/disaster-recovery-manager.ts';
import type { StartedOperation } from '../../../client/operation.ts';
import type { RunProgress } from '../../../client/follow-run.ts';
import { QUERIES } from '../../../contract/names.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { PlanRunView } from '../../../domain/plan/run-view.ts';
import { defineCommand, type CommandContext, type CommandResult } from '../../command.ts';
import { confirm } from '../../confirm.ts';
import { choice, flag, parsePair, required, values } from '../../options.ts';
import type { ProgressRow } from '../../progress.ts';
import { awaitOperation, rowsOf, whereabouts } from '../await-operation.ts';
import { describeRun, describeSteps } from './describe-plan.ts';
import { describeForecast, evaluate, impossible } from './evaluate.ts';
import { withPlans } from './with-plans.ts';

/** `dr execute PLAN`: runs it, under the group's lock. */
export const drExecute = defineCommand({
  name: 'dr execute',
  summary: 'run a recovery plan',
  description:
    'The plan with all its values is the input of the run: editing a file changes no run. Steps of equal order run at once. What a failed run has begun is taken back where the plan says how. Ctrl-C leaves it running; `dr status` shows it, and other `dr` commands steer it. On a terminal it asks before it begins.',
  arguments: { plan: required('id of a plan') },
  options: {
    mode: choice(['graceful', 'ungraceful'], 'ungraceful: what is lost is not waited for'),
    param: values('<name=value>', 'value of a parameter of the plan', parsePair),
    dryRun: flag('say what each step would do now, and change nothing'),
    yes: flag('do not ask'),
    detach: flag('start it and print the workflow id instead of waiting'),
  },
  examples: [
    'dr execute default-recovery',
    'dr execute default-recovery --dry-run',
    'dr execute default-recovery --mode ungraceful --param toTime=2026-01-15T10:30:59Z --yes',
  ],
  answers: [
    'run {id, planId, digest, state: succeeded|partial|failed|aborted, mode, startedBy, startedAt, endedAt, waitsFor[], steps[] {id, name, type, order, status, attempts, durationMs, message, compensation, result}, steering[], cause, rtoMs, rpoMs, objectives, reportPath}',
    'dryRun',
    'findings[] {step, code, message}',
    'steps[] {id, would[]}',
    'workflowId',
    'runId',
  ],
  exits: [3, 4, 5, 6, 7, 130],
  run: (context, { arguments: { plan }, options: { mode, param, dryRun, yes, detach } }) =>
    withPlans(context, async (manager) => {
      const options = { parameters: Object.fromEntries(param), ...(mode === undefined ? {} : { mode }) };
      if (dryRun) return forecast(context, manager, { plan, ...options });
      const shown = await manager.showPlan(plan, options);
      if (shown.state !== 'verified') {
        context.output.warn(`plan ${plan} was not verified as it is written now: \`lifeboat dr validate ${plan}\``);
      }
      const steps = describeSteps(shown.plan).join('\n');
      if (!yes) await confirm(context, `${steps}\nRun recovery plan ${plan} now?`);
      const started = await manager.startShown(shown, options);
      return detach ? leave(started) : awaitRun(context, started);
    }),
});

async function forecast(
  context: CommandContext,
  manager: DisasterRecoveryManager,
  asked: RunPlanOptions & { readonly plan: string },
): Promise<CommandResult> {
  const { planId, digest, steps, findings } = await evaluate(context, manager, { ...asked, record: false });
  return {
    json: { dryRun: true, plan: planId, digest, steps, findings },
    text: () => [`a run of ${planId} would:`, ...describeForecast(steps)].join('\n'),
    ...impossible(planId, findings),
  };
}

function leave(started: StartedOperation<PlanRunView>): CommandResult {
  const place = whereabouts(started);
  return {
    json: { ...place, detached: true },
    text: () => `started ${place.workflowId}\n  follow: lifeboat dr status`,
  };
}

async function awaitRun(context: CommandContext, started: StartedOperation<PlanRunView>): Promise<CommandResult> {
  const { followRun } = await import('../../../client/follow-run.ts');
  const watch = (ended: Promise<PlanRunView>): Promise<void> =>
    followRun(started.handle, ended, (progress) => context.progress.update(progressRows(progress)));
  try {
    const run = await awaitOperation(context, started, watch);
    return answer(started, run, run.state === 'partial' ? partlyDone(run) : undefined);
  } catch (error) {
    if (!(error instanceof LifeboatError) || !ENDS.includes(error.code)) throw error;
    // This very run: another one may hold the group by now.
    const ended = started.handle.client.getHandle(started.workflowId, started.runId);
    return answer(started, await ended.query<PlanRunView>(QUERIES.planRun), error);
  }
}

/** Errors of a run that has ended and can say how. */
const ENDS: readonly string[] = ['PLAN_FAILED', 'PLAN_ABORTED'];

function answer(
  started: StartedOperation<PlanRunView>,
  run: PlanRunView,
  failure: LifeboatError | undefined,
): CommandResult {
  return {
    json: { run, dryRun: false, ...whereabouts(started) },
    text: () => describeRun(run),
    ...(failure === undefined ? {} : { failure }),
  };
}

function partlyDone({ planId, steps }: PlanRunView): LifeboatError {
  const failed = steps.filter(({ status }) => status === 'failed');
  const said = failed.map(({ id, message }) => `step ${id}: ${message}`).join('; ');
  return new LifeboatError('PLAN_PARTLY_DONE', `plan ${planId}: ${said}`, {
    details: { steps: failed.map(({ id }) => id) },
  });
}

/** A row for each activity of a step, or for the step where it has none. */
function progressRows({ run, steps }: RunProgress): ProgressRow[] {
  if (run.waitsFor.length > 0) return run.waitsFor.map((note) => ({ name: 'waits', progress: undefined, note }));
  return run.steps
    .filter(({ status, compensation }) => status === 'running' || compensation === 'running')
    .flatMap(({ id }) => {
      const view = steps.get(id);
      const rows = view === undefined ? [] : rowsOf(view).map((row) => ({ ...row, name: `${id}: ${row.name}` }));
      return rows.length > 0 ? rows : [{ name: id, progress: undefined }];
    });
}
