import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { type Client, type WorkflowExecutionInfo, WorkflowNotFoundError } from '@temporalio/client';
import type { VerifyResult } from '../contract/messages.ts';
import { groupWorkflowId, QUERIES, SEARCH_ATTRIBUTES, WORKFLOWS } from '../contract/names.ts';
import type { EndedRun, OpenRun, RunsSeen, WaitingRun } from '../domain/alerts/runs-seen.ts';
import { RECOVERY_KINDS } from '../domain/alerts/judge-runs.ts';
import { toLifeboatError } from '../domain/errors.ts';
import type { PlanRunView } from '../domain/plan/run-view.ts';
import { fromWorkflowError } from './failure.ts';

/** Operations that somebody wants to hear of. What reads, or has no end, is not among them. */
const KINDS = [...RECOVERY_KINDS, 'full', 'incremental', 'verify', 'directory', 'cleanup', 'copy', 'rewrap', 'drill'];
/** Runs of one look: many more than end in a minute. The newest come first. */
const MAX_RUNS = 200;
const KIND = defineSearchAttributeKey(SEARCH_ATTRIBUTES.kind, SearchAttributeType.KEYWORD);

const ENDS: Readonly<Record<string, EndedRun['end']>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TIMED_OUT: 'timed-out',
  TERMINATED: 'terminated',
  CANCELLED: 'cancelled',
};

/** What Temporal knows of a group's operations: those that ended since `since` and are not among `seen`, and those that change live data now. */
export async function readRuns(
  client: Client,
  group: string,
  { since, seen }: { readonly since: string; readonly seen: readonly string[] },
): Promise<RunsSeen> {
  const { group: groupName, kind } = SEARCH_ATTRIBUTES;
  const of = (kinds: readonly string[]): string =>
    `${groupName} = '${group}' AND ${kind} IN (${kinds.map((one) => `'${one}'`).join(', ')})`;
  const [closed, open, waiting] = await Promise.all([
    list(client, `${of(KINDS)} AND CloseTime >= '${since}'`),
    list(client, `${of(RECOVERY_KINDS)} AND ExecutionStatus = 'Running'`),
    readWaiting(client, group),
  ]);
  const fresh = closed.filter((run) => isTold(run) && !seen.includes(run.runId));
  const ended = await Promise.all(fresh.map(async (run) => readEnded(client, run)));
  const running = await Promise.all(open.filter(isTold).map(async (run) => readOpen(client, run)));
  return {
    ended: ended.filter((run) => run !== null).toSorted((a, b) => (a.endedAt < b.endedAt ? -1 : 1)),
    open: running.filter((run) => run !== null),
    waiting,
  };
}

async function list(client: Client, query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const run of client.workflow.list({ query, pageSize: MAX_RUNS })) {
    found.push(run);
    if (found.length >= MAX_RUNS) break;
  }
  return found;
}

/** A step of a plan is told by the plan. */
function isTold({ workflowId }: WorkflowExecutionInfo): boolean {
  return !/^lifeboat\/[^/]+\/run\//.test(workflowId);
}

/** Null where it says nothing: a dry run, one that goes on under the same id, one that Temporal has forgotten. */
async function readEnded(client: Client, run: WorkflowExecutionInfo): Promise<EndedRun | null> {
  const { workflowId, runId, startTime, closeTime, status, typedSearchAttributes } = run;
  const end = ENDS[status.name];
  const summary = await summaryOf(client, run);
  if (end === undefined || closeTime === undefined || summary === null) return null;
  const kind = typedSearchAttributes.get(KIND) ?? '';
  const times = { startedAt: startTime.toISOString(), endedAt: closeTime.toISOString() };
  const base = { workflowId, runId, kind, ...times, end, summary, code: '', message: '', verification: null };
  const handle = client.workflow.getHandle(workflowId, runId);
  if (end === 'failed') return { ...base, ...(await failureOf(handle)) };
  if (end !== 'completed') return base;
  if (kind === 'verify') return { ...base, verification: foundBy((await handle.result()) as VerifyResult) };
  return kind === 'plan' ? { ...base, ...outcomeOf((await handle.result()) as PlanRunView) } : base;
}

type Handle = ReturnType<Client['workflow']['getHandle']>;

/** As its worker gave it. */
async function failureOf(handle: Handle): Promise<Pick<EndedRun, 'code' | 'message'>> {
  try {
    await handle.result();
    return { code: '', message: '' };
  } catch (error) {
    const { code, message } = toLifeboatError(fromWorkflowError(error, handle.workflowId));
    return { code, message };
  }
}

/** A plan of which a part failed has ended, and is no success. */
function outcomeOf({ state, steps }: PlanRunView): Partial<Pick<EndedRun, 'end' | 'code' | 'message'>> {
  if (state !== 'partial') return {};
  const failed = steps.filter(({ status }) => status === 'failed').map(({ id, message }) => `${id}: ${message}`);
  return { end: 'failed', code: 'PLAN_PARTLY_DONE', message: failed.join('; ') };
}

/** Each problem under what it was found in; at a target under that, too. The chain of manifests is read by every verification. */
function foundBy({ verified, problems, from }: VerifyResult): NonNullable<EndedRun['verification']> {
  const place = from === undefined ? '' : `${from}/`;
  const placeOf = ({ backupId, key }: VerifyResult['problems'][number]): string =>
    backupId === '' ? (/^journals\/[a-z]+/.exec(key)?.[0] ?? MANIFESTS) : backupId;
  return {
    verified: [...verified, MANIFESTS].map((about) => `${place}${about}`),
    problems: problems.map((problem) => ({ about: `${place}${placeOf(problem)}`, message: problem.message })),
  };
}

const MANIFESTS = 'manifests';

async function readOpen(client: Client, run: WorkflowExecutionInfo): Promise<OpenRun | null> {
  const { workflowId, runId, startTime, typedSearchAttributes } = run;
  const summary = await summaryOf(client, run);
  if (summary === null) return null;
  return {
    workflowId,
    runId,
    kind: typedSearchAttributes.get(KIND) ?? '',
    startedAt: startTime.toISOString(),
    summary,
  };
}

/** The line beside the run; null where it changes nothing, or was forgotten between the list and the look. */
async function summaryOf(client: Client, { workflowId, runId }: WorkflowExecutionInfo): Promise<string | null> {
  try {
    const described = await client.workflow.getHandle(workflowId, runId).describe();
    const summary = (await described.staticSummary()) ?? '';
    return summary.startsWith('dry run') ? null : summary;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** The run of a recovery plan that holds the group, where somebody has to do something for it. */
async function readWaiting(client: Client, group: string): Promise<WaitingRun | null> {
  try {
    const found = client.workflow.getHandle(groupWorkflowId(group));
    const { type, status, runId } = await found.describe();
    if (type !== WORKFLOWS.runPlan || status.name !== 'RUNNING') return null;
    const handle = client.workflow.getHandle(groupWorkflowId(group), runId);
    const { id, planName, startedAt, waitsFor } = await handle.query<PlanRunView>(QUERIES.planRun);
    return waitsFor.length === 0 ? null : { id, planName, startedAt, waitsFor };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
