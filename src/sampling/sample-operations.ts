import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';
import type {
  EndedOperation,
  OperationMeter,
  OperationResult,
  RunningOperation,
} from '../monitoring/measure/operations.ts';
import type { Sample } from '../monitoring/sample.ts';

/** Listed at once: far more than end between two looks; of more, the newest count. */
const MAX_LISTED = 1_000;

const attribute = (name: string): ReturnType<typeof defineSearchAttributeKey<typeof SearchAttributeType.KEYWORD>> =>
  defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const KIND = attribute(SEARCH_ATTRIBUTES.kind);
const PHASE = attribute(SEARCH_ATTRIBUTES.phase);

const RESULTS: Readonly<Record<string, OperationResult>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};

/** What runs, and what has ended since the last look. Questions to the catalog are no operations. */
export async function sampleOperations(client: Client, group: string, meter: OperationMeter): Promise<Sample> {
  const ours = `${SEARCH_ATTRIBUTES.group} = '${group}' AND ${SEARCH_ATTRIBUTES.kind} != 'catalog'`;
  const since = new Date(meter.sinceMs).toISOString();
  const [ended, running] = await Promise.all([
    list(client, `${ours} AND ExecutionStatus != 'Running' AND CloseTime >= '${since}'`, endedOf),
    list(client, `${ours} AND ExecutionStatus = 'Running'`, runningOf),
  ]);
  return meter.measure(ended, running);
}

async function list<T>(
  client: Client,
  query: string,
  view: (info: WorkflowExecutionInfo) => T | undefined,
): Promise<T[]> {
  const found: T[] = [];
  let listed = 0;
  for await (const info of client.workflow.list({ query, pageSize: MAX_LISTED })) {
    const one = view(info);
    if (one !== undefined) found.push(one);
    listed += 1;
    if (listed >= MAX_LISTED) break;
  }
  return found;
}

/** Nothing of a run that goes on under a new run id. */
function endedOf(info: WorkflowExecutionInfo): EndedOperation | undefined {
  const { runId, status, startTime, closeTime } = info;
  const result = RESULTS[status.name];
  const kind = info.typedSearchAttributes.get(KIND);
  if (result === undefined || kind === undefined || closeTime === undefined) return undefined;
  return { runId, kind, result, startedMs: startTime.getTime(), endedMs: closeTime.getTime() };
}

function runningOf({ typedSearchAttributes }: WorkflowExecutionInfo): RunningOperation | undefined {
  const kind = typedSearchAttributes.get(KIND);
  return kind === undefined ? undefined : { kind, phase: typedSearchAttributes.get(PHASE) ?? null };
}
