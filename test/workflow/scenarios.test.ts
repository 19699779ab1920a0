/**
 * Goal: each workflow calls its activities in the right order, cleans up after failures and obeys cancellation.
 * Method: real Temporal server and worker, activities that only record their calls, one scenario per path.
 */
import { openStage } from '../support/workflows/run-scenario.ts';
import type { ScenarioStage } from '../support/workflows/run-scenario.ts';
import { saveHistory } from '../support/workflows/histories.ts';
import { SCENARIOS } from '../support/workflows/scenarios.ts';
import type { Scenario } from '../support/workflows/scenarios.ts';

let stage: ScenarioStage | undefined;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

function openedStage(): ScenarioStage {
  if (stage === undefined) throw new Error('the stage did not open');
  return stage;
}

/** Calls that may run at once come sorted, so that the expected order can be stated. */
function inOrder(calls: readonly string[], expected: Scenario['calls']): (string | string[])[] {
  const rest = [...calls];
  const grouped = expected.map((part) =>
    typeof part === 'string' ? rest.shift() : rest.splice(0, part.length).toSorted(),
  );
  return [...grouped, ...rest].filter((part) => part !== undefined);
}

test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
  const run = await openedStage().run(scenario);
  const expected = scenario.calls.map((part) => (typeof part === 'string' ? part : part.toSorted()));
  expect(inOrder(run.calls, scenario.calls)).toEqual(expected);
  expect(run.outcome).toBe(scenario.outcome);
  if (scenario.name === 'backup/discard-fails-too') {
    expect(run.message).toContain('planted SOURCE_NOT_CONFIGURED');
    expect(run.message).toContain('remove the unfinished backup: planted GROUP_BUSY');
  }
  await saveHistory(scenario.name, run.history);
});
