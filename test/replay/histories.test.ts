/**
 * Goal: operations that began under an earlier version go on under this one.
 * Method: every recorded history is replayed against today's workflows; a planted change shows that replay notices.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { ReplayResult } from '@temporalio/worker';
import { workflowBundle } from '../../src/temporal/bundle.ts';
import { loadRecordings } from '../support/workflows/histories.ts';
import type { Recording } from '../support/workflows/histories.ts';
import { SCENARIOS } from '../support/workflows/scenarios.ts';

let recordings: Recording[];
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  recordings = await loadRecordings();
});

async function replay(
  chosen: readonly Recording[],
  workflows: { workflowsPath: string } | { workflowBundle: { codePath: string } },
): Promise<ReplayResult[]> {
  const histories = chosen.map(({ file, scenario, history }) => ({
    // The group, and so the task queues, are part of the workflow id.
    workflowId: queueGroup(history) === null ? file : `lifeboat/${queueGroup(history)}/${scenario}`,
    history,
  }));
  const results: ReplayResult[] = [];
  for await (const result of Worker.runReplayHistories({ ...workflows, replayName: 'histories' }, histories)) {
    results.push(result);
  }
  return results;
}

interface RecordedStart {
  readonly events: readonly { readonly workflowExecutionStartedEventAttributes?: { readonly workflowId?: string } }[];
}

function queueGroup(history: unknown): string | null {
  const [started] = (history as RecordedStart).events;
  return started?.workflowExecutionStartedEventAttributes?.workflowId?.split('/')[1] ?? null;
}

test('every path of every workflow has a recording, and every recording a path', () => {
  const paths = SCENARIOS.map(({ name }) => name).toSorted();
  expect([...new Set(recordings.map(({ scenario }) => scenario))].toSorted()).toEqual(paths);
});

test('every recorded history replays', async () => {
  const bundle = await workflowBundle(join(tmpdir(), 'lifeboat-test-bundles'));
  const results = await replay(recordings, { workflowBundle: bundle });
  expect(results).toHaveLength(recordings.length);
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
});

test('a changed order of steps is noticed', async () => {
  const workflowsPath = fileURLToPath(new URL('../support/workflows/planted/index.ts', import.meta.url));
  const success = recordings.filter(({ scenario }) => scenario === 'backup/success');
  const results = await replay(success, { workflowsPath });
  expect(results.map(({ error }) => error?.name)).toEqual(['DeterminismViolationError']);
});
