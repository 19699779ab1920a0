import { condition, sleep } from '@temporalio/workflow';
import { EMERGENCY } from '../../domain/backup.ts';
import type {
  BackupInput,
  BackupResult,
  RestoreInput,
  RestoreResult,
  UndoRestoreInput,
  UndoRestoreResult,
} from '../../contract/messages.ts';
import type { RunPlanInput } from '../../contract/plan.ts';
import { WORKFLOWS } from '../../contract/names.ts';
import type { StepAction } from '../../domain/plan/recovery-plan.ts';
import { messageOfRun } from '../../domain/plan/run-message.ts';
import type { PlanRunView, StepResult } from '../../domain/plan/run-view.ts';
import { control, planStep } from '../support/activity-options.ts';
import type { ActionPlace } from './plan-run.ts';
import { failover } from './execute-failover.ts';
import { fence } from './execute-fence.ts';
import { promote } from './execute-promote.ts';
import { rejoin } from './execute-rejoin.ts';
import { runChild } from './run-child.ts';
import { planFailure } from './step-failure.ts';

type Executors = {
  readonly [T in StepAction['type']]: (
    config: Extract<StepAction, { readonly type: T }>['config'],
    place: ActionPlace,
  ) => Promise<StepResult>;
};

/** What each type of step does. */
const EXECUTORS: Executors = {
  backup,
  restore,
  validation,
  service,
  notification,
  undo,
  failover,
  fence,
  promote,
  rejoin,
  repoint,
  async approval(_config, { run, step }) {
    await condition(() => run.hasApproval(step));
    return { summary: 'approved' };
  },
  async wait({ forMs }) {
    await sleep(forMs);
    return { summary: `waited for ${forMs} ms` };
  },
  async command({ command }, place) {
    const environment = environmentOf(place);
    const { durationMs, lastLine } = await planStep(`run ${command}`).runCommand({ command, environment });
    return { summary: `${command} ended after ${durationMs} ms${lastLine === '' ? '' : `: ${lastLine}`}` };
  },
  async plan({ plan, digest }, place) {
    const { group, requestedBy } = place.run.input;
    const { mode } = place.run.state();
    const input: RunPlanInput = { group, requestedBy, runId: place.attemptId, plan, digest, mode, parameters: {} };
    const run = await runChild<PlanRunView>(place, { workflow: WORKFLOWS.runPlan, kind: 'plan', input });
    if (run.state === 'partial') throw planFailure('PLAN_PARTLY_DONE', `plan ${plan.id}: a step failed`);
    return { summary: `plan ${plan.id} ${run.state}` };
  },
};

/** Does what a step is there for. Rejects with what made it fail. */
export async function executeAction(action: StepAction, place: ActionPlace): Promise<StepResult> {
  // The key and the config are of one type, which the compiler cannot see.
  const execute = EXECUTORS[action.type] as (config: unknown, place: ActionPlace) => Promise<StepResult>;
  return execute(action.config, place);
}

async function backup(config: Parameters<Executors['backup']>[0], place: ActionPlace): Promise<StepResult> {
  const { group, requestedBy, plan, runId } = place.run.input;
  const { kind, components, emergency } = config;
  const label = { ...config.label, plan: plan.id, run: runId, ...(emergency ? { reason: EMERGENCY } : {}) };
  const input: BackupInput = { group, requestedBy, kind, components, label, hold: null };
  const taken = await runChild<BackupResult>(place, { workflow: WORKFLOWS.backup, kind, input });
  return { summary: `${taken.backup.id}, ${taken.backup.storedBytes} bytes stored`, backupId: taken.backup.id };
}

