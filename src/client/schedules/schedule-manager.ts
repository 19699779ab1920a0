import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleHandle } from '@temporalio/client';
import type { ConfiguredSchedule } from '../../config/schedules/schedule-definitions.ts';
import { scheduleId } from '../../contract/names.ts';
import type { ScheduledResult } from '../../contract/schedule.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { nearestName } from '../../domain/nearest-name.ts';
import type { ScheduleProblem, ScheduleStatus } from '../../domain/schedule/schedule-health.ts';
import type { ManagerContext } from '../backup-manager.ts';
import { attachOperation, type StartedOperation } from '../operation.ts';
import { type AppliedSchedule, applySchedules } from './apply-schedules.ts';
import { readSchedule, readScheduleProblems, readSchedules } from './read-schedules.ts';

/** The schedules of one group. All reject with a LifeboatError; SCHEDULE_NOT_FOUND for a name that is not configured, or not applied. */
export interface ScheduleManager {
  /** Makes Temporal's schedules what is configured; a pause stays. */
  applySchedules(): Promise<readonly AppliedSchedule[]>;
  listSchedules(): Promise<readonly ScheduleStatus[]>;
  /** Missed, skipped, failed and overdue runs. */
  readScheduleProblems(): Promise<readonly ScheduleProblem[]>;
  /** Nothing is started any more until it is resumed; what runs goes on. */
  pauseSchedule(name: string, reason: string): Promise<ScheduleStatus>;
  resumeSchedule(name: string, reason?: string): Promise<ScheduleStatus>;
  /** Starts a run now, also of one that is paused. @throws LifeboatError GROUP_BUSY while a run of it goes on */
  triggerSchedule(name: string): Promise<StartedOperation<ScheduledResult>>;
}

export function createScheduleManager(
  context: ManagerContext,
  configured: readonly ConfiguredSchedule[],
): ScheduleManager {
  const { client, group, requestedBy } = context;
  const names = configured.map(({ definition }) => definition.name);
  const change = async (name: string, act: (handle: ScheduleHandle) => Promise<void>): Promise<ScheduleStatus> => {
    const one = configured.find(({ definition }) => definition.name === name);
    await orNotFound(name, names, async () => act(client.schedule.getHandle(scheduleId(group, name))));
    const status = await readSchedule(client, group, { name, one });
    if (status === null) throw notFound(name, names);
    return status;
  };
  return {
    applySchedules: async () => applySchedules(client, group, configured),
    listSchedules: async () => readSchedules(client, group, configured),
    readScheduleProblems: async () => readScheduleProblems(client, group, configured),
    pauseSchedule: async (name, reason) =>
      change(name, async (handle) => handle.pause(`paused by ${requestedBy}: ${reason}`)),
    resumeSchedule: async (name, reason) =>
      change(name, async (handle) =>
        handle.unpause([`resumed by ${requestedBy}`, reason].filter((part) => part !== undefined).join(': ')),
      ),
    triggerSchedule: async (name) => orNotFound(name, names, async () => trigger(context, name)),
  };
}

/** A run begins within milliseconds; a server that is busy with much else takes longer. */
const BEGIN_LIMIT_MS = 30_000;
const LOOK_AGAIN_MS = 100;

async function trigger({ client, group }: ManagerContext, name: string): Promise<StartedOperation<ScheduledResult>> {
  const handle = client.schedule.getHandle(scheduleId(group, name));
  const before = await handle.describe();
  const [running] = before.info.runningActions;
  if (running !== undefined) throw busy(name, running.workflow.workflowId);
  const known = new Set(before.info.recentActions.map(({ action }) => action.workflow.firstExecutionRunId));
  await handle.trigger(ScheduleOverlapPolicy.SKIP);
  const deadline = Date.now() + BEGIN_LIMIT_MS;
  while (Date.now() < deadline) {
    const { info } = await handle.describe();
    const begun = info.recentActions.find(({ action }) => !known.has(action.workflow.firstExecutionRunId));
    if (begun !== undefined) return attachOperation<ScheduledResult>(client, begun.action.workflow.workflowId);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new LifeboatError('OPERATION_TIMED_OUT', `trigger schedule ${name}: no run has begun`);
}

function busy(name: string, workflowId: string): LifeboatError {
  return new LifeboatError('GROUP_BUSY', `trigger schedule ${name}: ${workflowId} is under way`, {
    hint: `wait for it with \`lifeboat attach ${workflowId}\`, or stop it with \`lifeboat cancel ${workflowId} --reason …\``,
    details: { workflowId },
  });
}

async function orNotFound<T>(name: string, known: readonly string[], act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw notFound(name, known);
    throw error;
  }
}

function notFound(name: string, known: readonly string[]): LifeboatError {
  const details = { schedule: name, known };
  if (known.includes(name)) {
    const message = `schedule ${name}: configured, and not in Temporal`;
    return new LifeboatError('SCHEDULE_NOT_FOUND', message, {
      details,
      hint: 'is it switched off? `lifeboat schedule apply` brings what is configured to Temporal',
    });
  }
  const near = nearestName(name, known);
  return new LifeboatError('SCHEDULE_NOT_FOUND', `schedule ${name}: not configured`, {
    details,
    ...(near === undefined ? {} : { hint: `did you mean ${near}? \`lifeboat schedule list\` names them` }),
  });
}
