import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import {
  drillWorkflowId,
  groupWorkflowId,
  journalWorkflowId,
  scheduledWorkflowId,
  taskQueue,
  WORKFLOWS,
} from '../../../src/contract/names.ts';
import { workflowBundle } from '../../../src/temporal/bundle.ts';
import { startTemporal } from '../servers.ts';
import type { TestTemporal } from '../servers.ts';
import { recordingActivities } from './fakes.ts';
import type { Scenario } from './scenarios.ts';

export interface ScenarioRun {
  readonly outcome: string;
  readonly calls: readonly string[];
  readonly result: unknown;
  readonly message: string;
  readonly history: unknown;
}

/** A Temporal server and the compiled workflows, shared by the scenarios of one file. */
export interface ScenarioStage {
  run(scenario: Scenario): Promise<ScenarioRun>;
  close(): Promise<void>;
}

export async function openStage(): Promise<ScenarioStage> {
  // Planted failures would fill the screen; what matters is asserted.
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const bundle = await workflowBundle(join(tmpdir(), 'lifeboat-test-bundles'));
  const temporal: TestTemporal = await startTemporal();
  const connection = await Connection.connect({ address: temporal.address });
  const native = await NativeConnection.connect({ address: temporal.address });
  const client = new Client({ connection });
  return {
    async run(scenario) {
      const { calls, activities } = recordingActivities(scenario.planted?.());
      const group = `s${randomUUID().slice(0, 8)}`;
      const common = { connection: native, activities, maxHeartbeatThrottleInterval: '100ms' as const };
      const control = await Worker.create({
        ...common,
        taskQueue: taskQueue('control', group),
        workflowBundle: bundle,
      });
      const data = await Worker.create({ ...common, taskQueue: taskQueue('data', group) });
      const journal = await Worker.create({ ...common, taskQueue: taskQueue('journal', group) });
      const copy = await Worker.create({ ...common, taskQueue: taskQueue('copy', group) });
      const workflowId = idOf(scenario.workflow, group);
      const working = copy.runUntil(
        journal.runUntil(
          data.runUntil(
            control.runUntil(async () => {
              if (scenario.heldBy !== undefined) {
                await client.workflow.start(scenario.heldBy, {
                  workflowId: groupWorkflowId(group),
                  taskQueue: taskQueue('control', group),
                  args: [{ group }],
                });
              }
              const handle = await client.workflow.start(scenario.workflow, {
                workflowId,
                taskQueue: taskQueue('control', group),
                args: [{ ...(scenario.input as object), group }],
              });
              const driven = scenario.drive?.(handle, calls);
              const ended = await settle(handle.result());
              await driven;
              return { ...ended, calls, history: await handle.fetchHistory() };
            }),
          ),
        ),
      );
      return working;
    },
    async close() {
      await connection.close();
      await native.close();
      await temporal.stop();
    },
  };
}

function idOf(workflow: Scenario['workflow'], group: string): string {
  if (workflow === WORKFLOWS.journal) return journalWorkflowId('postgres', group);
  if (workflow === WORKFLOWS.scheduled) return scheduledWorkflowId(group, 'nightly');
  // It may take a backup first, which needs the group's own id.
  return workflow === WORKFLOWS.drill ? drillWorkflowId(group) : groupWorkflowId(group);
}

async function settle(result: Promise<unknown>): Promise<{ outcome: string; result: unknown; message: string }> {
  try {
    return { outcome: 'completed', result: await result, message: '' };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const root = applicationCause(error);
    if (root === undefined) throw error;
    if (root instanceof CancelledFailure) return { outcome: 'cancelled', result: null, message: root.message };
    return { outcome: root.type ?? '', result: null, message: root.message };
  }
}

function applicationCause(error: unknown): ApplicationFailure | CancelledFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  return applicationCause(error.cause);
}