async function restore(config: Parameters<Executors['restore']>[0], place: ActionPlace): Promise<StepResult> {
  const { fromTarget, ...request } = config;
  const { group, requestedBy } = place.run.input;
  const from = fromTarget === null ? {} : { fromTarget };
  const input: RestoreInput = { group, requestedBy, ...request, dryRun: false, ...from };
  const done = await runChild<RestoreResult>(place, { workflow: WORKFLOWS.restore, kind: 'restore', input });
  const failed = done.checks.filter(({ status }) => status === 'fail').map(({ name }) => name);
  const { restoreId, undo: way, recoveryPoint, checks, plan } = done;
  const result = {
    summary: `${plan.backupId} is back as of ${recoveryPoint.time}; ${checks.length} checks`,
    backupId: plan.backupId,
    restoreId,
    undo: way !== null,
    recoveredTo: recoveryPoint.time,
    checks: checks.filter(({ status }) => status === 'fail'),
  };
  // Before it fails: what was replaced can be brought back all the same.
  place.run.keepResult(place.step, result);
  if (failed.length > 0) throw planFailure('RESTORE_UNPROVED', `${failed.length} checks failed: ${failed.join(', ')}`);
  return result;
}

/** Only what is known to be there can be taken back: a restore that failed has cleaned up after itself. */
async function undo(_config: unknown, place: ActionPlace): Promise<StepResult> {
  const { group, requestedBy } = place.run.input;
  const { restoreId, undo: way } = place.run.resultOf(place.step) ?? {};
  if (restoreId === undefined || way !== true) return { summary: 'nothing was replaced' };
  const input: UndoRestoreInput = { group, requestedBy, restoreId };
  await runChild<UndoRestoreResult>(place, { workflow: WORKFLOWS.undoRestore, kind: 'undo', input });
  return { summary: `${restoreId} is undone` };
}

async function validation(
  { checks: asked }: Parameters<Executors['validation']>[0],
  place: ActionPlace,
): Promise<StepResult> {
  const { checks } = await planStep('ask the databases').runChecks({ checks: asked });
  const failed = checks.filter(({ status }) => status === 'fail');
  const result = { summary: `${checks.length - failed.length} of ${checks.length} checks passed`, checks };
  place.run.keepResult(place.step, result);
  if (failed.length === 0) return result;
  const said = failed.map(({ name, message }) => `${name}: ${message}`).join('; ');
  throw planFailure('PLAN_VALIDATION_FAILED', said, { checks: failed.map(({ name }) => name) });
}

async function service({ action, services }: Parameters<Executors['service']>[0]): Promise<StepResult> {
  const { names } = await control('decide', 'find the services').namesOf({ services });
  if (names.length === 0) return { summary: 'no services are configured' };
  const list = names.join(', ');
  if (action !== 'start') await planStep(`stop ${list}`).stopServices({ services: names });
  if (action !== 'stop') await planStep(`start ${list}`).startServices({ services: names });
  return { summary: `${action}: ${list}` };
}

async function notification(
  { channels, message }: Parameters<Executors['notification']>[0],
  { run }: ActionPlace,
): Promise<StepResult> {
  const note = messageOfRun(run.view(), message);
  const { told } = await planStep('tell people').notify({ channels, message: note });
  return { summary: told.length === 0 ? 'no channel is configured: nobody was told' : `told ${told.join(', ')}` };
}

/** One after the other: each is verified before the next is touched. */
async function repoint(
  { targetRegion, endpoints }: Parameters<Executors['repoint']>[0],
  place: ActionPlace,
): Promise<StepResult> {
  const { names } = await control('decide', 'find the endpoints').namesOf({ endpoints });
  const environment = environmentOf(place);
  for (const endpoint of names) {
    await planStep(`lead ${endpoint} to ${targetRegion}`).repointEndpoint({ endpoint, targetRegion, environment });
  }
  return {
    summary: names.length === 0 ? 'no endpoints are configured' : `${targetRegion} is behind ${names.join(', ')}`,
  };
}

/** What a command can know of the run; never a secret. */
function environmentOf({ run, step, attemptId }: ActionPlace): Readonly<Record<string, string>> {
  const { group, runId, plan } = run.input;
  return {
    DR_GROUP: group,
    DR_RUN: runId,
    DR_PLAN: plan.id,
    DR_STEP: step,
    DR_ATTEMPT: attemptId,
    DR_MODE: run.state().mode,
  };
}
