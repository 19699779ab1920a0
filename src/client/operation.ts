import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client, WorkflowHandle, WorkflowStartOptions } from '@temporalio/client';
import type { CancelRequest } from '../contract/messages.ts';
import { SEARCH_ATTRIBUTES, SIGNALS, taskQueue } from '../contract/names.ts';
import { LifeboatError } from '../domain/errors.ts';
import { fromWorkflowError } from './failure.ts';

export interface StartOperation {
  /** A registered workflow type, from WORKFLOWS. */
  readonly workflow: string;
  readonly workflowId: string;
  readonly group: string;
  /** `full`, `restore`, `verify`: the value of LifeboatKind. */
  readonly kind: string;
  /** One line beside the run in the Temporal Web UI. */
  readonly summary: string;
  readonly requestedBy: string;
  readonly input: unknown;
}

/** A started operation; it goes on whatever happens to the one who started it. */
export interface StartedOperation<Result> {
  readonly workflowId: string;
  readonly runId: string;
  readonly handle: WorkflowHandle;
  /** Waits for the end. @throws LifeboatError with the code the worker gave */
  result(): Promise<Result>;
}

const attribute = (name: string): ReturnType<typeof defineSearchAttributeKey<typeof SearchAttributeType.KEYWORD>> =>
  defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** What a person or program finds an operation by. */
export function operationAttributes(group: string, kind: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: attribute(SEARCH_ATTRIBUTES.group), value: group },
    { key: attribute(SEARCH_ATTRIBUTES.kind), value: kind },
  ]);
}

/**
 * Starts an operation under its id. The id is the lock: while one runs, a second start is refused.
 * @throws LifeboatError GROUP_BUSY naming the run that holds the id
 */
export async function startOperation<Result>(client: Client, start: StartOperation): Promise<StartedOperation<Result>> {
  try {
    const options = { ...startOptions(start), workflowIdConflictPolicy: 'FAIL' as const };
    const handle = await client.workflow.start(start.workflow, options);
    return attached<Result>(handle, handle.firstExecutionRunId);
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await busy(client, start.workflowId, error);
    throw error;
  }
}

function startOptions({ workflowId, group, kind, summary, requestedBy, input }: StartOperation): WorkflowStartOptions {
  return {
    workflowId,
    taskQueue: taskQueue('control', group),
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: summary,
    memo: { requestedBy },
    typedSearchAttributes: operationAttributes(group, kind),
  };
}

/** Starts a run, or leaves the one that is there under the id: safe to repeat. */
export async function ensureRun(client: Client, start: StartOperation): Promise<void> {
  await client.workflow.start(start.workflow, { ...startOptions(start), workflowIdConflictPolicy: 'USE_EXISTING' });
}

/** Ends a run, where there is one. Safe to repeat. */
export async function endRun(client: Client, workflowId: string, request: CancelRequest): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal<[CancelRequest]>(SIGNALS.cancel, request);
  } catch (error) {
    const cause = fromWorkflowError(error, workflowId);
    // None runs, which is what was wanted.
    if (cause instanceof LifeboatError && cause.code === 'OPERATION_NOT_FOUND') return;
    throw cause;
  }
}

/** Attaches to an operation that was started before. @throws LifeboatError OPERATION_NOT_FOUND */
export async function attachOperation<Result>(client: Client, workflowId: string): Promise<StartedOperation<Result>> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { runId } = await handle.describe();
    return attached<Result>(client.workflow.getHandle(workflowId, runId), runId);
  } catch (error) {
    throw fromWorkflowError(error, workflowId);
  }
}

function attached<Result>(handle: WorkflowHandle, runId: string): StartedOperation<Result> {
  return {
    workflowId: handle.workflowId,
    runId,
    handle,
    async result() {
      try {
        return (await handle.result()) as Result;
      } catch (error) {
        throw fromWorkflowError(error, handle.workflowId);
      }
    },
  };
}

async function busy(client: Client, workflowId: string, cause: Error): Promise<LifeboatError> {
  const running = await client.workflow.getHandle(workflowId).describe();
  const since = running.startTime.toISOString();
  return new LifeboatError('GROUP_BUSY', `${running.type} runs under ${workflowId} since ${since}`, {
    cause,
    hint: `wait for it with \`lifeboat attach ${workflowId}\`, or stop it with \`lifeboat cancel ${workflowId} --reason …\``,
    details: { workflowId, runId: running.runId, type: running.type, since },
  });
}
