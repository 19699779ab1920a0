import { join } from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import type { JournalActivities } from '../contract/journal.ts';
import type { CopyActivities } from '../contract/replication.ts';
import { taskQueue } from '../contract/names.ts';
import type { WorkerRole } from '../contract/names.ts';
import { LifeboatError, messageOf } from '../domain/errors.ts';
import { workflowBundle } from './bundle.ts';
import { connectionSettings, openConnection } from './connection.ts';
import type { TemporalAddress } from './connection.ts';
import { registerSearchAttributes } from './search-attributes.ts';

/** Short activities at once. */
const CONTROL_SLOTS = 20;
/** One journal of PostgreSQL and one of Redis; twice that, for an attempt that ends while its follower has begun. */
const JOURNAL_SLOTS = 4;
/** Copies at once, and a run for each target that follows the journals: more targets than most have, each of which may be slow. */
const COPY_SLOTS = 24;
/** On SIGTERM: how long streams may go on before they are cancelled, and before the worker ends regardless. */
const SHUTDOWN_GRACE = '5 seconds';
const SHUTDOWN_FORCE = '30 seconds';
/** Progress is fresh and a cancellation arrives within this time. */
const HEARTBEAT_THROTTLE = '2 seconds';

export interface RunWorkers {
  readonly temporal: TemporalAddress;
  readonly identity: string;
  readonly roles: readonly WorkerRole[];
  readonly group: string;
  readonly activities: ControlActivities & DataActivities & JournalActivities & CopyActivities;
  readonly activityInterceptors: readonly ActivityInterceptorsFactory[];
  /** Long streams at once: each may use 100 MiB and most of a core. */
  readonly dataSlots: number;
  /** Folder that keeps the workflow bundle. */
  readonly cacheDir: string;
}

/** Workers of one process: control decides and runs workflows, data moves bytes, journal follows servers, copy fills targets. */
export interface RunningWorkers {
  /** Settles when all have ended: clean after `shutdown`, with the error that ended one otherwise. */
  readonly ended: Promise<void>;
  shutdown(): void;
}

/**
 * Starts the workers of the given roles and resolves when they poll.
 * @throws LifeboatError TEMPORAL_UNREACHABLE
 */
export async function runWorkers(run: RunWorkers): Promise<RunningWorkers> {
  const { connection, namespace } = await connectWorker(run);
  const { activities, group } = run;
  const bundle = run.roles.includes('control') ? await workflowBundle(join(run.cacheDir, 'workflows')) : undefined;
  const workers = await Promise.all(
    run.roles.map((role) =>
      Worker.create({
        connection,
        namespace,
        identity: `${run.identity}/${role}`,
        taskQueue: taskQueue(role, group),
        activities,
        interceptors: { activity: [...run.activityInterceptors] },
        maxConcurrentActivityTaskExecutions: slotsOf(role, run),
        maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
        defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
        // A journal has no end to wait for, and what is copied goes on from what is there.
        shutdownGraceTime: role === 'journal' || role === 'copy' ? 0 : SHUTDOWN_GRACE,
        shutdownForceTime: SHUTDOWN_FORCE,
        ...(role === 'control' && bundle ? { workflowBundle: bundle } : {}),
      }),
    ),
  );
  return { ended: endTogether(workers, connection), shutdown: () => workers.forEach(shutdownOnce) };
}

function slotsOf(role: WorkerRole, { dataSlots }: RunWorkers): number {
  return { control: CONTROL_SLOTS, data: dataSlots, journal: JOURNAL_SLOTS, copy: COPY_SLOTS }[role];
}

async function connectWorker(run: RunWorkers): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connection, namespace } = await openConnection(run.temporal);
  const { address, tls, apiKey, metadata } = connectionSettings(run.temporal).options;
  try {
    await registerSearchAttributes(connection, namespace);
    const options = {
      ...(address ? { address } : {}),
      ...(tls ? { tls } : {}),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(metadata ? { metadata } : {}),
    };
    return { connection: await NativeConnection.connect(options), namespace };
  } catch (cause) {
    const message = `prepare namespace ${namespace} at ${address}: ${messageOf(cause)}`;
    throw new LifeboatError('TEMPORAL_UNREACHABLE', message, { cause });
  } finally {
    await connection.close();
  }
}

/** One worker that ends takes the others with it: half a process would leave operations waiting without a word. */
async function endTogether(workers: readonly Worker[], connection: NativeConnection): Promise<void> {
  try {
    await Promise.all(
      workers.map(async (worker) => {
        await worker.run();
        workers.forEach(shutdownOnce);
      }),
    );
  } catch (error) {
    workers.forEach(shutdownOnce);
    throw error;
  } finally {
    await connection.close();
  }
}

function shutdownOnce(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}
