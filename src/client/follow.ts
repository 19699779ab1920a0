import { defaultPayloadConverter } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { Progress } from '../domain/operation.ts';

/** Between two readings of what an operation does. */
const FOLLOW_INTERVAL_MS = 1_000;

/** What an operation does right now, as its pending activities say. */
export interface OperationView {
  readonly workflowId: string;
  readonly startedAt: Date;
  readonly activities: readonly {
    readonly name: string;
    readonly attempt: number;
    readonly progress: Progress | undefined;
    /** Why the attempt before this one failed. */
    readonly lastFailure: string | undefined;
  }[];
}

/** Reads the present state of a run from Temporal; cheap enough to be asked for once a second. */
export async function viewOperation(handle: WorkflowHandle): Promise<OperationView> {
  const { workflowId, startTime, raw } = await handle.describe();
  const activities = (raw.pendingActivities ?? []).map((pending) => ({
    name: pending.activityType?.name ?? '',
    attempt: pending.attempt ?? 1,
    progress: decodeProgress(pending.heartbeatDetails?.payloads?.[0]),
    lastFailure: pending.lastFailure?.message ?? undefined,
  }));
  return { workflowId, startedAt: startTime, activities };
}

function decodeProgress(
  payload: Parameters<typeof defaultPayloadConverter.fromPayload>[0] | undefined,
): Progress | undefined {
  return payload == null ? undefined : defaultPayloadConverter.fromPayload<Progress>(payload);
}

/** Calls `onView` about once a second until `done` settles. */
export async function follow(
  handle: WorkflowHandle,
  done: Promise<unknown>,
  onView: (view: OperationView) => void,
): Promise<void> {
  await followReadings(() => viewOperation(handle), done, onView);
}

/**
 * The same for any reading. One that fails is left out: the result decides, and it reports an unreachable server itself.
 */
export async function followReadings<View>(
  read: () => Promise<View>,
  done: Promise<unknown>,
  onView: (view: View) => void,
): Promise<void> {
  let running = true;
  const end = done.then(
    () => (running = false),
    () => (running = false),
  );
  while (running) {
    // Falls back to the next reading; a lasting trouble ends `done` with its own error.
    const view = await read().catch(() => undefined);
    if (running && view !== undefined) onView(view);
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, FOLLOW_INTERVAL_MS))]);
  }
}
