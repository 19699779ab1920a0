import type { Client } from '@temporalio/client';
import { taskQueue } from '../contract/names.ts';
import type { WorkerRole } from '../contract/names.ts';
import { LifeboatError } from '../domain/errors.ts';

/** temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY. */
const ACTIVITY_QUEUE = 2;

/**
 * Roles whose queue nobody polls: an operation started now would wait without a word. Backups and restores do without the role
 * `journal`: a journal that nobody follows must not stand in the way of a restore.
 */
export async function missingWorkers(
  client: Client,
  group: string,
  roles: readonly WorkerRole[] = ['control', 'data'],
): Promise<WorkerRole[]> {
  const pollers = await Promise.all(roles.map((role) => pollersOf(client, group, role)));
  return roles.filter((_, index) => pollers[index] === 0);
}

/** Workers that the server has seen at the queue of a role; one that has gone is remembered for some minutes. */
export async function pollersOf(client: Client, group: string, role: WorkerRole): Promise<number> {
  const answer = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue(role, group) },
    // oxlint-disable-next-line no-unsafe-enum-assignment -- the enum lives in a package that only the SDK depends on
    taskQueueType: ACTIVITY_QUEUE,
  });
  return (answer.pollers ?? []).length;
}

/**
 * A worker that has just started is known to the server only when its first poll has arrived, and one that restarts is gone for a
 * moment: only a queue that stays alone for this long has no worker.
 */
const PATIENCE_MS = 5_000;
const LOOK_AGAIN_MS = 200;

/** Waits for the group's workers a moment. @throws LifeboatError WORKER_MISSING */
export async function requireWorkers(client: Client, group: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let missing = await missingWorkers(client, group);
  while (missing.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    missing = await missingWorkers(client, group);
  }
  if (missing.length === 0) return;
  const queues = missing.map((role) => taskQueue(role, group));
  throw new LifeboatError('WORKER_MISSING', `no worker polls ${queues.join(' and ')}`, { details: { queues } });
}
