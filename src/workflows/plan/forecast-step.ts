import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { EvaluatePlanInput, StepForecast } from '../../contract/plan.ts';
import { formatDuration } from '../../domain/duration.ts';
import { describeFailover } from '../../domain/failover/failover-plan.ts';
import {
  actionIn,
  type BackupStep,
  type FailoverStep,
  type FenceStep,
  type PromoteStep,
  type ResolvedStep,
  type RestoreStep,
  type StepAction,
} from '../../domain/plan/recovery-plan.ts';
import { unreachable } from '../../domain/unreachable.ts';
import { control } from '../support/activity-options.ts';
import { failureOf } from '../support/compensation.ts';

/** What a step would do now, as the libraries that would do it say; a refusal is its problem, and no error. */
export async function forecastStep(input: EvaluatePlanInput, step: ResolvedStep): Promise<StepForecast> {
  const { id, name, order, action, ungraceful } = step;
  const shown = { id, name, type: action.type, order };
  if (input.mode === 'ungraceful' && ungraceful === 'skip') {
    return { ...shown, would: ['be left out in the ungraceful mode'], problem: '', code: '' };
  }
  try {
    return { ...shown, would: await forecast(input, actionIn(step, input.mode)), problem: '', code: '' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { message, type } = failureOf(error);
    if (type === undefined) throw error;
    return { ...shown, would: [], problem: message, code: type };
  }
}

async function forecast(input: EvaluatePlanInput, action: StepAction): Promise<readonly string[]> {
  if (action.type === 'backup') return forecastBackup(input, action.config);
  if (action.type === 'restore') return forecastRestore(input, action.config);
  if (action.type === 'service') {
    const { names } = await control('decide', 'find the services').namesOf({ services: action.config.services });
    return [
      names.length === 0 ? 'do nothing: no services are configured' : `${action.config.action} ${names.join(', ')}`,
    ];
  }
  if (action.type === 'notification') {
    const { names } = await control('decide', 'find the channels').namesOf({ channels: action.config.channels });
    return [names.length === 0 ? 'tell nobody: no channel is configured' : `tell ${names.join(', ')}`];
  }
  if (action.type === 'failover' || action.type === 'promote') return forecastFailover(input, action.config);
  if (action.type === 'fence') return forecastFence(input, action.config);
  return [inWords(action)];
}

/** What the judge of both pairs lets begin now. */
async function forecastFailover(
  { mode }: EvaluatePlanInput,
  { targetRegion, ...step }: FailoverStep | PromoteStep,
): Promise<readonly string[]> {
  const only = 'components' in step && step.components !== 'configured' ? { components: step.components } : {};
  const question = { targetRegion, mode, holder: '', ...only };
  const plan = await control('decide', 'look at both regions').observeFailover(question);
  return describeFailover(plan);
}

async function forecastFence({ mode }: EvaluatePlanInput, { targetRegion }: FenceStep): Promise<readonly string[]> {
  const plan = await control('decide', 'look at both regions').observeFailover({ targetRegion, mode, holder: '' });
  if (plan.postgres === null || plan.postgres.way === 'done') return ['fence nothing: it is primary already'];
  const { from, notices } = plan.postgres;
  return [`stop PostgreSQL in ${from} and fence it on its disk`, ...notices.map((one) => `note that ${one}`)];
}

async function forecastBackup(
  { group, requestedBy }: EvaluatePlanInput,
  { kind, components }: BackupStep,
): Promise<readonly string[]> {
  const request = { group, requestedBy, kind, components, label: {}, hold: null };
  const { postgres, redis } = await control('decide', 'look at the databases').surveySources(request);
  return [
    ...(postgres ? [`copy database ${postgres.database}: ${postgres.tables} tables, ${postgres.bytes} bytes`] : []),
    ...(redis ? [`copy ${redis.keys} keys of Redis by ${redis.method}`] : []),
  ];
}

async function forecastRestore(
  { group, requestedBy }: EvaluatePlanInput,
  { fromTarget, ...config }: RestoreStep,
): Promise<readonly string[]> {
  const from = fromTarget === null ? {} : { fromTarget };
  const request = { group, requestedBy, ...config, dryRun: true, ...from };
  const { startTime, runId } = workflowInfo();
  const planning = { request, startedAt: startTime.toISOString(), runId };
  const { backupId, steps } = await control('decide', 'plan the restore').planRestore(planning);
  return [`bring ${backupId} back`, ...steps];
}

/** Of steps that nobody has to be asked about: what they name was found by `acceptPlan`. */
function inWords(
  action: Exclude<
    StepAction,
    { readonly type: 'backup' | 'restore' | 'service' | 'notification' | 'failover' | 'fence' | 'promote' }
  >,
): string {
  switch (action.type) {
    case 'validation': {
      const { checks } = action.config;
      return checks === 'configured'
        ? 'check that every configured server answers and takes writes'
        : `check ${checks.map(({ name }) => name).join(', ')}`;
    }
    case 'approval':
      return `wait for the approval of another person${action.config.message === '' ? '' : `: ${action.config.message}`}`;
    case 'wait':
      return `wait for ${formatDuration(action.config.forMs)}`;
    case 'command':
      return `run the command ${action.config.command}`;
    case 'plan':
      return `run plan ${action.config.plan.id}: ${action.config.plan.steps.map(({ name }) => name).join(', ')}`;
    case 'undo':
      return 'bring back what was replaced';
    case 'rejoin':
      return `make the servers of ${action.config.region} follow those of the other region`;
    case 'repoint': {
      const { endpoints, targetRegion } = action.config;
      return `lead ${endpoints === 'all' ? 'every endpoint' : endpoints.join(', ')} to ${targetRegion}`;
    }
  }
  return unreachable(action);
}
