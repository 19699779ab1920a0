import { openStage } from './run-scenario.ts';
import type { ScenarioStage } from './run-scenario.ts';
import { saveHistory } from './histories.ts';
import type { Scenario } from './scenarios.ts';

/** Calls that may run at once come sorted, so that the expected order can be stated. */
function inOrder(calls: readonly string[], expected: Scenario['calls']): (string | string[])[] {
  const rest = [...calls];
  const grouped = expected.map((part) =>
    typeof part === 'string' ? rest.shift() : rest.splice(0, part.length).toSorted(),
  );
  return [...grouped, ...rest].filter((part) => part !== undefined);
}

/** Defines a test for each, on one stage. */
export function playScenarios(scenarios: readonly Scenario[]): void {
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

  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
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
}
