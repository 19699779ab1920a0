import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client, ScheduleDescription, ScheduleExecutionResult } from '@temporalio/client';
import type { ConfiguredSchedule } from '../../config/schedules/schedule-definitions.ts';
import { nextRuns } from '../../config/schedules/schedule-timing.ts';
import { scheduleId, SEARCH_ATTRIBUTES } from '../../contract/names.ts';
import type { ScheduledResult } from '../../contract/schedule.ts';
import { toLifeboatError } from '../../domain/errors.ts';
import type { ScheduleDefinition } from '../../domain/schedule/schedule.ts';
import {
  judgeSchedule,
  type ScheduledOutcome,
  type ScheduledRun,
  type ScheduleFacts,
  type ScheduleProblem,
  type ScheduleState,
  type ScheduleStatus,
} from '../../domain/schedule/schedule-health.ts';
import { fromWorkflowError } from '../failure.ts';
import { describeOrNone, listOwn } from './apply-schedules.ts';
import { digestIn, digestOf } from './schedule-options.ts';

/** Runs of one schedule that are looked at; Temporal itself names ten. */
const SHOWN_RUNS = 5;
const SHOWN_NEXT = 3;

/** Every schedule that is configured, and those that Temporal has beside them, with their newest runs and what is wrong. */
export async function readSchedules(
  client: Client,
  group: string,
  configured: readonly ConfiguredSchedule[],
): Promise<readonly ScheduleStatus[]> {
  const known = new Map(configured.map((one) => [one.definition.name, one]));
  const strays = (await listOwn(client, group)).filter((name) => !known.has(name));
  const names = [...known.keys(), ...strays];
  const all = await Promise.all(names.map(async (name) => readSchedule(client, group, { name, one: known.get(name) })));
  return all.filter((status) => status !== null);
}

/**
 * Missed, skipped, failed and overdue runs of all schedules, for whoever alarms. `isStanding` tells what is over with the next good run from
 * counts that only rise.
 */
export async function readScheduleProblems(
  client: Client,
  group: string,
  configured: readonly ConfiguredSchedule[],
): Promise<readonly ScheduleProblem[]> {
  return (await readSchedules(client, group, configured)).flatMap(({ problems }) => problems);
}

/** Null for a stray one that is gone by now, or that we did not make. */
export async function readSchedule(
  client: Client,
  group: string,
  { name, one }: { readonly name: string; readonly one: ConfiguredSchedule | undefined },
): Promise<ScheduleStatus | null> {
  const found = await describeOrNone(client.schedule.getHandle(scheduleId(group, name)));
  const isOurs = found !== undefined && digestIn(found.action.memo) !== undefined;
  if (one === undefined && !isOurs) return null;
  const facts = found === undefined ? absent(one) : await factsOf(client, one, found);
  return judgeSchedule(name, one?.definition ?? null, { facts, nowMs: Date.now() });
}

function absent(one: ConfiguredSchedule | undefined): ScheduleFacts {
  const state = one?.enabled === false ? 'off' : 'not-applied';
  const nothing = { note: null, createdAt: null, recentRuns: [], missed: 0, overlapped: 0 };
  return { ...nothing, state, nextRuns: one?.enabled === true ? previewOf(one.definition) : [] };
}

function previewOf({ timing }: ScheduleDefinition): readonly string[] {
  return nextRuns(timing, { count: SHOWN_NEXT, after: new Date() }).map((time) => time.toISOString());
}

async function factsOf(
  client: Client,
  one: ConfiguredSchedule | undefined,
  { info, state, action }: ScheduleDescription,
): Promise<ScheduleFacts> {
  const newest = info.recentActions.toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime()).slice(0, SHOWN_RUNS);
  return {
    state: stateOf(one, { isPaused: state.paused, digest: digestIn(action.memo) }),
    note: state.note === undefined || state.note === '' ? null : state.note,
    createdAt: info.createdAt.toISOString(),
    nextRuns: state.paused ? [] : info.nextActionTimes.slice(0, SHOWN_NEXT).map((time) => time.toISOString()),
    recentRuns: await Promise.all(newest.map(async (taken) => viewRun(client, taken))),
    missed: info.numActionsMissedCatchupWindow,
    overlapped: info.numActionsSkippedOverlap,
  };
}

function stateOf(
  one: ConfiguredSchedule | undefined,
  { isPaused, digest }: { readonly isPaused: boolean; readonly digest: string | undefined },
): ScheduleState {
  if (one === undefined) return 'stray';
  if (!one.enabled || digest !== digestOf(one.definition)) return 'outdated';
  return isPaused ? 'paused' : 'active';
}

const PHASE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);

async function viewRun(
  client: Client,
  { scheduledAt, takenAt, action }: ScheduleExecutionResult,
): Promise<ScheduledRun> {
  const { workflowId, firstExecutionRunId: runId } = action.workflow;
  const run = { workflowId, runId, scheduledAt: scheduledAt.toISOString(), startedAt: takenAt.toISOString() };
  try {
    const { status, typedSearchAttributes } = await client.workflow.getHandle(workflowId, runId).describe();
    if (status.name === 'RUNNING') {
      return { ...run, outcome: 'running', message: typedSearchAttributes.get(PHASE) ?? '' };
    }
    return { ...run, ...(await endOf(client, { workflowId, runId, status: status.name })) };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return { ...run, outcome: 'unknown', message: 'Temporal keeps this run no more' };
  }
}

async function endOf(
  client: Client,
  { workflowId, runId, status }: { readonly workflowId: string; readonly runId: string; readonly status: string },
): Promise<{ readonly outcome: ScheduledOutcome; readonly message: string }> {
  try {
    const result = (await client.workflow.getHandle(workflowId, runId).result()) as ScheduledResult;
    return { outcome: result.outcome, message: result.message };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw error;
    const { code, message } = toLifeboatError(fromWorkflowError(error, workflowId));
    const outcome = status === 'CANCELLED' || status === 'TERMINATED' ? 'cancelled' : 'failed';
    return { outcome, message: `${message} (${code})` };
  }
}
